"""The metric over time: measured and estimated, with interval and bound, and what happened meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from trueup.reports.pictures import marks
from trueup.reports.pictures.axes import NO_TIME, Axes, Frame, extent, finite, runs
from trueup.reports.pictures.drawing import Drawing
from trueup.storage.formatting import capitalised, figure, metric_name
from trueup.storage.timepoints import to_minute

_HIGH = 230  # of the plot
_MOST_DOTS = 120  # points from which on a line has no dots


@dataclass(frozen=True, kw_only=True)
class MetricAt:
    """The metric of one check; `low` and `high`: the interval of what was measured. Each None where it is not known.

    bound: what the metric may not pass. href: the page of the check.
    """

    at: datetime
    measured: float | None = None
    low: float | None = None
    high: float | None = None
    estimated: float | None = None
    bound: float | None = None
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Spell:
    """An incident: from when to when (None: it is open), and its words."""

    start: datetime
    end: datetime | None
    words: str


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Something that happened at one time: a promotion, a retrain. short: what stands beside its mark, such as v2."""

    at: datetime
    words: str
    short: str = ""


def metric_over_time(
    points: Sequence[MetricAt],
    *,
    metric: str,
    name: str = "metric",
    incidents: Sequence[Spell] = (),
    promotions: Sequence[Happening] = (),
    retrains: Sequence[Happening] = (),
    span: tuple[datetime, datetime] | None = None,
) -> Drawing:
    """The metric over the checks, oldest first.

    metric: as settings name it. span: the time that is shown; without it that of the points. A line is broken where a
    check has no figure, or the next is unusually far away.
    """
    start, end = span or _span(points)
    shown = [p for p in points if start <= p.at <= end]
    values = [v for p in shown for v in (p.measured, p.low, p.high, p.estimated, p.bound)]
    low, high = extent(values)
    said = capitalised(metric_name(metric))
    inside = [s for s in incidents if s.start <= end and (s.end is None or s.end >= start)]
    promoted = [h for h in promotions if start <= h.at <= end]
    trained = [h for h in retrains if start <= h.at <= end]
    legend, top = marks.key(_legend(shown, inside, promoted, trained))
    lane = top + marks.LINE // 2
    top += marks.LINE if promoted or trained else 10
    frame = Frame(
        marks.WIDTH, top + _HIGH + 10 + marks.LINE, marks.left_of(low, high), marks.WIDTH - 14, top, top + _HIGH
    )
    axes = Axes(frame, start, end, low, high)
    title = f"{said} over time"
    body = (
        legend
        + "".join(_spell(axes, spell) for spell in inside)
        + marks.value_axis(axes)
        + marks.time_axis(axes)
        + _interval(axes, shown)
        + _line(axes, shown, lambda p: p.bound, "line-bound dashed", steps=True)
        + "".join(_retrain(axes, lane, happening) for happening in trained)
        + _promotions(axes, lane, promoted)
        + _line(axes, shown, lambda p: p.estimated, "line-estimated dotted thick")
        + _line(axes, shown, lambda p: p.measured, "line-measured")
        + _dots(axes, shown)
    )
    alt = _alt(said, shown, inside, promoted, trained)
    columns = ("time", "measured", "interval from", "interval to", "estimated", "bound", "what happened")
    svg = marks.element(title, alt, frame.height, body, role="group" if any(p.href for p in shown) else "img")
    return Drawing(name, title, svg, alt, columns, _rows(shown, inside, promoted, trained))


def _span(points: Sequence[MetricAt]) -> tuple[datetime, datetime]:
    moments = [p.at for p in points]
    if not moments:
        return NO_TIME
    room = max((max(moments) - min(moments)) * 0.01, timedelta(hours=1))
    return min(moments) - room, max(moments) + room


def _legend(
    points: Sequence[MetricAt],
    incidents: Sequence[Spell],
    promotions: Sequence[Happening],
    retrains: Sequence[Happening],
) -> list[tuple[str, str, str]]:
    every = (
        (any(finite(p.measured) is not None for p in points), ("line-measured", "line", "measured")),
        (any(_both(p) for p in points), ("fill-measured soft", "box", "interval")),
        (any(finite(p.estimated) is not None for p in points), ("line-estimated dotted thick", "line", "estimated")),
        (any(finite(p.bound) is not None for p in points), ("line-bound dashed", "line", "bound")),
        (bool(incidents), ("fill-incident soft", "box", "incident")),
        (bool(promotions), ("line-promotion", "line", "promoted")),
        (bool(retrains), ("line-retrain hollow", "dot", "retrained")),
    )
    return [item for there, item in every if there]


def _both(point: MetricAt) -> bool:
    return finite(point.low) is not None and finite(point.high) is not None


def _spell(axes: Axes, spell: Spell) -> str:
    """A band over the plot, with a line at its top so that it is seen without colour."""
    f, left = axes.frame, axes.x(spell.start)
    right = axes.x(spell.end) if spell.end else float(f.right)
    until = f"to {to_minute(spell.end)}" if spell.end else "still open"
    words = f"Incident, {to_minute(spell.start)} {until}: {spell.words}"
    right = max(right, left + 3)
    return marks.box(left, f.top, right, f.bottom, "fill-incident soft", words) + marks.segment(
        left, f.top, right, f.top, "line-incident thick"
    )


def _interval(axes: Axes, points: Sequence[MetricAt]) -> str:
    drawn = []
    for run in runs([p.at for p in points], [_both(p) for p in points]):
        places = [(axes.x(points[k].at), axes.y(points[k].low or 0.0), axes.y(points[k].high or 0.0)) for k in run]
        if _at_one_moment([x for x, _, _ in places]):
            x, low, high = places[-1]
            drawn.append(marks.segment(x, low, x, high, "line-measured"))
        else:
            upper, lower = [(x, high) for x, _, high in places], [(x, low) for x, low, _ in places]
            drawn.append(marks.area(upper, lower, "fill-measured soft"))
    return "".join(drawn)


def _at_one_moment(places: Sequence[float]) -> bool:
    """Whether a line over these x would not be seen: of one check, or of several that look at one moment."""
    return places[-1] - places[0] < 1.0


def _line(
    axes: Axes,
    points: Sequence[MetricAt],
    value: Callable[[MetricAt], float | None],
    classes: str,
    *,
    steps: bool = False,
) -> str:
    values = [finite(value(p)) for p in points]
    drawn = []
    for run in runs([p.at for p in points], [v is not None for v in values]):
        places = [(axes.x(points[k].at), axes.y(values[k] or 0.0)) for k in run]
        if _at_one_moment([x for x, _ in places]):
            (x, y), wide = places[-1], 8 if steps else 3
            places = [(max(x - wide, axes.frame.left), y), (min(x + wide, axes.frame.right), y)]
        elif steps:
            halves = [((x, y), ((x + x2) / 2, y), ((x + x2) / 2, y2)) for (x, y), (x2, y2) in pairwise(places)]
            places = [*(place for half in halves for place in half), places[-1]]
        drawn.append(marks.path(places, classes))
    return "".join(drawn)


def _dots(axes: Axes, points: Sequence[MetricAt]) -> str:
    """A dot for each check, which leads to its page; a line of very many has none."""
    drawn = []
    for point in points if len(points) <= _MOST_DOTS else ():
        value = finite(point.measured)
        shown = value if value is not None else finite(point.estimated)
        if shown is None:
            continue
        classes = "fill-measured" if value is not None else "line-estimated hollow"
        mark = marks.dot(axes.x(point.at), axes.y(shown), 5, classes, _told(point))
        drawn.append(marks.linked(point.href, _told(point), mark))
    return "".join(drawn)


def _told(point: MetricAt) -> str:
    parts = [f"measured {figure(point.measured)}" if finite(point.measured) is not None else ""]
    parts.append(f"interval {figure(point.low)} to {figure(point.high)}" if _both(point) else "")
    parts.append(f"estimated {figure(point.estimated)}" if finite(point.estimated) is not None else "")
    parts.append(f"bound {figure(point.bound)}" if finite(point.bound) is not None else "")
    return f"{to_minute(point.at)}: {', '.join(filter(None, parts))}"


def _promotions(axes: Axes, lane: int, promotions: Sequence[Happening]) -> str:
    drawn, taken = [], -1.0
    for happening in sorted(promotions, key=lambda h: h.at):
        x, short = axes.x(happening.at), marks.cut_to_fit(happening.short, 120)
        drawn.append(f"<g>{marks.said(f'{to_minute(happening.at)}: {happening.words}')}")
        drawn.append(marks.segment(x, lane + 4, x, axes.frame.bottom, "line-promotion"))
        half = marks.breadth(short) * marks.EM / 2
        middle = min(max(x, half), marks.WIDTH - half)
        if happening.short and middle - half > taken:
            taken = middle + half + 8
            drawn.append(marks.text(middle, lane - 8, short, "fill-promotion middle strong"))
        drawn.append("</g>")
    return "".join(drawn)


def _retrain(axes: Axes, lane: int, happening: Happening) -> str:
    x = axes.x(happening.at)
    return marks.dot(
        x, axes.frame.bottom - 8, 6, "line-retrain hollow", f"{to_minute(happening.at)}: {happening.words}"
    )


def _alt(
    said: str,
    points: Sequence[MetricAt],
    incidents: Sequence[Spell],
    promotions: Sequence[Happening],
    retrains: Sequence[Happening],
) -> str:
    told = [(p.at, v) for p in points if (v := finite(p.measured)) is not None]
    kind = "measured"
    if not told:
        told, kind = [(p.at, v) for p in points if (v := finite(p.estimated)) is not None], "estimated"
    if not told:
        return f"{said}: no check has a figure."
    values = [v for _, v in told]
    checks = f"{len(told)} check{'s' * (len(told) != 1)}"
    words = f"{said}, {kind} in {checks}, {to_minute(told[0][0])} to {to_minute(told[-1][0])}: "
    words += f"first {figure(values[0])}, lowest {figure(min(values))}, highest {figure(max(values))}, "
    words += f"newest {figure(values[-1])}"
    bound = next((b for p in reversed(points) if (b := finite(p.bound)) is not None), None)
    words += "" if bound is None else f"; bound {figure(bound)}"
    counts = ((len(incidents), "incident"), (len(promotions), "promotion"), (len(retrains), "retrain"))
    marked = [f"{count} {noun}{'s' * (count != 1)}" for count, noun in counts if count]
    return f"{words}. Marked: {', '.join(marked)}." if marked else f"{words}."


def _rows(
    points: Sequence[MetricAt],
    incidents: Sequence[Spell],
    promotions: Sequence[Happening],
    retrains: Sequence[Happening],
) -> tuple[tuple[object, ...], ...]:
    rows: list[tuple[datetime, tuple[object, ...]]] = [
        (p.at, (p.at, finite(p.measured), finite(p.low), finite(p.high), finite(p.estimated), finite(p.bound), ""))
        for p in points
    ]
    empty = (None,) * 5
    rows += [(s.start, (s.start, *empty, f"incident opened: {s.words}")) for s in incidents]
    rows += [(s.end, (s.end, *empty, f"incident closed: {s.words}")) for s in incidents if s.end]
    rows += [(h.at, (h.at, *empty, h.words)) for h in (*promotions, *retrains)]
    return tuple(row for _, row in sorted(rows, key=lambda pair: pair[0]))
