"""When a recipient's weekly digest is due, and which week it is of."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from trueup.storage.schedule import instant_of

_DAY = timedelta(days=1)


def newest_digest(at: tuple[int, time], timezone: str, now: datetime) -> tuple[str, datetime]:
    """The newest digest that is due at `now`: its week (2026-W48, on the recipient's clock) and its time in UTC.

    Args:
        at: weekday (Monday is 0) and time of day on the clock of `timezone`.
    """
    weekday, of_day = at
    zone = ZoneInfo(timezone)
    day = now.astimezone(zone).date()
    day -= (day.weekday() - weekday) % 7 * _DAY
    due = instant_of(datetime.combine(day, of_day), zone)
    if due > now:
        day -= 7 * _DAY
        due = instant_of(datetime.combine(day, of_day), zone)
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}", due
