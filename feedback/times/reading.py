"""Times read from text exactly as declared: ISO 8601, patterns of strptime, epochs, Excel's serials; never a guess.

A value that names only a year, a month or a day means its end. A naive time is of the declared zone, else UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trueup.feedback.times.layout import ISO_LAYOUT, Layout, layout_of
from trueup.feedback.times.layout_parts import DAY, LayoutParts, decimals, integers
from trueup.feedback.times.time_formats import EPOCHS, EXCEL, EXCEL_DAY, ISO, ISO_WORD
from trueup.feedback.times.usual_form import USUAL_FORMATS, usual_times
from trueup.feedback.times.zones import to_utc, zone_of

_NAT = np.datetime64("NaT", "us")
_TICK = np.timedelta64(1, "us")
_LATEST = np.datetime64("9999-12-31T23:59:59.999999")  # the standard library's own bound
_MILLIS = 10**11                                       # below, a count is one of seconds, not of milliseconds (1973)
_COUNT = r"^(?P<whole>[0-8]?\d{1,18})(?:\.(?P<f>\d+))?$"
_SERIALS = (61, 2_958_466)                             # from 1 March 1900, past Excel's 29 February, to the year 9999
_SERIAL_ZERO = np.datetime64("1899-12-30", "ms")
_UNITS = {"Y": ("Y", 1), "Q": ("M", 3), "M": ("M", 1), "W": ("D", 7), "D": ("D", 1)}


@dataclass(frozen=True)
class Times:
    """n times, datetime64[us] of shape (n,), NaT where unreadable: the first and the last tick that the value means.

    The event time is `last`; `first` differs from it where the value names a whole year, month or day.
    doubled: the zone's clock shows it twice, and the first was taken. skipped: it never shows it. disputed: two of the
    declared formats read it differently. All bool of shape (n,); what is skipped or disputed is NaT.
    """

    first: np.ndarray
    last: np.ndarray
    doubled: np.ndarray
    skipped: np.ndarray
    disputed: np.ndarray

    def of(self, rows: slice | np.ndarray) -> Times:
        """Those of some of the n."""
        return Times(self.first[rows], self.last[rows], self.doubled[rows], self.skipped[rows], self.disputed[rows])

    def completed(self, other: Times) -> Times:
        """These times, and the other's where these cannot be read."""
        known, ours = ~np.isnat(self.last), ~np.isnat(self.last) | self.skipped | self.disputed
        first, last = np.where(known, self.first, other.first), np.where(known, self.last, other.last)
        return Times(
            np.where(ours & ~known, _NAT, first), np.where(ours & ~known, _NAT, last),
            np.where(ours, self.doubled, other.doubled), np.where(ours, self.skipped, other.skipped),
            np.where(ours, self.disputed, other.disputed),
        )  # fmt: skip


def read_times(
    texts: Sequence[str | None] | np.ndarray | pa.StringArray, time_format: str | Sequence[str] = ISO,
    locale: str = "", zone: str = "",
) -> Times:  # fmt: skip
    """Read n values by a format, or each by those of several that read it; names of months in `locale`'s language.

    zone: IANA name of the clock that naive times were read from; empty: UTC.

    Raises:
        ConfigError: a format or the locale is not known.
    """
    values = _texts(texts)
    formats = (time_format,) if isinstance(time_format, str) else tuple(time_format)
    read = [_read(values, one, locale, zone) for one in formats]
    whole = read[0]
    for other in read[1:]:
        differ = ~np.isnat(whole.last) & ~np.isnat(other.last) & (whole.last != other.last)
        whole = whole.completed(other)
        whole.disputed[differ], whole.first[differ], whole.last[differ] = True, _NAT, _NAT
    return whole


def _texts(texts: Sequence[str | None] | np.ndarray | pa.StringArray) -> pa.Array:
    """Values as Arrow keeps them; text that no Unicode encoding can write is no time, as what is missing."""
    if isinstance(texts, pa.StringArray):
        return texts
    values = [t if isinstance(t, str) else None for t in texts]
    try:
        return pa.array(values, type=pa.string())
    except UnicodeEncodeError:
        return pa.array([t if t is not None and t.isascii() else None for t in values], type=pa.string())


def _read(values: pa.Array, time_format: str, locale: str, zone: str) -> Times:
    if time_format in EPOCHS:
        return _placed(_epochs(values, EPOCHS[time_format]), "", "")
    if time_format in (EXCEL, EXCEL_DAY):
        return _placed(_serials(values, whole=time_format == EXCEL_DAY), "D" if time_format == EXCEL_DAY else "", zone)
    if time_format in USUAL_FORMATS and (times := usual_times(values, time_format)) is not None:
        return _placed(times, "", zone)
    if time_format in (ISO, ISO_WORD):
        return _by_layout(values, ISO_LAYOUT, zone)
    layout = layout_of(time_format, locale)
    if layout.groups & set("UW"):
        return _placed(_by_library(values, time_format), layout.grain or "", zone)
    return _by_layout(values, layout, zone)


# ---- numbers ----


def _epochs(values: pa.Array, places: int) -> np.ndarray:
    """Counts since 1970 of 10**-places seconds, exactly; what is too small or too large for the unit is NaT."""
    found = pc.extract_regex(values, pattern=_COUNT)
    counts = integers(found.field("whole"))
    parts = decimals(found.field("f"), max(0, 6 - places))
    least, past = (0, _MILLIS) if not places else (_MILLIS * 10 ** (places - 3), _MILLIS * 10**places)
    fits = found.is_valid().to_numpy(zero_copy_only=False) & (counts >= least) & (counts < past)
    ticks = counts * 10 ** (6 - places) + parts if places <= 6 else counts // 10 ** (places - 6)
    return _where(fits, ticks)


def _where(fits: np.ndarray, ticks: np.ndarray) -> np.ndarray:
    times = np.where(fits, ticks, 0).astype("M8[us]")
    times[~fits] = _NAT
    return times


def _serials(values: pa.Array, *, whole: bool) -> np.ndarray:
    """Days since the end of 1899 as Excel counts them on Windows, to the millisecond."""
    found = pc.extract_regex(values, pattern=r"^(?P<n>\d{2,7})$" if whole else r"^(?P<n>\d{2,7}(?:\.\d+)?)$")
    numbers = pc.if_else(found.is_valid(), found.field("n"), "0").cast(pa.float64()).to_numpy(zero_copy_only=False)
    fits = (numbers >= _SERIALS[0]) & (numbers < _SERIALS[1])
    millis = np.round(np.where(fits, numbers, 0) * 86_400_000).astype(np.int64)
    return _where(fits, (_SERIAL_ZERO + millis.astype("m8[ms]")).astype("M8[us]").astype(np.int64))


# ---- patterns ----


def _by_layout(values: pa.Array, layout: Layout, zone: str) -> Times:
    """Every value that the layout's expression matches and whose day there is."""
    found = pc.extract_regex(values, pattern=layout.pattern)
    fits = found.is_valid().to_numpy(zero_copy_only=False)
    parts = LayoutParts(found, layout)
    days, real = parts.days()
    clock, on_clock = parts.clock()
    fits = fits & real & on_clock
    local = _where(fits, days * DAY + clock)
    grains: np.ndarray | str | None = layout.grain
    if grains is None:  # ISO 8601: the value itself says how much of it there is
        grains = np.where(parts.absent("d"), "M", np.where(parts.absent("H"), "D", ""))
    hours = parts.numbers("hour") if "hour" in layout.groups else None
    return _placed(local, grains, zone, parts.zones(), hours)


def _by_library(values: pa.Array, time_format: str) -> np.ndarray:
    """Weeks as the standard library counts them, value by value."""
    times = np.full(len(values), _NAT)
    for k, value in enumerate(values.to_pylist()):
        try:
            times[k] = np.datetime64(datetime.strptime(value or "", time_format).replace(tzinfo=None), "us")
        except (ValueError, OverflowError):
            continue
    return times


# ---- places on the time line ----


def _placed(
    local: np.ndarray, grains: np.ndarray | str, zone: str, said: pa.StringArray | None = None,
    hours: np.ndarray | None = None,
) -> Times:  # fmt: skip
    """Times as a clock showed them, in UTC, each whole day, week, month, quarter or year with its end.

    said: what a value itself says of its zone. hours: since the day's beginning, where they are counted so.
    """
    first, doubled, skipped = _in_zones(local, zone, said)
    last = first
    if not isinstance(grains, str) or grains:
        past = local.copy()
        for grain, (unit, count) in _UNITS.items():
            whole = (grains == grain) & ~np.isnat(local)
            past[whole] = (local[whole].astype(f"M8[{unit}]") + count).astype("M8[us]")
        if (past != local)[~np.isnat(local)].any():
            last = np.where(grains == "", first, _in_zones(past, zone, said)[0] - _TICK)
    if hours is not None:
        following = _in_zones(local + np.timedelta64(DAY, "us"), zone, said)[0]
        first = first + (hours * 3_600_000_000).astype("m8[us]")
        first[~(first <= following)] = _NAT
        last = first
    late = last > _LATEST
    first, last = np.where(late, _NAT, first), np.where(late, _NAT, last)
    return Times(first, last, doubled, skipped, np.zeros(len(local), dtype=bool))


def _in_zones(local: np.ndarray, zone: str, said: pa.StringArray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """UTC, and what the clock shows twice or never: by each value's own zone, else the declared one, else UTC."""
    utc, doubled, skipped = local.copy(), np.zeros(len(local), dtype=bool), np.zeros(len(local), dtype=bool)
    if said is None and not zone:
        return utc, doubled, skipped
    coded = pa.array([""] * len(local)).dictionary_encode() if said is None else said.dictionary_encode()
    place = coded.indices.to_numpy(zero_copy_only=False)
    for k, word in enumerate(coded.dictionary.to_pylist()):
        here = place == k
        offset = None if word == "" and zone else _offset(word)
        if offset is not None:
            utc[here] = local[here] - np.timedelta64(offset * 1_000_000, "us")
            continue
        clock = zone_of(word) if "/" in word else zone_of(zone) if zone else None
        if clock is None:
            utc[here] = _NAT
            continue
        utc[here], doubled[here], skipped[here] = to_utc(local[here], clock, "" if "/" in word else word)
    return utc, doubled, skipped


def _offset(word: str) -> int | None:
    """Seconds that a zone's word is ahead of UTC; None where it is a name."""
    word = word.upper().removesuffix("UTC").removesuffix("GMT").removesuffix("UT").removesuffix("Z").strip()
    if word[:1] not in ("", "+", "-"):
        return None
    digits = word[1:].replace(":", "").ljust(6, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:6])
    return -seconds if word[:1] == "-" else seconds
