"""Until when an alert waits for the end of its recipient's quiet hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from trueup.flows.alert.routing.routes import Route
from trueup.monitoring.severity import Severity
from trueup.storage.schedule import instant_of

_DAY = timedelta(days=1)


def held_until(route: Route, severity: Severity, now: datetime) -> datetime | None:
    """When quiet hours end in which an alert of `now` waits, in UTC; None where it may go out at once.

    `high` never waits. A time that the clock shows twice counts where it comes first; one that it leaves out in spring
    comes an hour earlier.
    """
    if route.quiet is None or severity is Severity.HIGH:
        return None
    zone = ZoneInfo(route.timezone)
    begins, ends = route.quiet
    today = now.astimezone(zone).date()
    for day in (today - _DAY, today):
        last_day = day if begins < ends else day + _DAY
        start = instant_of(datetime.combine(day, begins), zone)
        end = instant_of(datetime.combine(last_day, ends), zone)
        if start <= now < end:
            return end
    return None
