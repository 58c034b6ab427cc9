"""The page of a month: how a stream's metric and signals went in it, and a list of its checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from trueup.reports.pages.check_rows import CheckLine, checks_table
from trueup.reports.pages.frame import PageFrame, page_part, whole_page
from trueup.reports.pages.incident_rows import incidents_table
from trueup.reports.pages.metric_course import MetricHistory
from trueup.reports.pages.signal_course import SignalHistory
from trueup.reports.pages.standing import IncidentLink
from trueup.reports.pictures.drawing import Drawing


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
    body = page_part(
        "month.html",
        facts=facts,
        name=name,
        breached=sum(bool(check.breached) for check in facts.checks),
        drawn={d.name: d for d in (month_drawings(facts) if drawings is None else drawings)},
        incidents=incidents_table(facts.incidents, f"Incidents that were open in {name}"),
        checks=checks_table(
            facts.checks, caption=f"Checks of {name}", metric=facts.metric_name, predicts=facts.predicts
        ),
    )
    return whole_page(PageFrame(name, ((facts.stream, facts.stream_href),), facts.index), body)
