"""When an open incident is told again, and when others are told of it."""

from __future__ import annotations

from datetime import datetime, timedelta

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)  # after which only the digest speaks of an incident


def reminder_times(told_at: datetime, every: timedelta) -> tuple[datetime, ...]:
    """When somebody is reminded of an incident that they were told of at `told_at`: after N, after 2N, then daily.

    Days are counted from `told_at`, for a week.
    """
    later = (k * _DAY for k in range(1, _WEEK // _DAY + 1))
    spans = (every, 2 * every, *(span for span in later if span > 2 * every))
    return tuple(told_at + span for span in spans if span <= _WEEK)


def reminder_due(told_at: datetime, every: timedelta | None, already: int, now: datetime) -> int | None:
    """The number of the newest reminder (1, 2, …) that has become due and was not given; None where none is.

    Those that nobody could give in time are not made up for: one speaks for all.

    Args:
        every: N; None where nobody is reminded.
        already: the highest number that was given, 0 for none.
    """
    if every is None:
        return None
    passed = sum(at <= now for at in reminder_times(told_at, every))
    return passed if passed > already else None


def escalation_time(told_at: datetime, after: timedelta | None) -> datetime | None:
    """When others are told of an incident that is still open and unacknowledged; None where nobody is."""
    return None if after is None else told_at + after
