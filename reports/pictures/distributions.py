"""Reference against current: the distribution of a number or a time, and the shares of classes or levels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from trueup.reports.pictures import marks
from trueup.reports.pictures.axes import NO_TIME, Axes, Frame, extent, finite
from trueup.reports.pictures.drawing import Drawing
from trueup.storage.formatting import figure, percent, percent_change
from trueup.storage.timepoints import to_minute

_HIGH = 190  # of the plot of a distribution
_MOST = 12  # levels; the rest is one bar
SIDES = ("reference", "current")
_LINES = ("line-reference dashed", "line-current")
_OTHERS = "{} others"


@dataclass(frozen=True, kw_only=True)
class LevelShares:
    """A class or level with its shares of both sides, in [0, 1]; None: that side has no records at all."""

    words: str
    reference: float | None
    current: float | None


def distribution_pair(
    edges: Sequence[float] | Sequence[datetime],
    reference: Sequence[float],
    current: Sequence[float],
    *,
    name: str,
    title: str,
    sides: tuple[str, str] = SIDES,
) -> Drawing:
    """Two distributions over common bins, as shares of either side.

    edges: n + 1 rising bounds, numbers or times. reference, current: n counts, or nothing but zeros for an empty side.
    Bins of unequal width are drawn as shares for a common width, so that areas stay comparable.
    """
    places = [edge.timestamp() if isinstance(edge, datetime) else float(edge) for edge in edges]
    shares = {side: _shares(counts) for side, counts in zip(sides, (reference, current), strict=True)}
    widths = [b - a for a, b in pairwise(places)]
    unit = min((w for w in widths if w > 0), default=1.0)
    even = all(w <= unit * 1.001 for w in widths)
    heights = [
        None
        if side is None
        else [share if even or not w else share * unit / w for share, w in zip(side, widths, strict=True)]
        for side in shares.values()
    ]
    tallest = max((h for side in heights if side for h in side), default=0.0) or 1.0
    times = [edge for edge in edges if isinstance(edge, datetime)]
    legend, top = marks.key(
        [(classes, "line", marks.cut_to_fit(side, 640)) for classes, side in zip(_LINES, sides, strict=True)]
    )
    for note in _notes(shares, "" if even else f"{unit / 86_400:.3g} days" if times else figure(unit)):
        legend += marks.text(0, top + marks.LINE // 2, note, "muted")
        top += marks.LINE
    left = marks.left_of(0.0, tallest * 1.05, _percents)
    frame = Frame(marks.WIDTH, top + 10 + _HIGH + 10 + marks.LINE, left, marks.WIDTH - 14, top + 10, top + 10 + _HIGH)
    start, end = (times[0], times[-1]) if times else NO_TIME
    axes = Axes(frame, start, end, 0.0, tallest * 1.05)
    body = (
        legend
        + marks.value_axis(axes, _percents)
        + _filled(axes, places, heights[1])
        + (marks.time_axis(axes) if times else marks.number_axis(frame, *_ends(places)))
        + _outlined(axes, places, heights[0])
        + _pointed(axes, edges, places, shares)
    )
    alt = _distribution_alt(title, edges, shares)
    rows = tuple(
        (edges[k], edges[k + 1], *(None if side is None else round(side[k], 6) for side in shares.values()))
        for k in range(len(widths))
    )
    svg = marks.element(title, alt, frame.height, body)
    return Drawing(name, title, svg, alt, ("from", "to", *(f"share of {side}" for side in sides)), rows)


def _notes(shares: Mapping[str, list[float] | None], unit: str) -> list[str]:
    missing = [side for side, values in shares.items() if values is None]
    return [f"no {side} records" for side in missing] + ([f"share for each {unit}"] if unit else [])


def _shares(counts: Sequence[float]) -> list[float] | None:
    known = [max(finite(count) or 0.0, 0.0) for count in counts]
    total = sum(known)
    return [count / total for count in known] if total else None


def _ends(places: Sequence[float]) -> tuple[float, float]:
    return (places[0], places[-1]) if len(places) > 1 and places[-1] > places[0] else extent(places)


def _percents(value: float) -> str:
    return f"{100 * value:.3g} %"


def _x(axes: Axes, places: Sequence[float], value: float) -> float:
    low, high = _ends(places)
    share = (value - low) / (high - low)
    return round(axes.frame.left + min(max(share, 0.0), 1.0) * (axes.frame.right - axes.frame.left), 1)


def _stairs(axes: Axes, places: Sequence[float], heights: Sequence[float]) -> list[tuple[float, float]]:
    base = float(axes.frame.bottom)
    steps = [(_x(axes, places, places[0]), base)]
    for k, height in enumerate(heights):
        steps += [(_x(axes, places, places[k]), axes.y(height)), (_x(axes, places, places[k + 1]), axes.y(height))]
    return [*steps, (_x(axes, places, places[-1]), base)]


def _filled(axes: Axes, places: Sequence[float], heights: Sequence[float] | None) -> str:
    if not heights:
        return ""
    stairs = _stairs(axes, places, heights)
    return marks.area(stairs, [], "fill-current soft") + marks.path(stairs, "line-current")


def _outlined(axes: Axes, places: Sequence[float], heights: Sequence[float] | None) -> str:
    return marks.path(_stairs(axes, places, heights), "line-reference dashed") if heights else ""


def _pointed(
    axes: Axes,
    edges: Sequence[float] | Sequence[datetime],
    places: Sequence[float],
    shares: Mapping[str, list[float] | None],
) -> str:
    """What a bin says when pointed at."""
    drawn = []
    for k in range(len(places) - 1):
        sides = [f"{side} {percent(values[k])}" for side, values in shares.items() if values]
        words = f"{_edge(edges[k])} to {_edge(edges[k + 1])}: {', '.join(sides) or 'no records'}"
        left, right = _x(axes, places, places[k]), _x(axes, places, places[k + 1])
        drawn.append(marks.box(left, axes.frame.top, right, axes.frame.bottom, "unseen", words))
    return "".join(drawn)


def _edge(edge: float | datetime) -> str:
    return to_minute(edge) if isinstance(edge, datetime) else figure(edge)


def _distribution_alt(
    title: str, edges: Sequence[float] | Sequence[datetime], shares: Mapping[str, list[float] | None]
) -> str:
    told = []
    for side, values in shares.items():
        if values is None:
            told.append(f"no {side} records")
        else:
            k = max(range(len(values)), key=lambda place: values[place])
            told.append(f"{side} most often {_edge(edges[k])} to {_edge(edges[k + 1])} ({percent(values[k])})")
    return f"{title}: {'; '.join(told)}."


def in_one_order(reference: Mapping[str, float], current: Mapping[str, float]) -> tuple[LevelShares, ...]:
    """Counts of levels as shares, in the order that all windows against one reference share.

    The largest of the reference first, equal ones by name; what only the current side has follows, by name.
    """
    known = [{key: max(finite(count) or 0.0, 0.0) for key, count in side.items()} for side in (reference, current)]
    totals = [math.fsum(side.values()) for side in known]
    names = sorted({*reference, *current}, key=lambda level: (-known[0].get(level, 0.0), level))
    return tuple(
        LevelShares(
            words=level,
            reference=known[0].get(level, 0.0) / totals[0] if totals[0] else None,
            current=known[1].get(level, 0.0) / totals[1] if totals[1] else None,
        )
        for level in names
    )


def levels_pair(levels: Sequence[LevelShares], *, name: str, title: str, sides: tuple[str, str] = SIDES) -> Drawing:
    """Two bars a level, in the order given; levels beyond the twelfth are one."""
    shown = _pooled(levels)
    most = max((v for level in shown for v in (level.reference, level.current) if v), default=0.0) or 1.0
    labels = [marks.cut_to_fit(level.words, 225) for level in shown]
    left = round(max((marks.breadth(label) for label in labels), default=1.0) * marks.EM) + 14
    words = [_change(level, sides) for level in shown]
    right = marks.WIDTH - round(max((marks.breadth(w) for w in words), default=1.0) * marks.EM) - 14
    legend, top = marks.key(
        [(f"fill-{colour}", "box", marks.cut_to_fit(side, 640)) for colour, side in zip(SIDES, sides, strict=True)]
    )
    high = 42
    drawn = [legend]
    for k, level in enumerate(shown):
        middle = top + 12 + high * k + high // 2
        told = f"{level.words}: {sides[0]} {_share(level.reference)}, {sides[1]} {_share(level.current)}"
        drawn.append(f"<g>{marks.said(told)}{marks.text(left - 12, middle, labels[k], 'end')}")
        for side, value, place in (("reference", level.reference, -13), ("current", level.current, 1)):
            if value is not None:
                wide = round(max(value / most, 0.0) * (right - left), 1)
                drawn.append(
                    marks.box(left, middle + place, left + max(wide, 1.0), middle + place + 12, f"fill-{side}")
                )
        drawn.append(
            marks.text(marks.WIDTH, middle, words[k], f"muted end{' strong' * (level.current != level.reference)}")
            + "</g>"
        )
    bottom = top + 12 + high * len(shown)
    drawn.append(marks.segment(left, top + 8, left, bottom, "line-axis thin"))
    alt = (
        f"{title}: "
        + ("; ".join(f"{level.words} {_change(level, sides)}" for level in shown) or "no records on either side")
        + "."
    )
    rows = tuple((level.words, level.reference, level.current) for level in levels)
    svg = marks.element(title, alt, bottom + 12, "".join(drawn))
    return Drawing(name, title, svg, alt, ("level", *(f"share of {side}" for side in sides)), rows)


def _pooled(levels: Sequence[LevelShares]) -> list[LevelShares]:
    levels = [LevelShares(words=v.words, reference=finite(v.reference), current=finite(v.current)) for v in levels]
    if len(levels) <= _MOST:
        return list(levels)
    rest = levels[_MOST - 1 :]
    sums = [
        None if all(v is None for v in side) else math.fsum(v for v in side if v is not None)
        for side in ([v.reference for v in rest], [v.current for v in rest])
    ]
    return [*levels[: _MOST - 1], LevelShares(words=_OTHERS.format(len(rest)), reference=sums[0], current=sums[1])]


def _share(value: float | None) -> str:
    return "no records" if value is None else percent(value)


def _change(level: LevelShares, sides: tuple[str, str]) -> str:
    if level.reference is None and level.current is None:
        return "no records"
    if level.reference is None:
        return f"{_share(level.current)}, no {sides[0]}"
    if level.current is None:
        return f"{_share(level.reference)}, no {sides[1]}"
    if not level.reference and level.current:
        return f"new: {percent(level.current)}"
    if level.reference and not level.current:
        return f"gone: {percent(level.reference)}"
    return percent_change(level.reference, level.current)
