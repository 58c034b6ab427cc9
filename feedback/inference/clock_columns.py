"""Which columns of a file are times, each with the ways in which it can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trueup.feedback.inference.names import name_words
from trueup.feedback.inference.summary import ColumnSummary, TableSummary
from trueup.feedback.inference.time_names import TimeName, time_name
from trueup.feedback.inference.time_readings import (
    ENOUGH,
    TimeReading,
    is_absent,
    number_readings,
    readings_of,
    said_cells,
)
from trueup.feedback.times.time_formats import EPOCHS, EXCEL, EXCEL_DAY

ORDERED = 0.995        # of the steps from row to row: so many go one way where rows stand in the order of a time
_NEAR = np.timedelta64(400, "D")  # of a record's time: a count that lies so near in each row is another time
_ALONG, _VARIED = 0.9, 10
_LEAST = 30_000        # a serial of 1982, and less than any count or date in digits
_LONG_TEXTS = 15       # words of a value on average: a text may speak of a time, and is none
_LONG_SENTENCES = 10   # of a sentence that tells a time and little else
_DIFFER = 0.5          # of the values of an unnamed count: a clock hardly ever says the same twice
_NO_CLOCK = frozenset({
    "phone", "tel", "telephone", "fax", "cell", "telefon", "mobile",
    "id", "ids", "number", "no", "nr", "isbn", "ean", "upc", "asin", "sku",
    "amount", "price", "salary", "income", "pay", "wage", "zip", "plz", "postcode", "code", "user", "account", "size",
    "gehalt", "preis", "betrag", "version", "ver", "v", "build", "release", "index", "row", "population", "views",
    "bytes", "total", "count", "counter", "sum",
})  # fmt: skip


@dataclass(frozen=True)
class TimeColumn:
    """One time of a file: a column, or several that make one (a date and an hour), and how it can be read.

    readings: the likeliest first; several where the column itself does not say which is meant. filled: share of the
    rows that have it. evidence: what decided between readings, in words. unnamed: numbers that only by the order of
    the rows could count time, as numbers of orders or tweets could.
    """

    columns: tuple[str, ...]
    readings: tuple[TimeReading, ...]
    name: TimeName
    filled: float
    evidence: str = ""
    unnamed: bool = False

    @property
    def decided(self) -> bool:
        """Whether one way of reading is left."""
        return len(self.readings) == 1

    @property
    def times(self) -> np.ndarray:
        """By the likeliest reading: datetime64[us] of shape (n sampled,)."""
        return self.readings[0].times

    @property
    def label(self) -> str:
        """The columns as a sentence names them."""
        return " and ".join(f"'{c}'" for c in self.columns)


def time_columns_of(table: TableSummary) -> tuple[TimeColumn, ...]:
    """Every column whose values can be times, in the file's order."""
    return tuple(found for column in table.columns if (found := _time_column(column, table)) is not None)


def times_beside(
    time: TimeColumn, table: TableSummary, known: Sequence[TimeColumn]
) -> tuple[TimeColumn, ...]:
    """Columns of numbers without a name that tells, whose values count times near those of a known column."""
    taken = {c for one in (time, *known) for c in one.columns}
    found = []
    for column in table.columns:
        if column.name in taken or not column.filled or column.typed or not (_is_numeric(column) and _is_large(column)):
            continue
        readings = [r for r in number_readings(column.sample) if set(r.formats) & set(EPOCHS)]
        for reading in readings[:1]:
            both = ~np.isnat(reading.times) & ~np.isnat(time.times)
            if both.any() and _go_along(time.times[both], reading.times[both]):
                filled = column.filled / column.rows
                found.append(TimeColumn((column.name,), (reading,), time_name(column.name), filled))
    return tuple(found)


def _go_along(times: np.ndarray, counts: np.ndarray) -> bool:
    """Whether counts lie near times and rise with them: numbers of orders may lie near, and stand still."""
    if (np.abs(counts - times) <= _NEAR).mean() < ENOUGH or len(np.unique(times)) < _VARIED:
        return False
    first, second = (t.astype("M8[s]").astype(np.int64).astype(float) for t in (times, counts))
    return bool(np.ptp(second)) and float(np.corrcoef(first, second)[0, 1]) >= _ALONG


def _time_column(column: ColumnSummary, table: TableSummary) -> TimeColumn | None:
    if not column.filled:
        return None
    name = time_name(column.name)
    if column.typed == "time":
        readings = readings_of(column.sample, typed=True)
    elif _is_numeric(column):
        readings = number_readings(column.sample) if _is_large(column) else ()
        readings = tuple(r for r in readings if _counts_time(column, name, r))
    elif column.words > _LONG_TEXTS:
        return None
    else:
        readings = tuple(r for r in readings_of(column.sample) if _means_time(column, name, r))
    if not readings:
        return None
    filled = sum(v is not None for v in said_cells(column.sample)) / max(1, len(column.sample))
    unnamed = not name.dated and bool(set(readings[0].formats) & set(EPOCHS))
    return TimeColumn((column.name,), readings, name, filled, unnamed=unnamed)


def _is_numeric(column: ColumnSummary) -> bool:
    said = column.filled - sum(n for value, n in column.counts.items() if is_absent(value))
    return said > 0 and column.numbers >= ENOUGH * said


def _is_large(column: ColumnSummary) -> bool:
    return float(np.nanmedian(column.quantities)) >= _LEAST


def _counts_time(column: ColumnSummary, name: TimeName, reading: TimeReading) -> bool:
    """Whether numbers that could be times are: by their name, or as rows stand in their order."""
    foreign = bool(set(name_words(column.name)) & _NO_CLOCK) and not name.called
    counted = bool(set(reading.formats) & {EXCEL, EXCEL_DAY, *EPOCHS})
    if (name.dated if counted else name.hinted) and not name.span and not foreign:
        return True
    if foreign or set(reading.formats) & {EXCEL, EXCEL_DAY}:
        return False
    steps = np.diff(column.quantities[~np.isnan(column.quantities)])
    counts_up = len(steps) > 0 and float((np.abs(steps) == 1).mean()) > _DIFFER
    unlike = column.distinct >= _DIFFER * column.filled or not set(reading.formats) & set(EPOCHS)
    return reading.order >= ORDERED and unlike and not counts_up


def _means_time(column: ColumnSummary, name: TimeName, reading: TimeReading) -> bool:
    """Whether what is written like a time is one, and no version, code or text that names one."""
    around = sum(f.startswith("*") + f.endswith("*") for f in reading.formats)
    if set(name_words(column.name)) & _NO_CLOCK and not name.called and (reading.weak or around):
        return False
    if name.hinted:
        return True
    if around > len(reading.formats) or (around and column.words > _LONG_SENTENCES):
        return False
    return not reading.weak or (reading.order >= ORDERED and column.distinct > 2)
