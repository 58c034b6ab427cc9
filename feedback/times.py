"""Event times from columns: ISO 8601 or a declared format, never a guess.

A value that names only a year, a month or a day means its end; naive times are UTC. A column that does not follow its
format, or follows several, is refused by name before anything is stored; a single bad value only costs its row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from trueup.feedback.chunks import Chunk, object_array
from trueup.feedback.time_formats import ISO, grain
from trueup.feedback.values import plain
from trueup.storage.errors import InputError
from trueup.storage.stream import OrderTime, StreamSettings
from trueup.storage.timepoints import utc

_CLOCK = r"[T ]\d{2}(?::?\d{2}(?::?\d{2}(?:[.,]\d+)?)?)?(?: ?(?:Z|z|[+-]\d{2}(?::?\d{2})?))?"
_ISO = re.compile(rf"\d{{4}}-\d{{2}}(?:-\d{{2}}(?:{_CLOCK})?)?")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}")
_NAT = np.datetime64("NaT", "us")
_MIXED_SHARE = 0.01  # of the values: above it another format is no slip of the pen
_KEPT = 1000         # unreadable values that are looked at more closely

_DAYS = (
    "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d/%m/%y",
    "%m/%d/%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d-%b-%y",
)
KNOWN_FORMATS = (
    *(day + clock for day in _DAYS for clock in ("", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p")),
    "%b %Y", "%B %Y", "%m/%Y", "%b-%Y", "%b-%y", "%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S %z",
)


@dataclass(frozen=True)
class Times:
    """n times, datetime64[us] of shape (n,), NaT where unreadable: the first and the last tick that the value means.

    The event time is `last`; `first` differs from it where the value names a whole year, month or day.
    """

    first: np.ndarray
    last: np.ndarray


def read_times(texts: Sequence[str | None] | np.ndarray, time_format: str = ISO) -> Times:
    """Read n values by one format: a strptime format, or ISO 8601 where it is empty."""
    values = pd.Series(texts, dtype="object")
    if time_format == ISO:
        fits = np.array([v is not None and _ISO.fullmatch(v) is not None for v in values], dtype=bool)
        parsed = _parsed(values.where(fits), "ISO8601", fits)
        lengths = np.array([len(v) if ok else 0 for v, ok in zip(values, fits, strict=True)])
        grains = np.select([lengths == 7, lengths == 10], ["M", "D"], default="")
    else:
        present = values.notna().to_numpy(dtype=bool)
        parsed = _parsed(values, time_format, present)
        grains = np.full(len(values), grain(time_format))
    last = parsed.copy()
    for unit in ("Y", "M", "D"):
        whole = (grains == unit) & ~np.isnat(parsed)
        last[whole] = (parsed[whole].astype(f"M8[{unit}]") + 1).astype("M8[us]") - np.timedelta64(1, "us")
    return Times(parsed, last)


def fitting_formats(value: str) -> tuple[str, ...]:
    """The well-known formats that read a value; several mean that it is ambiguous."""
    return tuple(f for f in (ISO, *KNOWN_FORMATS) if _exact(value, f) is not None)


def joined(table: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """The columns of a time as one text a row, None where one is missing; a bare hour number gets two digits."""
    parts = [[plain(v) for v in table[c]] if c in table else [None] * len(table) for c in columns]
    if len(parts) > 1:
        parts[-1] = [f"0{v}" if v is not None and len(v) == 1 and v.isdigit() else v for v in parts[-1]]
    return object_array([None if None in row else " ".join(row) for row in zip(*parts, strict=True)])


def event_times(stream: StreamSettings, chunk: Chunk) -> Times:
    """The event times of a chunk's rows by the stream's declaration; a column that the file types as time is exact."""
    typed = set(stream.time_columns) <= chunk.typed
    return read_times(joined(chunk.table, stream.time_columns), ISO if typed else stream.time_format)


def arrivals(stream: StreamSettings, chunk: Chunk) -> np.ndarray:
    """When the labels of a chunk's rows were known, NaT where unreadable or empty: by `time_format`, or as ISO 8601."""
    texts = joined(chunk.table, [stream.label.arrived])
    read = read_times(texts, stream.time_format).last if isinstance(stream.time, str) else read_times(texts).last
    return np.where(np.isnat(read), read_times(texts).last, read)


@dataclass
class _Column:
    """What was seen of one time column so far."""

    read: int = 0
    unread: int = 0
    kept: list[tuple[int, str]] = field(default_factory=list)

    def add(self, texts: np.ndarray, times: np.ndarray, lines: np.ndarray) -> None:
        bad = np.isnat(times) & np.array([t is not None for t in texts], dtype=bool)
        self.read += int((~np.isnat(times)).sum())
        self.unread += int(bad.sum())
        room = _KEPT - len(self.kept)
        self.kept += [(int(lines[k]), str(texts[k])) for k in np.flatnonzero(bad)[:room]]


def survey(stream: StreamSettings, chunks: Iterable[Chunk], name: str) -> int:
    """Look through a whole file's times before anything is stored; the number of its rows and broken lines.

    Raises:
        InputError: a time column that cannot be read, is empty, or holds several formats; the message names the
            column, a value and its line, and says which `time_format` would read it.
    """
    event, arrived, rows, broken = _Column(), _Column(), 0, 0
    for chunk in chunks:
        rows += len(chunk)
        broken += len(chunk.broken)
        if not isinstance(stream.time, OrderTime):
            event.add(joined(chunk.table, stream.time_columns), event_times(stream, chunk).last, chunk.lines)
        if stream.label.arrived:
            arrived.add(joined(chunk.table, [stream.label.arrived]), arrivals(stream, chunk), chunk.lines)
    if not isinstance(stream.time, OrderTime):
        column = "', '".join(stream.time_columns)
        _judge(event, column, stream.time_format, name)
        if rows and not event.read:
            raise InputError(f"{name}: column '{column}' (the time) is empty in every row. Nothing was stored.")
    if stream.label.arrived:
        _judge(arrived, stream.label.arrived, stream.time_format, name)
    return rows + broken


def _judge(seen: _Column, column: str, time_format: str, name: str) -> None:
    if not seen.unread:
        return
    expected = f"time_format '{time_format}'" if time_format else "ISO 8601 (as in 2021-02-03 10:15:00)"
    line, value = seen.kept[0]
    if not seen.read:
        raise InputError(
            f"{name}: column '{column}' cannot be read as time: '{_short(value)}' in line {line} does not follow "
            f"{expected}, nor does any other row. Nothing was stored. {_advice([v for _, v in seen.kept])}"
        )
    foreign = [(n, v) for n, v in seen.kept if fitting_formats(v) or _EPOCH.fullmatch(v)]
    share = len(foreign) / len(seen.kept) * seen.unread / (seen.read + seen.unread)
    if foreign and share >= _MIXED_SHARE:
        line, value = foreign[0]
        raise InputError(
            f"{name}: column '{column}' mixes formats: {seen.read} rows follow {expected}, but '{_short(value)}' in "
            f"line {line} is written otherwise, as are about {share:.0%} of the rows. Nothing was stored: a guess "
            f"could date them wrongly. Write all of them one way. {_advice([v for _, v in foreign])}"
        )


def _advice(values: list[str]) -> str:
    if any(_EPOCH.fullmatch(v) for v in values[:1]):
        return "Numbers of seconds since 1970 must be written out as ISO 8601 first."
    fits = [f for f in fitting_formats(values[0]) if all(_exact(v, f) is not None for v in values)]
    options = [f"'{f}'" for f in fits if f != ISO]
    if ISO in fits:
        return "These rows are ISO 8601, which is read where time_format is left out."
    if len(options) > 1:
        return f"It could be {' or '.join(options)}: say which as time_format."
    return f"Set time_format = {options[0]}." if options else "Say how it is written as time_format, as strptime does."


def _short(value: str) -> str:
    return value if len(value) <= 60 else value[:57] + "..."


def _parsed(values: pd.Series, time_format: str, present: np.ndarray) -> np.ndarray:
    """datetime64[us] by pandas; what pandas cannot read (years beyond 2262, its own limits) by the standard library."""
    try:
        parsed = pd.to_datetime(values, format=time_format, utc=True, errors="coerce")
        stamps = np.asarray(parsed.dt.tz_localize(None)).astype("M8[us]")
    except ValueError:  # a directive that pandas lacks: every value goes the slow way
        stamps = np.full(len(values), _NAT)
    for k in np.flatnonzero(np.isnat(stamps) & present):
        moment = _exact(values.iloc[k], ISO if time_format == "ISO8601" else time_format)
        stamps[k] = _NAT if moment is None else np.datetime64(utc(moment).replace(tzinfo=None), "us")
    return stamps


def _exact(value: str, time_format: str) -> datetime | None:
    try:
        if time_format != ISO:
            return datetime.strptime(value, time_format)
        if not _ISO.fullmatch(value):
            return None
        return datetime.fromisoformat(f"{value}-01" if len(value) == 7 else value)
    except (ValueError, OverflowError):
        return None
