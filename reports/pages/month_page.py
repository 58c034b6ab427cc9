"""The page of a month: how a stream's metric and signals went in it, and a list of its checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from trueup.reports.pages.check_rows import CheckLine, checks_table
from trueup.reports.pages.frame import PageFrame, page_part, whole_page
from trueup.reports.pages.incident_rows import incidents_table
from trueup.reports.pages.metric_course import MetricHistory
from trueup.reports.pages.page_table import PageTable
from trueup.reports.pages.signal_course import SignalHistory
from trueup.reports.pages.standing import IncidentLink
from trueup.reports.pictures.drawing import Drawing

LISTED = 100  # checks of one table; a month of more folds them by day


@dataclass(frozen=True, kw_only=True)
class MonthFacts:
    """A month of a stream (UTC).

    before, after: pages of the nearest months with checks; empty: there is none. checks: newest first, and how many
    there are. incidents: those that were open in it. csv: what the names of CSVs beside the page begin with; empty:
    there are none.
    """

    stream: str
    month: date
    metric_name: str
    predicts: bool
    index: str
    stream_href: str
    before: str
    after: str
    metric: MetricHistory | None
    signals: SignalHistory | None
    incidents: tuple[IncidentLink, ...]
    checks: tuple[CheckLine, ...]
    checks_total: int
    csv: str = ""


def month_drawings(facts: MonthFacts) -> tuple[Drawing, ...]:
    """The pictures of the page, in their order."""
    return (
        *((facts.metric.drawing("metric"),) if facts.metric else ()),
        *((facts.signals.drawing("signals"),) if facts.signals else ()),
    )


def month_page(facts: MonthFacts, drawings: Sequence[Drawing] | None = None) -> bytes:
    """The page; `drawings`: those of `month_drawings`, where they are made already."""
    name = f"{facts.month:%B %Y}"
    many = len(facts.checks) > LISTED
    listed = [check for check in facts.checks if check.breached][:LISTED] if many else facts.checks
    body = page_part(
        "month.html",
        facts=facts,
        name=name,
        breached=sum(bool(check.breached) for check in facts.checks),
        drawn={d.name: d for d in (month_drawings(facts) if drawings is None else drawings)},
        incidents=incidents_table(facts.incidents, f"Incidents that were open in {name}"),
        checks=_table(facts, listed, f"Checks of {name}{' that breached' if many else ''}"),
        days=_by_day(facts) if many else (),
    )
    return whole_page(PageFrame(name, ((facts.stream, facts.stream_href),), facts.index), body)


def _by_day(facts: MonthFacts) -> list[tuple[str, PageTable]]:
    """The checks of each day, newest first, below a line that says what breached on it."""
    days = [list(group) for _, group in groupby(facts.checks, key=lambda check: check.as_of.date())]
    return [(_said_of_day(day), _table(facts, day, f"Checks of {day[0].as_of:%-d %B %Y}")) for day in days]


def _said_of_day(checks: Sequence[CheckLine]) -> str:
    breached = [check for check in checks if check.breached]
    codes = sorted({code for check in breached for code in check.breached})
    said = f"{len(breached)} breached: {', '.join(codes)}" if breached else "none breached"
    return f"{checks[0].as_of:%-d %B}: {len(checks)} check{'s' if len(checks) != 1 else ''}, {said}"


def _table(facts: MonthFacts, checks: Sequence[CheckLine], caption: str) -> PageTable:
    return checks_table(checks, caption=caption, metric=facts.metric_name, predicts=facts.predicts)
