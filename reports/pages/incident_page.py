"""The page of an incident: the words of its mails, what moved with examples, what happened when, and what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trueup.monitoring.severity import Severity
from trueup.reports.alerts.letter import Letter
from trueup.reports.alerts.mail_body import CAPTIONS
from trueup.reports.pages.frame import PageFrame, page_part, whole_page
from trueup.reports.pages.metric_course import MetricHistory
from trueup.reports.pages.page_table import PageCell, PageColumn, PageTable, time_cell
from trueup.reports.pages.standing import Tone
from trueup.reports.pictures.drawing import Drawing
from trueup.storage.formatting import capitalised
from trueup.storage.timepoints import to_minute

_LEFT_OUT = ("Ids",)  # sections of a mail whose ids the page links


@dataclass(frozen=True, kw_only=True)
class IncidentEvent:
    """Something that happened in the course of an incident. said: in a few words; more: a sentence, or nothing."""

    at: datetime
    said: str
    more: str = ""
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class IncidentFacts:
    """An incident.

    now: what its newest mail says. opened: what the first one said; None where there was no later one. events: oldest
    first. check_href: the page of the check that the newest words are about; empty: there is none. csv: what the names
    of CSVs beside the page begin with; empty: there are none.
    """

    stream: str
    id: str
    title: str
    severity: Severity
    opened_at: datetime
    resolved_at: datetime | None
    taken_by: str
    now: Letter
    opened: Letter | None
    metric: MetricHistory | None
    events: tuple[IncidentEvent, ...]
    check_href: str
    models_href: str
    stream_href: str
    index: str
    made_at: datetime | None
    csv: str = ""


def incident_drawings(facts: IncidentFacts) -> tuple[Drawing, ...]:
    """The pictures of the page."""
    return (facts.metric.drawing("metric"),) if facts.metric else ()


def incident_page(facts: IncidentFacts, drawings: Sequence[Drawing] | None = None) -> bytes:
    """The page; `drawings`: those of `incident_drawings`, where they are made already."""
    first = facts.opened or facts.now
    body = page_part(
        "incident.html",
        facts=facts,
        title=capitalised(facts.title),
        state=_state(facts),
        tone=Tone.STILL if facts.resolved_at else Tone.BAD if facts.severity is Severity.HIGH else Tone.WARN,
        lines=tuple(zip(CAPTIONS, facts.now.lines, strict=True)),
        first_lines=tuple(zip(CAPTIONS, facts.opened.lines, strict=True)) if facts.opened else (),
        causes=first.causes or facts.now.causes,
        sections=[_section(d.title, d.columns, d.rows) for d in first.sections if d.title not in _LEFT_OUT],
        drawn={d.name: d for d in (incident_drawings(facts) if drawings is None else drawings)},
        events=_events(facts.events),
    )
    frame = PageFrame(
        capitalised(facts.title), ((facts.stream, facts.stream_href),), facts.index, to_minute(facts.made_at, "")
    )
    return whole_page(frame, body)


def _state(facts: IncidentFacts) -> str:
    if facts.resolved_at:
        return "closed"
    return f"open, {facts.severity} severity" + (f", taken by {facts.taken_by}" if facts.taken_by else "")


def _section(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> PageTable:
    cells = tuple(tuple(PageCell(value) for value in row) for row in rows)
    return PageTable(title, tuple(PageColumn(capitalised(name)) for name in columns), cells, row_heads=False)


def _events(events: Sequence[IncidentEvent]) -> PageTable:
    columns = (PageColumn("Time", time=True), PageColumn("What happened"))
    rows = tuple((time_cell(e.at), PageCell(e.said, e.href, more=e.more)) for e in events)
    return PageTable("What happened, oldest first", columns, rows)
