"""Times and spans as the contract means them: UTC, a bare date is its end, a month is its end."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from trueup.storage.errors import UsageError

LONGEST_SPAN = timedelta(days=36_525)  # a hundred years; from today it still leads to a date
TICK = timedelta(microseconds=1)  # the store's resolution: the end of a day is one tick before the next

_SPAN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(min|s|m|h|d|w)\s*$")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
_DAY = re.compile(r"^\d{4}-?\d{2}-?\d{2}$")


def parse_span(text: str) -> timedelta:
    """A span such as "90s", "30min", "12h", "3d" or "2w".

    Raises:
        ValueError: it is not written so, or is longer than a hundred years.
    """
    match = _SPAN.match(text)
    if not match:
        raise ValueError(f"'{text}' is not a span of time; write a number and s, min, h, d or w, as in '3d'")
    seconds = float(match[1]) * _SECONDS[match[2]]
    if seconds > LONGEST_SPAN.total_seconds():
        raise ValueError(f"'{text}' is longer than a hundred years")
    return timedelta(seconds=seconds)


def utc(moment: datetime) -> datetime:
    """The same moment in UTC; a naive time is UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def end_of_month(year: int, month: int) -> datetime:
    """The last tick of a month."""
    following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return following - TICK


def parse_as_of(text: str | None, *, now: datetime | None = None, option: str = "--as-of") -> datetime:
    """The time that `--as-of` names; now where it is left out.

    A bare month or day means its end, but never more than now, a naive time is UTC.

    Raises:
        UsageError: the text is no ISO 8601 time, or one that is yet to come.
    """
    now = now or datetime.now(UTC)
    if text is None:
        return now
    try:
        if _MONTH.match(text):
            year, month = int(text[:4]), int(text[5:])
            start, end = datetime(year, month, 1, tzinfo=UTC), end_of_month(year, month)
        else:
            start = utc(datetime.fromisoformat(text))
            end = start + timedelta(days=1) - TICK if _DAY.match(text) else start
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} '{text}' is not a time. Write ISO 8601, such as 2019-06-30 (the end of that day) "
            "or 2019-06-30T18:00:00Z."
        ) from None
    if start > now:
        because = ", and a cycle at that time would block every earlier one" if option == "--as-of" else ""
        raise UsageError(f"{option} '{text}' is in the future{because}. Use a time that has passed.")
    return min(end, now)


def parse_since(text: str | None, *, now: datetime) -> datetime | None:
    """The time from which `--since` asks: a span back from now ("7d"), or a time; None where it is left out.

    A bare month or day means its beginning, a naive time is UTC.

    Raises:
        UsageError: the text is neither a span nor an ISO 8601 time.
    """
    if text is None:
        return None
    try:
        if _SPAN.match(text):
            return now - parse_span(text)
        return utc(datetime.fromisoformat(f"{text}-01" if _MONTH.match(text) else text))
    except (ValueError, OverflowError):
        raise UsageError(
            f"--since '{text}' is neither a span nor a time. Write how far back to look, such as 7d or 12h, or a time "
            "such as 2019-06-30."
        ) from None


def to_minute(moment: datetime | None, missing: str = "–") -> str:
    """A time as tables and sentences show it, cut to the minute: 2019-06-30 23:59 UTC."""
    return missing if moment is None else f"{utc(moment):%Y-%m-%d %H:%M} UTC"


def iso(moment: datetime | None) -> str | None:
    """A UTC time as people and scripts read it: 2019-06-30T23:59:59.999999Z."""
    return None if moment is None else utc(moment).isoformat().replace("+00:00", "Z")
