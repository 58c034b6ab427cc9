"""Axes of a drawing: where times and values lie in it, round ticks, and calendar ticks that do not run together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median

TICKS = 6  # at most, on either axis
NO_TIME = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 1, 2, tzinfo=UTC))  # of a drawing that shows nothing
_LARGEST = 1e290  # beyond it differences overflow
_HOURS = (1, 3, 6, 12)
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600)
_GAP = 2.5  # times the usual distance between neighbours, from which on no line joins them
_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k"))


@dataclass(frozen=True)
class Frame:
    """A drawing and the plot within it, in SVG units."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int


@dataclass(frozen=True)
class Axes:
    """Where times and values lie in a frame; two drawings with equal axes can be compared by eye."""

    frame: Frame
    start: datetime
    end: datetime
    low: float
    high: float

    def x(self, moment: datetime) -> float:
        """The place of a moment; one outside of the axes lies on their edge."""
        span = (self.end - self.start) / timedelta(seconds=1) or 1.0
        share = min(max((moment - self.start) / timedelta(seconds=1) / span, 0.0), 1.0)
        return round(self.frame.left + share * (self.frame.right - self.frame.left), 1)

    def y(self, value: float) -> float:
        """The place of a value; one outside of the axes lies on their edge."""
        share = min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)
        return round(self.frame.bottom - share * (self.frame.bottom - self.frame.top), 1)


@dataclass(frozen=True)
class Tick:
    """A place on an axis and what stands there."""

    at: float
    words: str


def finite(value: float | None) -> float | None:
    """The value as an axis can hold it; None for none, for NaN and for infinities."""
    return min(max(float(value), -_LARGEST), _LARGEST) if value is not None and math.isfinite(value) else None


def extent(values: Iterable[float | None], room: float = 0.08) -> tuple[float, float]:
    """Bounds of an axis that holds every value, with a little room above and below; 0 to 1 without any."""
    known = [value for value in map(finite, values) if value is not None]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    wide = max((high - low) * room, abs(high) * 1e-9) if high > low else max(abs(high) * 0.05, 0.01)
    return low - wide, high + wide


def nice(low: float, high: float, most: int = TICKS) -> tuple[float, ...]:
    """Round values from `low` to `high`, at most `most` of them."""
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * k for k in (1, 2, 2.5, 5, 10) if power * k >= rough)
    return tuple(k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1))


def tick_words(value: float) -> str:
    """A value of an axis, short: 0.85, 1,200, 15k, 2.5M."""
    for size, unit in _UNITS:
        if size <= abs(value) < 1e15:
            return f"{value / (1e3 if unit == 'k' else size):.4g}{unit}"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e4 and value == int(value) else f"{value:.5g}"


def calendar(start: datetime, end: datetime, most: int = TICKS) -> tuple[tuple[datetime, str], ...]:
    """Full hours, days or months from `start` to `end`, each with its words; at most `most`, and never none."""
    span = end - start
    for hours in _HOURS:
        if span <= timedelta(hours=hours * (most - 1)):
            return _even(start, end, timedelta(hours=hours), "%m-%d %H:%M")
    for days in _DAYS:
        if span <= timedelta(days=days * (most - 1)):
            return _even(start, end, timedelta(days=days), "%Y-%m-%d")
    months = next((m for m in _MONTHS if span <= timedelta(days=28 * m * (most - 1))), 1200)
    first = start.year * 12 + start.month - 1
    counted = range(-(-first // months) * months, end.year * 12 + end.month, months)
    found = [datetime(k // 12, k % 12 + 1, 1, tzinfo=start.tzinfo) for k in counted if 12 <= k < 120_000]
    inside = tuple((moment, f"{moment:%Y-%m}") for moment in found if start <= moment <= end)
    return inside or ((start, f"{start:%Y-%m-%d}"),)


def _even(start: datetime, end: datetime, step: timedelta, form: str) -> tuple[tuple[datetime, str], ...]:
    origin = datetime(2001, 1, 1, tzinfo=start.tzinfo)  # a Monday
    first = origin + -((origin - start) // step) * step
    steps = range(max(0, (end - first) // step + 1)) if first <= end else range(0)
    return tuple((first + k * step, (first + k * step).strftime(form)) for k in steps) or (
        (start, start.strftime("%m-%d %H:%M")),
    )


def runs(moments: Sequence[datetime], known: Sequence[bool]) -> list[list[int]]:
    """The places of a line in pieces: it ends where a value is missing, or the next is unusually far away.

    How far is usual is told by those that are apart: several may be of one moment.
    """
    distances = [(b - a) / timedelta(seconds=1) for a, b in pairwise(moments)]
    apart = [distance for distance in distances if distance]
    widest = _GAP * median(apart) if apart else 0.0
    found: list[list[int]] = []
    joined = False
    for k, is_known in enumerate(known):
        if k and distances[k - 1] > widest:
            joined = False
        if is_known:
            found = [*found[:-1], [*found[-1], k]] if joined else [*found, [k]]
        joined = is_known
    return found
