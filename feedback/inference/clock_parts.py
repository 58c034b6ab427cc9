"""Times that stand in several columns: a date and a time of day, a date and an hour, year, month and day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from trueup.feedback.inference.clock_columns import TimeColumn
from trueup.feedback.inference.names import name_words
from trueup.feedback.inference.summary import ColumnSummary, TableSummary
from trueup.feedback.inference.time_names import TimeName, date_part, time_name
from trueup.feedback.inference.time_readings import ENOUGH, TimeReading, readings_of, said_cells
from trueup.feedback.times.reading import read_times
from trueup.feedback.times.time_columns import joined

_CLOCK = re.compile(
    r"\d{1,2}(?:[:.h]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?(?:\s?[ap]\.?\s?m\.?)?|\s?[ap]\.?m\.?)", re.IGNORECASE
)
_MIDNIGHTS = 25        # hours that a day can have, where the clock is set back
_PARTS = "YqmdHMS"
_RANGES = {"Y": (1900, 2100), "q": (1, 4), "m": (1, 12), "d": (1, 31), "H": (0, 24), "M": (0, 59), "S": (0, 59)}


def with_time_of_day(day: TimeColumn, table: TableSummary) -> TimeColumn | None:
    """A date with the time of day or the hour that stands in a column of its own; None where none does."""
    options = [c for c in table.columns if c.name not in day.columns and (_is_clock(c) or is_hour(c))]
    if not options:
        return None
    own = set(name_words(day.columns[0]))
    column = max(options, key=lambda c: (len(own & set(name_words(c.name))), _is_clock(c), -table.columns.index(c)))
    columns = (*day.columns, column.name)
    texts = list(joined(table.sample, columns))
    if is_hour(column) and np.nanmax(column.quantities) >= _MIDNIGHTS:
        counted = tuple(_counted(reading, texts) for reading in day.readings)
        readings = tuple(r for r in counted if r.read >= ENOUGH)
    else:
        readings = tuple(r for r in readings_of(texts) if not r.days)
        readings = tuple(r for r in readings if any(_same_day(r, d) for d in day.readings))
    if not readings:
        return None
    filled = sum(t is not None for t in texts) / max(1, len(texts))
    return replace(day, columns=columns, readings=readings, filled=filled)


def _counted(reading: TimeReading, texts: Sequence[str | None]) -> TimeReading:
    """A day's reading with hours that are counted since its beginning, up to 25."""
    formats = tuple(("%Y-%m-%d" if f in ("", "iso") else f) + " {hour}" for f in reading.formats)
    times = read_times(texts, formats, reading.locale, reading.zone).last
    known = sum(t is not None for t in texts)
    counts = (int((~np.isnat(times)).sum()),)
    return replace(reading, formats=formats, times=times, counts=counts, read=counts[0] / max(1, known))


def _same_day(time: TimeReading, day: TimeReading) -> bool:
    both = ~np.isnat(time.times) & ~np.isnat(day.times)
    apart = np.abs(time.times[both] - day.times[both])
    return bool(both.any()) and bool((apart <= np.timedelta64(2, "D")).mean() >= ENOUGH)


def _is_clock(column: ColumnSummary) -> bool:
    """Whether a column holds times of day: 18:30, 18.30.00, 6:30 PM; never a price or a duration by its name."""
    values = [v for v in said_cells(column.values) if v is not None]
    name = time_name(column.name)
    if not values or name.span or sum(_CLOCK.fullmatch(v) is not None for v in values) < ENOUGH * len(values):
        return False
    numeric = ":" not in values[0] and "m" not in values[0].lower() and values[0].count(".") < 2
    return (name.called or date_part(column.name)[0] == "H") if numeric else True


def is_hour(column: ColumnSummary) -> bool:
    """Whether a column is called an hour and holds whole hours of a day."""
    part, _ = date_part(column.name)
    numbers = column.quantities[~np.isnan(column.quantities)]
    if part != "H" or not len(numbers) or len(numbers) < ENOUGH * len(column.values):
        return False
    whole = bool(np.all(numbers == np.round(numbers)))
    return whole and float(numbers.min()) >= 0 and float(numbers.max()) <= _MIDNIGHTS and column.distinct > 1


def from_parts(table: TableSummary) -> tuple[TimeColumn, ...]:
    """Times whose year, month, day and hour stand in columns of their own."""
    groups: dict[tuple[str, ...], dict[str, ColumnSummary]] = {}
    for column in table.columns:
        part, rest = date_part(column.name)
        if part and _in_range(column, part):
            groups.setdefault(rest, {}).setdefault(part, column)
    found = [_composed(parts, table) for parts in groups.values() if "Y" in parts and parts.keys() & {"m", "q"}]
    return tuple(one for one in found if one is not None)


def _in_range(column: ColumnSummary, part: str) -> bool:
    numbers = column.quantities[~np.isnan(column.quantities)]
    if part == "m" and not len(numbers):
        return column.filled > 0  # names of months
    low, high = _RANGES[part]
    if len(numbers) < ENOUGH * max(1, len(column.values)) or not len(numbers):
        return False
    return float(numbers.min()) >= low and float(numbers.max()) <= high and bool(np.all(numbers == np.round(numbers)))


def _composed(parts: dict[str, ColumnSummary], table: TableSummary) -> TimeColumn | None:
    kept = []
    for part in _PARTS:
        if part in parts and not (part == "q" and "m" in parts):
            kept.append(parts[part])
        elif part in "mdHM" and not (part == "m" and "q" in parts):
            break  # an hour without its day says nothing
    columns = tuple(column.name for column in kept)
    texts = pd.Series(joined(table.sample, columns), dtype="object")
    if "q" in parts and "m" not in parts:
        times = read_times(list(texts), "%Y {quarter}").last
        counts = int((~np.isnat(times)).sum())
        readings: tuple[TimeReading, ...] = (TimeReading(("%Y {quarter}",), "", "", times, (counts,), 1.0),)
    else:
        readings = readings_of(list(texts))
    if not readings or len(columns) < 2:
        return None
    filled = float(texts.notna().mean())
    stage = time_name(columns[0]).stage
    name = TimeName(called=True, hinted=True, stage="" if stage == "made" else stage, span=False)
    return TimeColumn(columns, readings, name, filled)


