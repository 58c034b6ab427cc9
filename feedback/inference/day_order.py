"""Which of several readings of a column is meant, by evidence in the file alone: day or month first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from trueup.feedback.inference.clock_columns import ORDERED, TimeColumn
from trueup.feedback.inference.time_readings import TimeReading
from trueup.storage.formatting import percent
from trueup.storage.timepoints import utc

_NEAR = np.timedelta64(36, "h")  # of another column's time: the same day in any zone
_AGREE, _DIFFER = 0.95, 0.5
_OUT_OF_ORDER = 0.95             # of the steps: fewer go one way where rows do not stand in this order
_AHEAD = timedelta(days=1)
_SLIPS = 0.001


def in_their_order(columns: Sequence[TimeColumn], now: datetime | None) -> tuple[TimeColumn, ...]:
    """The columns, each with the reading that evidence leaves; where there is none, as they were."""
    done = [_decided(column, [c for c in columns if c.decided], now) for column in columns]
    return tuple(column if column.decided else _as_beside(column, [c for c in done if c.decided]) for column in done)


def _decided(column: TimeColumn, beside: Sequence[TimeColumn], now: datetime | None) -> TimeColumn:
    if column.decided:
        return column
    for judge in (
        lambda readings: _by_another(readings, beside), _by_order, _by_step, lambda readings: _by_now(readings, now),
    ):  # fmt: skip
        reading, evidence = judge(column.readings)
        if reading is not None:
            return replace(column, readings=(reading,), evidence=evidence)
    return column


def _by_another(readings: Sequence[TimeReading], beside: Sequence[TimeColumn]) -> tuple[TimeReading | None, str]:
    """The reading that agrees with another column's time, where the others do not."""
    for other in beside:
        agreed = [_agreement(reading.times, other.times) for reading in readings]
        best = int(np.argmax(agreed))
        if agreed[best] >= _AGREE and all(a < _DIFFER for k, a in enumerate(agreed) if k != best):
            return readings[best], f"{other.label} gives the same time in {percent(agreed[best])} of the rows"
    return None, ""


def _agreement(times: np.ndarray, others: np.ndarray) -> float:
    both = ~np.isnat(times) & ~np.isnat(others)
    return float((np.abs(times[both] - others[both]) <= _NEAR).mean()) if both.any() else 0.0


def _by_order(readings: Sequence[TimeReading]) -> tuple[TimeReading | None, str]:
    """The reading in whose order the rows stand, where they do not in that of the others."""
    best = max(readings, key=lambda r: r.order)
    if best.order >= ORDERED and all(r.order < _OUT_OF_ORDER for r in readings if r is not best):
        return best, "in this format the rows are in order of time"
    return None, ""


def _by_step(readings: Sequence[TimeReading]) -> tuple[TimeReading | None, str]:
    """The only reading by which all rows are as far apart, by less than a day: months may be as even as days are."""
    even = [r for r in readings if timedelta() < r.step < _AHEAD]
    return (even[0], f"in this format all rows are {_span(even[0].step)} apart") if len(even) == 1 else (None, "")


def _span(step: timedelta) -> str:
    seconds = step.total_seconds()
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _by_now(readings: Sequence[TimeReading], now: datetime | None) -> tuple[TimeReading | None, str]:
    """The only reading by which no time is yet to come."""
    if now is None:
        return None, ""
    latest = np.datetime64(utc(now + _AHEAD).replace(tzinfo=None), "us")
    ahead = [float((r.times[~np.isnat(r.times)].astype("M8[D]") > latest).mean()) for r in readings]
    left = [r for r, share in zip(readings, ahead, strict=True) if share == 0]
    if len(left) == 1 and all(share > _SLIPS for share in ahead if share):
        return left[0], "in the other order some times would be in the future"
    return None, ""


def _as_beside(column: TimeColumn, decided: Sequence[TimeColumn]) -> TimeColumn:
    """As another column of the file is read that is written in the same way."""
    fitting = [(reading, other) for reading in column.readings for other in decided
               if _written_alike(reading, other.readings[0])]  # fmt: skip
    if fitting and all(reading is fitting[0][0] for reading, _ in fitting):
        return replace(column, readings=(fitting[0][0],), evidence=f"{fitting[0][1].label} is written in this format")
    return column


def _written_alike(one: TimeReading, other: TimeReading) -> bool:
    return one.formats == other.formats and one.locale == other.locale
