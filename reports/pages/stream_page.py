"""The page of a stream: how it stands, how its metric and signals went, what came in, and which model answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from trueup.reports.pages.arrivals import ArrivalCourse
from trueup.reports.pages.check_rows import CheckLine, checks_table
from trueup.reports.pages.comparison_rows import ComparisonLink, comparisons_table
from trueup.reports.pages.frame import PageFrame, page_part, whole_page
from trueup.reports.pages.gate_rows import GateRow, gate_table
from trueup.reports.pages.incident_rows import incidents_table
from trueup.reports.pages.metric_course import MetricHistory
from trueup.reports.pages.models_page import AnswersChanged
from trueup.reports.pages.page_table import PageCell, PageColumn, PageTable
from trueup.reports.pages.signal_course import SignalHistory
from trueup.reports.pages.standing import IncidentLink, StreamGlance, Tone, standing_of
from trueup.reports.pictures.drawing import Drawing
from trueup.reports.pictures.what_moved import SliceMetric, slices_by_harm
from trueup.reports.signal_words import RELATIVE_DROP
from trueup.storage.formatting import aligned_figure, metric_name, percent
from trueup.storage.timepoints import to_minute


@dataclass(frozen=True, kw_only=True)
class SlicePart:
    """One value of a slice: the metric there before and now. records: of the window; None: not known any more."""

    column: str
    value: str
    before: float
    now: float
    breached: bool
    records: int | None = None


@dataclass(frozen=True, kw_only=True)
class ChampionEvidence:
    """Why the champion answers.

    since: in as-of time. over: the version before it. how, who, why: how it came to answer, by whom, and what a person
    said. codes: what had breached when it was trained. answers, tests: of its gate.
    """

    since: datetime
    over: int | None
    how: str
    who: str
    why: str
    codes: tuple[str, ...]
    answers: AnswersChanged | None
    tests: tuple[GateRow, ...]


@dataclass(frozen=True, kw_only=True)
class MonthLink:
    """The page of a month, with how many checks it has, and in how many a signal breached."""

    month: date
    href: str
    checks: int
    breached: int


@dataclass(frozen=True, kw_only=True)
class StreamFacts:
    """Everything on the page; an empty or missing part is left out of it, with a sentence where a reader would miss it.

    whole: verdicts of all checks; recent: of the newest month, where the checks are too many for one picture.
    checks, comparisons: the newest, newest first.
    incidents: the newest, and how many there are. index, models_href, quarantine_href: pages beside it.
    refused: rows in quarantine. csv: what the names of CSVs beside the page begin with; empty: there are none.
    """

    glance: StreamGlance
    index: str
    models_href: str
    quarantine_href: str
    refused: int
    metric: MetricHistory | None
    recent: SignalHistory | None
    whole: SignalHistory | None
    arrivals: ArrivalCourse | None
    slices: tuple[SlicePart, ...]
    champion: ChampionEvidence | None
    incidents: tuple[IncidentLink, ...]
    incidents_total: int
    months: tuple[MonthLink, ...]
    comparisons: tuple[ComparisonLink, ...]
    checks: tuple[CheckLine, ...]
    checks_total: int
    made_at: datetime | None
    csv: str = ""


def stream_drawings(facts: StreamFacts) -> tuple[Drawing, ...]:
    """The pictures of the page, in their order."""
    return (
        *((facts.metric.drawing("metric"),) if facts.metric else ()),
        *((facts.recent.drawing("month"),) if facts.recent else ()),
        *((facts.whole.drawing("signals"),) if facts.whole else ()),
        *(facts.arrivals.drawings() if facts.arrivals else ()),
        *_slice_drawings(facts),
    )


def _slice_drawings(facts: StreamFacts) -> tuple[Drawing, ...]:
    """The slices whose records are known, by harm."""
    parts = [
        SliceMetric(words=f"{p.column}: {p.value}", before=p.before, now=p.now, records=p.records, breached=p.breached)
        for p in facts.slices if p.records is not None
    ]  # fmt: skip
    if not parts:
        return ()
    metric = facts.glance.metric
    return (slices_by_harm(parts, metric=metric, lower_is_better=metric in RELATIVE_DROP),)


def stream_page(facts: StreamFacts, drawings: Sequence[Drawing] | None = None) -> bytes:
    """The page; `drawings`: those of `stream_drawings`, where they are made already."""
    glance = facts.glance
    drawn = {d.name: d for d in (stream_drawings(facts) if drawings is None else drawings)}
    body = page_part(
        "stream.html",
        facts=facts,
        glance=glance,
        standing=standing_of(glance),
        drawn=drawn,
        figures=_figures(facts),
        incidents=incidents_table(facts.incidents, "Newest incidents, open ones first"),
        slices=_slices(facts),
        changed=_changed(facts),
        gate=gate_table(facts.champion.tests, "Tests that the champion was judged by") if facts.champion else None,
        months=_months(facts.months),
        comparisons=comparisons_table(facts.comparisons),
        checks=checks_table(facts.checks, caption="Newest checks", metric=glance.metric, predicts=glance.predicts),
    )
    frame = PageFrame(glance.stream, root=facts.index, made=to_minute(facts.made_at, ""))
    return whole_page(frame, body)


def _figures(facts: StreamFacts) -> tuple[tuple[str, str, str], ...]:
    """The figures on top: name, value, and a quiet line below."""
    glance = facts.glance
    found = []
    if glance.predicts:
        reference = "" if glance.reference is None else f"reference {aligned_figure(glance.reference)}"
        found.append((metric_name(glance.metric), aligned_figure(glance.value), reference))
        since = f"since {to_minute(glance.champion_since)}" if glance.champion_since else ""
        found.append(("model", "none" if glance.champion is None else f"v{glance.champion}", since))
    found.append(("records", f"{glance.records:,}", f"{facts.refused:,} in quarantine" if facts.refused else ""))
    late = "the next is overdue" if glance.overdue else ""
    found.append(("last cycle", to_minute(glance.last_cycle, "none yet"), late))
    found.append(("next cycle", to_minute(glance.next_cycle, "no schedule"), ""))
    return tuple(found)


def _changed(facts: StreamFacts) -> str:
    """What the champion answers otherwise than the version before it, in a sentence; empty: they were not compared."""
    answers = facts.champion.answers if facts.champion else None
    if facts.champion is None or answers is None:
        return ""
    other = "a constant answer" if facts.champion.over is None else f"v{facts.champion.over}"
    if facts.glance.is_regression:
        return (
            f"On {answers.records:,} new records it is off by {aligned_figure(answers.now)} on average, {other} by "
            f"{aligned_figure(answers.before)}."
        )
    return (
        f"On {answers.records:,} new records it answers {percent(answers.now)} wrong, {other} "
        f"{percent(answers.before)}: {answers.repaired:,} answers became right, {answers.broken:,} wrong."
    )


def _slices(facts: StreamFacts) -> PageTable:
    name = metric_name(facts.glance.metric)
    columns = (
        PageColumn("Slice"), PageColumn("Column"), PageColumn(f"{name} before", number=True),
        PageColumn("now", number=True), PageColumn("Verdict"),
    )  # fmt: skip
    rows = tuple(
        (
            PageCell(part.value), PageCell(part.column), PageCell(aligned_figure(part.before)),
            PageCell(aligned_figure(part.now)),
            PageCell("breached", tone=Tone.BAD) if part.breached else PageCell("ok", tone=Tone.FINE),
        )
        for part in facts.slices
    )  # fmt: skip
    return PageTable("Worst slices of the newest check", columns, rows)


def _months(months: Sequence[MonthLink]) -> PageTable:
    columns = (PageColumn("Month"), PageColumn("Checks", number=True), PageColumn("With a breach", number=True))
    rows = tuple(
        (
            PageCell(f"{m.month:%B %Y}", m.href, sort=f"{m.month:%Y-%m}"), PageCell(f"{m.checks:,}"),
            PageCell(f"{m.breached:,}"),
        )
        for m in months
    )  # fmt: skip
    return PageTable("Checks by month", columns, rows)
