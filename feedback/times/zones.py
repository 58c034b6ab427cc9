"""Naive times of a zone as UTC, with the times that its clock shows twice, or skips, told apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from trueup.storage.errors import ConfigError

_TICKS = 1_000_000  # of a second
_LAST_YEAR = 9998


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo | None:
    """The zone of an IANA name; None where there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def check_zone(name: str) -> None:
    """Refuse what is no zone of the IANA list.

    Raises:
        ConfigError: it is none.
    """
    if name and zone_of(name) is None:
        raise ConfigError(f"time_zone '{name}' is not a time zone of the IANA list; write one, such as 'Europe/Berlin'")


def to_utc(
    local: np.ndarray, zone: ZoneInfo, word: str = ""
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times of a zone's clock, datetime64[us] of shape (n,), as UTC, and which are shown twice, and which never.

    Of an hour that comes twice the first counts (summer time), unless `word` says which: what the zone calls its time
    then ("CET", "PDT"). A time that the clock skips is NaT, as is one that the zone does not call so.

    Returns:
        UTC times, doubled, skipped: each of shape (n,).
    """
    utc = np.full(len(local), np.datetime64("NaT", "us"))
    doubled, skipped = np.zeros(len(local), dtype=bool), np.zeros(len(local), dtype=bool)
    here = np.flatnonzero(~np.isnat(local))
    days, place = np.unique(local[here].astype("M8[D]"), return_inverse=True)
    steady = np.array([_steady(zone, int(day)) for day in days.astype(np.int64)], dtype=object)
    offsets = np.array([0 if s is None else s[0] for s in steady], dtype=np.int64)
    names = np.array(["" if s is None else s[1] for s in steady], dtype=object)
    even = np.array([s is not None for s in steady], dtype=bool)[place] if len(days) else np.zeros(0, dtype=bool)
    utc[here] = local[here] - (offsets[place] * _TICKS).astype("m8[us]")
    if word:
        utc[here[even & (names[place] != word)]] = np.datetime64("NaT", "us")
    for k in here[~even]:
        utc[k], doubled[k], skipped[k] = _one(local[k], zone, word)
    return utc, doubled, skipped


@lru_cache(maxsize=100_000)
def _steady(zone: ZoneInfo, day: int) -> tuple[int, str] | None:
    """The offset in seconds, and its name, that hold all through a day (counted from 1970); None where it changes."""
    try:
        start = datetime(1970, 1, 1) + timedelta(days=day)
        following = start + timedelta(days=1)
    except OverflowError:
        return None
    seen = {(m.utcoffset(), m.tzname()) for m in (
        start.replace(tzinfo=zone), start.replace(tzinfo=zone, fold=1), following.replace(tzinfo=zone),
    )}  # fmt: skip
    if len(seen) > 1:
        return None
    offset, name = seen.pop()
    return int((offset or timedelta()).total_seconds()), name or ""


def _one(local: np.datetime64, zone: ZoneInfo, word: str) -> tuple[np.datetime64, bool, bool]:
    moment = local.astype("M8[us]").item()
    if not isinstance(moment, datetime) or not 1 < moment.year <= _LAST_YEAR:
        return np.datetime64("NaT", "us"), False, False
    both = [moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    shown = [m for m in both if m.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment]
    if not shown:
        return np.datetime64("NaT", "us"), False, True
    fitting = [m for m in shown if word in ("", m.tzname())]
    twice = len({m.utcoffset() for m in fitting}) > 1
    if not fitting:
        return np.datetime64("NaT", "us"), False, False
    return np.datetime64(fitting[0].astimezone(UTC).replace(tzinfo=None), "us"), twice, False
