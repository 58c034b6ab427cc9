"""The course of one figure: a sparkline, the volume of records and labels, and the delay of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trueup.reports.pictures import marks
from trueup.reports.pictures.axes import NO_TIME, Axes, Frame, extent, finite, runs
from trueup.reports.pictures.drawing import Drawing
from trueup.storage.escaping import for_html
from trueup.storage.formatting import figure
from trueup.storage.timepoints import to_minute

_HIGH = 150  # of a plot
_SPARK = (120.0, 28.0)  # a sparkline, in SVG units
_LEAST = 0.1  # of the largest value: what a sparkline's height spans at least, so that noise draws no mountains


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A span of time, the records that came in it, and how many of them have a label by now."""

    start: datetime
    end: datetime
    records: int
    labels: int


@dataclass(frozen=True, kw_only=True)
class DelayAt:
    """How late labels came, in days: the median, and what nine in ten did not exceed. None: no label came."""

    at: datetime
    median: float | None
    nine_in_ten: float | None


def sparkline_drawing(values: Sequence[float | None], *, name: str = "course", what: str = "metric") -> Drawing:
    """The course of a figure without axes, its newest value as a dot; evenly spaced, oldest first."""
    told = [finite(value) for value in values]
    known = [value for value in told if value is not None]
    title = f"Course of the {what}"
    alt = f"No {what} yet." if not known else (
        f"{len(known)} values of {what}: first {figure(known[0])}, lowest {figure(min(known))}, "
        f"highest {figure(max(known))}, newest {figure(known[-1])}."
    )  # fmt: skip
    wide, high = _SPARK
    low, top = (min(known), max(known)) if known else (0.0, 1.0)
    span = max(top - low, _LEAST * max(abs(low), abs(top))) or 1.0
    step = (wide - 12) / max(len(told) - 1, 1)
    places = [
        None if v is None else (round(6 + k * step, 1), round(high / 2 - (v - (low + top) / 2) / span * (high - 10), 1))
        for k, v in enumerate(told)
    ]
    pieces: list[list[tuple[float, float]]] = [[]]
    for place in places:
        pieces = [*pieces[:-1], [*pieces[-1], place]] if place else [*pieces, []]
    drawn = "".join(marks.path(piece, "line-measured") for piece in pieces if len(piece) > 1)
    newest = [place for place in places if place][-1:]
    drawn += "".join(marks.dot(x, y, 3.5, "fill-measured") for x, y in newest)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" role="img">'
        f"<title>{for_html(alt)}</title>{drawn}</svg>"
    )
    return Drawing(name, title, svg, alt, ("check", what), tuple((k + 1, value) for k, value in enumerate(told)))


def volume_over_time(volumes: Sequence[Volume], *, name: str = "volume") -> Drawing:
    """Records and labels over time: a bar from the beginning to the end of each span, labels within."""
    start, end = _span([v.start for v in volumes], [v.end for v in volumes])
    most = max((v.records for v in volumes), default=0) or 1
    title = "Records and labels over time"
    legend, top = marks.key([("fill-reference soft edged", "box", "records"), ("fill-measured", "box", "with a label")])
    axes = _axes(top + 10, start, end, 0.0, most * 1.05)
    drawn = []
    for v in volumes:
        left, right, base = axes.x(v.start), axes.x(v.end), axes.frame.bottom
        room = min(1.5, (right - left) / 6)
        left, right = left + room, right - room
        words = f"{to_minute(v.start)} to {to_minute(v.end)}: {v.records:,} records, {v.labels:,} with a label"
        drawn.append(f"<g>{marks.said(words)}")
        drawn.append(marks.box(left, base, right, axes.y(v.records), "fill-reference soft edged") if v.records else "")
        inset = (right - left) / 4
        drawn.append(
            marks.box(left + inset, base, right - inset, axes.y(v.labels), "fill-measured") if v.labels else ""
        )
        drawn.append("</g>")
    records, labels = sum(v.records for v in volumes), sum(v.labels for v in volumes)
    alt = (
        f"{records:,} records, {labels:,} with a label, {to_minute(start)} to {to_minute(end)}; "
        f"at most {most:,} in one span." if volumes else "No records in this time."
    )  # fmt: skip
    body = legend + marks.value_axis(axes) + marks.time_axis(axes) + "".join(drawn)
    rows = tuple((v.start, v.end, v.records, v.labels) for v in volumes)
    svg = marks.element(title, alt, axes.frame.height, body)
    return Drawing(name, title, svg, alt, ("from", "to", "records", "with a label"), rows)


def delay_over_time(points: Sequence[DelayAt], *, name: str = "delay") -> Drawing:
    """How many days after their record labels came: the median as a line, up to nine in ten as a band."""
    start, end = _span([p.at for p in points], [p.at for p in points])
    _, high = extent([0.0, *(v for p in points for v in (p.median, p.nine_in_ten))])
    title = "Delay of labels, in days"
    legend, top = marks.key([("line-measured", "line", "median"), ("fill-measured soft", "box", "up to nine in ten")])
    axes = _axes(top + 10, start, end, 0.0, high)
    told = [(finite(p.median), finite(p.nine_in_ten)) for p in points]
    drawn = []
    for run in runs([p.at for p in points], [m is not None and n is not None for m, n in told]):
        lower = [(axes.x(points[k].at), axes.y(told[k][0] or 0.0)) for k in run]
        upper = [(axes.x(points[k].at), axes.y(told[k][1] or 0.0)) for k in run]
        drawn.append(marks.area(upper, lower, "fill-measured soft") + marks.path(lower, "line-measured"))
    for point, (middle, late) in zip(points, told, strict=True):
        if middle is not None and len(points) <= 120:
            words = f"{to_minute(point.at)}: median {figure(middle)} days, nine in ten within {figure(late)} days"
            drawn.append(marks.dot(axes.x(point.at), axes.y(middle), 4, "fill-measured", words))
    newest = next(((m, n) for m, n in reversed(told) if m is not None), None)
    alt = (
        f"Delay of labels, {to_minute(start)} to {to_minute(end)}: newest median {figure(newest[0])} days, "
        f"nine in ten within {figure(newest[1])} days." if newest else "No label came in this time."
    )  # fmt: skip
    body = legend + marks.value_axis(axes) + marks.time_axis(axes) + "".join(drawn)
    rows = tuple((p.at, m, n) for p, (m, n) in zip(points, told, strict=True))
    svg = marks.element(title, alt, axes.frame.height, body)
    return Drawing(name, title, svg, alt, ("time", "median, days", "nine in ten, days"), rows)


def _span(starts: Sequence[datetime], ends: Sequence[datetime]) -> tuple[datetime, datetime]:
    if not starts:
        return NO_TIME
    start, end = min(starts), max(ends)
    room = timedelta(0) if end - start > timedelta(hours=2) else timedelta(hours=1)
    return start - room, end + room


def _axes(top: int, start: datetime, end: datetime, low: float, high: float) -> Axes:
    frame = Frame(
        marks.WIDTH, top + _HIGH + 10 + marks.LINE, marks.left_of(low, high), marks.WIDTH - 14, top, top + _HIGH
    )
    return Axes(frame, start, end, low, high)
