"""Spans of time as people write them: a week, a month, or from one day to another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from trueup.storage.errors import UsageError
from trueup.storage.timepoints import TICK, end_of_month, utc

_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_BETWEEN = ".."


@dataclass(frozen=True)
class Period:
    """A span of time; both ends belong to it. words: as it was written."""

    words: str
    start: datetime
    end: datetime


def is_period(text: str) -> bool:
    """Whether the text is written as a period; no report's id is."""
    return _BETWEEN in text or bool(_WEEK.fullmatch(text) or _MONTH.fullmatch(text))


def parse_period(text: str) -> Period:
    """`2024-W23` (an ISO week), `2024-05` (a month), or `2024-05-01..2024-05-14` (both days belong to it), in UTC.

    Raises:
        UsageError: it is none of them, or ends before it begins.
    """
    try:
        start, end = _ends(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"'{text}' is not a period. Write a week such as 2024-W23, a month such as 2024-05, or two days such as "
            "2024-05-01..2024-05-14."
        ) from None
    if end < start:
        raise UsageError(f"The period '{text}' ends before it begins. Write the earlier day first.")
    return Period(text, start, end)


def _ends(text: str) -> tuple[datetime, datetime]:
    if found := _WEEK.fullmatch(text):
        start = datetime.fromisocalendar(int(found[1]), int(found[2]), 1).replace(tzinfo=UTC)
        return start, start + timedelta(days=7) - TICK
    if found := _MONTH.fullmatch(text):
        year, month = int(found[1]), int(found[2])
        return datetime(year, month, 1, tzinfo=UTC), end_of_month(year, month)
    first, _, last = text.partition(_BETWEEN)
    start, end = utc(datetime.fromisoformat(first)), utc(datetime.fromisoformat(last))
    return start, end + timedelta(days=1) - TICK if len(last) == len("2024-05-14") else end
