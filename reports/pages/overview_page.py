"""The overview: is everything all right, and how does each stream stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trueup.reports.pages.frame import PageFrame, page_part, whole_page
from trueup.reports.pages.page_table import PageCell, PageColumn, PageTable, time_cell
from trueup.reports.pages.standing import StreamGlance, StreamStanding, Tone, standing_of
from trueup.reports.pictures.course import sparkline_drawing
from trueup.reports.pictures.drawing import Drawing
from trueup.storage.formatting import aligned_figure, capitalised, metric_name
from trueup.storage.timepoints import to_minute


@dataclass(frozen=True, kw_only=True)
class OverviewFacts:
    """All streams. made_at: when the newest cycle ended. csv: what the names of CSVs beside the page begin with."""

    streams: tuple[StreamGlance, ...]
    made_at: datetime | None
    csv: str = ""


def overview_drawings(facts: OverviewFacts) -> tuple[Drawing, ...]:
    """The courses of all metrics, whose numbers are one table."""
    rows = tuple(
        (glance.stream, glance.metric, number + 1, value)
        for glance in facts.streams
        for number, value in enumerate(glance.recent if glance.predicts else ())
    )
    title = "The metric of each stream in its last checks"
    return (Drawing("lately", title, "", title, ("stream", "metric", "check, oldest first", "value"), rows),)


def overview_page(facts: OverviewFacts, drawings: Sequence[Drawing] | None = None) -> bytes:
    """The page; `drawings`: those of `overview_drawings`, where they are made already."""
    known = sorted(((standing_of(g), g) for g in facts.streams), key=lambda one: (one[0].rank, one[1].stream))
    (lately,) = drawings or overview_drawings(facts)
    body = page_part(
        "overview.html",
        verdict=_verdict([standing for standing, _ in known], facts.streams),
        table=_table(known),
        next_cycles=[g.next_cycle for g in facts.streams if g.next_cycle],
        lately=lately if lately.rows else None,
        facts=facts,
    )
    frame = PageFrame("All streams", made=to_minute(facts.made_at, ""))
    return whole_page(frame, body)


def _verdict(standings: Sequence[StreamStanding], streams: Sequence[StreamGlance]) -> StreamStanding:
    """The answer to "is everything all right?"."""
    if not standings:
        return StreamStanding(Tone.STILL, "No streams yet", "The settings name no stream.")
    bad, warn = (sum(s.tone == tone for s in standings) for tone in (Tone.BAD, Tone.WARN))
    unknown = sum(s.tone == Tone.STILL for s in standings)
    total = len(standings)
    if bad:
        return StreamStanding(Tone.BAD, f"{_of(bad, total)} not all right", _sentence(warn, unknown))
    if warn:
        return StreamStanding(Tone.WARN, f"{_of(warn, total)} worth a look", _sentence(0, unknown))
    if unknown == total:
        return StreamStanding(Tone.STILL, "Nothing is known yet", "No check could judge a stream so far.")
    opened = sum(len(g.incidents) for g in streams)
    said = "No incident is open, and no scheduled cycle is overdue." if not opened else ""
    return StreamStanding(Tone.FINE, "Everything is all right", f"{said} {_sentence(0, unknown)}".strip())


def _of(some: int, total: int) -> str:
    if total == 1:
        return "The stream is"
    if some == total:
        return f"All {total} streams are"
    return f"{some} of {total} streams {'is' if some == 1 else 'are'}"


def _sentence(warn: int, unknown: int) -> str:
    said = [
        f"{warn} more {'is' if warn == 1 else 'are'} worth a look." if warn else "",
        f"{unknown} {'is' if unknown == 1 else 'are'} not judged yet." if unknown else "",
    ]
    return " ".join(one for one in said if one)


def _table(known: Sequence[tuple[StreamStanding, StreamGlance]]) -> PageTable:
    columns = (
        PageColumn("Stream"), PageColumn("Health", wide=True), PageColumn("Metric", number=True), PageColumn("Lately"),
        PageColumn("Open incidents"), PageColumn("Model", time=True), PageColumn("Last cycle", time=True),
    )  # fmt: skip
    return PageTable("All streams, those that need attention first", columns, tuple(_row(*one) for one in known))


def _row(standing: StreamStanding, glance: StreamGlance) -> tuple[PageCell, ...]:
    gravest = next(iter(glance.incidents), None)
    open_ones = len(glance.incidents)
    course = glance.recent if glance.predicts else ()
    spark = sparkline_drawing(course, what=metric_name(glance.metric)) if course else None
    model = "none" if glance.champion is None else f"v{glance.champion}"
    return (
        PageCell(glance.stream, glance.href),
        PageCell(standing.word, tone=standing.tone, more=standing.said, sort=standing.rank),
        metric_cell(glance),
        PageCell("", svg=spark.svg, sort=glance.recent[-1]) if spark else PageCell("–"),
        PageCell(
            str(open_ones) if open_ones else "none",
            gravest.href if gravest else "",
            more=f"since {gravest.opened_at:%Y-%m-%d}" if gravest else "",
            sort=open_ones,
        ),
        PageCell(model if glance.predicts else "–", more=_since(glance), sort=glance.champion or 0),
        time_cell(glance.last_cycle, "never", more=_next(glance)),
    )


def metric_cell(glance: StreamGlance) -> PageCell:
    """A stream's metric against its reference."""
    if glance.value is None or not glance.predicts:
        return PageCell("–", more="not judged yet" if glance.predicts else "predicts nothing", sort="")
    reference = "" if glance.reference is None else f", reference {aligned_figure(glance.reference)}"
    named = f"{capitalised(metric_name(glance.metric))}{reference}"
    return PageCell(aligned_figure(glance.value), more=named, sort=glance.value)


def _next(glance: StreamGlance) -> str:
    """When the next cycle is, below the last."""
    due = "no schedule" if glance.next_cycle is None else f"next {glance.next_cycle:%Y-%m-%d %H:%M}"
    return f"overdue; {due}" if glance.overdue else due


def _since(glance: StreamGlance) -> str:
    return "" if glance.champion_since is None else f"since {glance.champion_since:%Y-%m-%d}"
