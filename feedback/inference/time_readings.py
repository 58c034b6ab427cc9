"""How the values of a column can be read as times: the formats that read nearly all; several where it is ambiguous."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

import numpy as np

from trueup.feedback.inference.summary import form_of
from trueup.feedback.times.fitting import Way, possible_ways
from trueup.feedback.times.reading import read_times
from trueup.feedback.times.time_formats import EPOCHS, EXCEL, EXCEL_DAY, FORMAT_WORDS, ISO, ISO_WORD, grain, parts_of
from trueup.feedback.values import MISSING_NUMBER

ENOUGH = 0.95          # of a column's values: so many are read by what it is written in, as ingest asks
_SLIP = 0.001          # of them: fewer in another format are slips of the pen, and say nothing of an order either
_TRIED = 2000          # values that formats are tried on, before the whole sample is read
_LOOKED_AT = 40        # values whose structure suggests formats
_FINALISTS = 6
_CLOSE = 0.05          # of the values tried: who reads so many fewer than the best is read no further
_POPULATIONS = 4       # formats in one column, at most
_YEARS = (1970, 2100)  # of times that can be meant
_NUMERIC_YEARS = (1990, 2045)  # of numbers that are times: others are salaries, telephone numbers, sizes
_ZONED = re.compile(r":\d{2}.*(?:Z|UTC|GMT|[A-Z]{2,3}T|[+-]\d{2}:?\d{2}|[A-Za-z]+/[A-Za-z_]+\]?)$")
_ABSENT = MISSING_NUMBER | {"-", "?", "--", "n.a.", "#n/a", "0000-00-00", "0000-00-00 00:00:00"}
_STARTS = frozenset(a for word in _ABSENT for a in (word[:1], word[:1].upper()))
_COMPACT = {4: (), 6: ("%Y%m", "%y%m%d", "%d%m%y", "%m%d%y"), 8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"), 10: ("%Y%m%d%H",),
            12: ("%Y%m%d%H%M",), 14: ("%Y%m%d%H%M%S",)}  # fmt: skip


@dataclass(frozen=True)
class TimeReading:
    """A column read by one format or by a list of them.

    times: datetime64[us] of shape (n sampled,), the last tick that a value means, NaT where unreadable or empty.
    counts: of each format, the sampled values that it reads. read: share of the values that are read.
    strange: a value that is not read, where there is one. weak: a number or a version may be written so as well.
    zoned: share of the values that say their zone or offset themselves. lost: another format, the nearest, that reads
    too few of them, where there is one.
    """

    formats: tuple[str, ...]
    locale: str
    zone: str
    times: np.ndarray
    counts: tuple[int, ...]
    read: float
    strange: str = ""
    weak: bool = False
    zoned: float = 0.0
    lost: str = ""

    @property
    def vague(self) -> bool:
        """Whether "May-08" is read as a month of a year: it may be a day of an unknown year as well."""
        named = [set(parts_of(f)) for f in self.formats if f not in FORMAT_WORDS]
        return any("y" in parts and parts & set("mbB") and not parts & set("dj") for parts in named)

    @cached_property
    def midnight(self) -> bool:
        """Whether all are the first instant of a day, so that the days themselves may be meant."""
        known = self.times[~np.isnat(self.times)]
        return bool(len(known)) and bool(np.all(known == known.astype("M8[D]")))

    @cached_property
    def days(self) -> bool:
        """Whether values name a whole day, month or year, or are all at midnight."""
        known = self.times[~np.isnat(self.times)]
        return bool(len(known)) and bool(np.all(((known - known.astype("M8[D]")) == 0) | _is_last_tick(known)))

    @cached_property
    def order(self) -> float:
        """The share of the steps from row to row that go one way: 1 where rows stand in the order of these times."""
        steps = np.diff(self.times[~np.isnat(self.times)]).astype(np.int64)
        up, down = int((steps > 0).sum()), int((steps < 0).sum())
        return max(up, down) / (up + down) if up + down >= _FEW_STEPS else 0.5


    @cached_property
    def step(self) -> timedelta:
        """How far the rows are apart, where nearly all are as far; else 0."""
        steps = np.abs(np.diff(self.times[~np.isnat(self.times)]).astype(np.int64))
        steps = steps[steps > 0]
        if len(steps) < _FEW_STEPS:
            return timedelta()
        usual = int(np.median(steps))
        return timedelta(microseconds=usual) if (steps == usual).mean() >= 1 - 5 * _SLIP else timedelta()


_FEW_STEPS = 10


def _is_last_tick(times: np.ndarray) -> np.ndarray:
    return (times + np.timedelta64(1, "us")).astype("M8[D]") == times + np.timedelta64(1, "us")


def said_cells(texts: Sequence[str | None]) -> list[str | None]:
    """Values, None where empty or where they say that they are missing."""
    return [None if t is None or is_absent(t) else t for t in texts]


def is_absent(value: str) -> bool:
    """Whether a value says that there is none."""
    return value[:1] in _STARTS and value.lower() in _ABSENT


def readings_of(texts: Sequence[str | None], *, typed: bool = False) -> tuple[TimeReading, ...]:
    """The ways in which nearly all values can be read as times, the likeliest first; empty where they are no times.

    Several differ in some of the values, and nothing in the column itself says which is meant.
    """
    tried = _tried(texts)
    groups = _distinct_ways(tried, [Way(ISO)] if typed else _candidates(tried))
    if not groups:
        return ()
    values, best = said_cells(texts), groups[0][1].mean()
    if best >= ENOUGH:
        close = [way for way, read, _ in groups if read.mean() >= best - _CLOSE]
        found = _rivals([_reading(values, (way,)) for way in close[:_FINALISTS]])
        if len(found) == 1:
            found = (replace(found[0], lost=_nearest(found[0], [way.format for way, _, _ in groups])),)
        return tuple(_with_second(values, reading) for reading in found)
    mixed = _mixture(tried, groups)
    return tuple(r for r in (_reading(values, combined) for combined in mixed) if r.read >= ENOUGH)


def number_readings(texts: Sequence[str | None]) -> tuple[TimeReading, ...]:
    """The ways in which a column of numbers can be times of our years: counts since 1970, serials, dates in digits."""
    tried = _tried(texts)
    if not tried:
        return ()
    whole = all("." not in v for v in tried)
    length = Counter(len(v) for v in tried).most_common(1)[0][0]
    words = [*EPOCHS, EXCEL_DAY if whole else EXCEL, *(_COMPACT.get(length, ()) if whole else ())]
    found = []
    for word in words:
        times = read_times(tried, word).last
        years = times.astype("M8[Y]").astype(np.int64) + _EPOCH_YEAR
        inside = ~np.isnat(times) & (years >= _NUMERIC_YEARS[0]) & (years <= _NUMERIC_YEARS[1])
        if inside.mean() >= 1 - 10 * _SLIP:
            found.append(word)
    values = said_cells(texts) if found else []
    return _rivals([_reading(values, (Way(word),), weak=True) for word in found])


_EPOCH_YEAR = 1970


def _tried(texts: Sequence[str | None]) -> list[str]:
    """Some of the values of a column, those left out that say that there is none."""
    return [v for v in _spread([t for t in texts if t is not None], _TRIED) if not is_absent(v)]


def _spread(values: list[str], n: int) -> list[str]:
    """So many of the values, drawn without a rhythm that the rows could have themselves."""
    if len(values) <= n:
        return values
    return [values[k] for k in np.sort(np.random.default_rng(n).choice(len(values), n, replace=False))]


def _candidates(filled: list[str]) -> list[Way]:
    """The formats that the structure of some values suggests: values over the whole column, and of each common form."""
    forms: dict[str, str] = {}
    for value in _spread(filled, _TRIED):
        forms.setdefault(form_of(value), value)
    looked = [*_spread(filled, _LOOKED_AT), *list(forms.values())[:_LOOKED_AT]]
    suggested = [possible_ways(value) for value in looked]
    if sum(map(bool, suggested)) < len(looked) / 2:
        return []
    seen = Counter(way for ways in suggested for way in ways)
    return [way for way, _ in seen.most_common(_LOOKED_AT)]


def _distinct_ways(tried: list[str], ways: Iterable[Way]) -> list[tuple[Way, np.ndarray, np.ndarray]]:
    """Each way with what it reads of some values and as when, the simplest of those that read alike, best first."""
    found: list[tuple[Way, np.ndarray, np.ndarray]] = []
    for way in sorted(ways, key=lambda w: (w.format.count("*"), len(w.locale) > 0)):
        times = read_times(tried, way.format, way.locale, way.zone).last
        read = ~np.isnat(times)
        alike = any(not (read & ~r).any() and np.array_equal(times[read], t[read]) for _, r, t in found)
        if read.any() and _sensible(times[read]) and not alike:
            found = [(w, r, t) for w, r, t in found if (r & ~read).any() or not np.array_equal(t[r], times[r])]
            found.append((way, read, times))
    return sorted(found, key=lambda one: -one[1].sum())


def _sensible(times: np.ndarray) -> bool:
    years = times.astype("M8[Y]").astype(np.int64) + _EPOCH_YEAR
    return float(((years >= _YEARS[0]) & (years <= _YEARS[1])).mean()) >= ENOUGH


def _rivals(readings: list[TimeReading]) -> tuple[TimeReading, ...]:
    """Those that read as many values as the best, but for slips, and leave the least of the text unread."""
    best = max((r.read for r in readings), default=0.0)
    left = [r for r in readings if r.read >= ENOUGH and _misses(r, best) == 0]
    least = min((_unread_text(r) for r in left), default=0)
    left = [r for r in left if _unread_text(r) == least]
    return tuple(sorted((r for r in left if not any(_named(r) < _named(o) for o in left)), key=lambda r: -r.read))


def _nearest(reading: TimeReading, formats: Sequence[str]) -> str:
    """Another format that names the same parts in another order, and reads too few of the values."""
    own = reading.formats[0]
    if own in FORMAT_WORDS:
        return ""
    alike = [f for f in formats if f not in FORMAT_WORDS and sorted(parts_of(f)) == sorted(parts_of(own))]
    return next((f for f in alike if parts_of(f) != parts_of(own)), "")


def _named(reading: TimeReading) -> frozenset[str]:
    return frozenset(part for f in reading.formats if f not in FORMAT_WORDS for part in parts_of(f))


def _unread_text(reading: TimeReading) -> int:
    return sum(f.count("*") for f in reading.formats)


def _misses(reading: TimeReading, best: float) -> int:
    """Values that another reading reads and this does not: one is enough in a small file, a thousandth in a large."""
    n = max(1, round(sum(reading.counts) / max(reading.read, 1e-9)))
    missed = round((best - reading.read) * n)
    return missed if missed >= max(1, _SLIP * n) else 0


def _with_second(values: list[str | None], reading: TimeReading) -> TimeReading:
    """The reading with another format for values that it does not read, where these are too many to be slips."""
    unread = [v for v, t in zip(values, reading.times, strict=True) if v is not None and np.isnat(t)]
    n = sum(v is not None for v in values)
    if len(unread) < max(3, _SLIP * n):
        return reading
    groups = _distinct_ways(unread, _candidates(unread))
    if not groups or groups[0][1].sum() < max(3, _SLIP * n, len(unread) / 2):
        return reading
    first = Way(reading.formats[0], reading.locale, reading.zone)
    more = _reading(values, (first, groups[0][0]))
    return more if more.read > reading.read else reading


def _mixture(tried: list[str], groups: list[tuple[Way, np.ndarray, np.ndarray]]) -> list[tuple[Way, ...]]:
    """Lists of formats that together read nearly all values; several where the first can be one of several."""
    lists: list[tuple[Way, ...]] = []
    best = groups[0][1].sum()
    for first, read, _ in groups[:_FINALISTS]:
        if read.sum() < best - max(1, _SLIP * len(tried)):
            continue
        chosen, covered = [first], read.copy()
        while covered.mean() < 1 and len(chosen) < _POPULATIONS:
            way, more, _ = max(groups, key=lambda one: (one[1] & ~covered).sum())
            if (more & ~covered).sum() < max(2, _SLIP * len(tried)):
                break
            chosen.append(way)
            covered |= more
        if covered.mean() >= ENOUGH and set(chosen) not in [set(one) for one in lists]:
            lists.append(tuple(chosen))
    return lists


def _reading(values: list[str | None], ways: tuple[Way, ...], *, weak: bool = False) -> TimeReading:
    locale = next((w.locale for w in ways if w.locale), "")
    zone = next((w.zone for w in ways if w.zone), "")
    formats = tuple(dict.fromkeys((w.format or ISO_WORD) if len(ways) > 1 else w.format for w in ways))
    times = read_times(values, formats, locale, zone).last
    filled = np.array([v is not None for v in values], dtype=bool)
    known = ~np.isnat(times)
    each = [times] if len(formats) == 1 else [read_times(values, f, locale, zone).last for f in formats]
    counts = tuple(int((~np.isnat(one)).sum()) for one in each)
    unread = np.flatnonzero(filled & ~known)
    strange = str(values[unread[0]]) if len(unread) else ""
    share = float(known[filled].mean()) if filled.any() else 0.0
    zoned = sum(bool(_ZONED.search(v)) for v in values if v is not None) / max(1, int(filled.sum()))
    weak = weak or all(map(_is_weak, formats))
    return TimeReading(formats, locale, zone, times, counts, share, strange, weak, zoned)


def _is_weak(time_format: str) -> bool:
    """Whether a version, a code or a size may be written so: two digits of a year without a clock, digits only."""
    if time_format in FORMAT_WORDS:
        return time_format not in (ISO, ISO_WORD)
    named = set(parts_of(time_format))
    if named & {"M", "S", "V", "quarter"} or ("Y" in named and named & set("bB")):
        return False
    digits = not time_format.translate({ord(c): None for c in "%YmdHyjGV. "})
    text = any(c.isalpha() for part in time_format.split("%") for c in part[1:])
    return "y" in named or digits or (text and not named & set("bB")) or grain(time_format) in ("M", "Y")
