"""When a stream's cycles run: a cron line, read on the clock of a time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

from pydantic import field_validator

from trueup.storage.policy import Frozen

FIELDS = 5
_NAMES = re.compile(r"sun|mon|tue|wed|thu|fri|sat|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", re.IGNORECASE)
_SIGNS = re.compile(r"[0-9*,/?#L-]+")  # not croniter's R (at random) and H (by a hash): such a line says no time
_OF_NO_PLACE = {"Factory", "localtime"}  # the latter is another one on each machine
_A_YEAR_WITH_ALL_DAYS = datetime(2023, 3, 1)  # whatever fires at all fires again within 50 years of it


def known_zone(value: str) -> str:
    """The value, if it is a name of the IANA list.

    Raises:
        ValueError: it is none; with advice.
    """
    if value == "UTC":
        return value
    from zoneinfo import available_timezones

    if value not in available_timezones() - _OF_NO_PLACE:
        raise ValueError(f"'{value}' is no time zone; write a name of the IANA list, as in 'Europe/Berlin'")
    return value


class Schedule(Frozen):
    """When the stream's cycles run; without a cron line only when asked for. timezone: whose clock the line means."""

    cron: str = ""
    timezone: str = "UTC"

    @field_validator("cron")
    @classmethod
    def _fires(cls, value: str) -> str:
        return _checked_line(value) if value else value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value)

    def next_after(self, moment: datetime) -> datetime | None:
        """The first run after a time, in UTC; None without a cron line."""
        return next_run(self.cron, self.timezone, moment) if self.cron else None


def next_run(cron: str, timezone: str, after: datetime) -> datetime:
    """The first time after `after` (aware) at which a checked cron line fires on the clock of a time zone, in UTC.

    As Prefect does, which starts the runs: a local time that comes twice counts where it comes first, and one that the
    clock leaves out in spring is taken by the clock's new time, an hour before what would have been.
    """
    from zoneinfo import ZoneInfo

    from croniter import croniter

    zone = ZoneInfo(timezone)
    lines = croniter(cron, after.astimezone(zone).replace(tzinfo=None))
    while True:
        local: datetime = lines.get_next(datetime)
        moment = instant_of(local, zone)
        if moment > after:
            return moment


def instant_of(local: datetime, zone: tzinfo) -> datetime:
    """A wall-clock time as an instant: the first of two, or, of one that is left out, the one by the new offset."""
    first = local.replace(tzinfo=zone).astimezone(UTC)
    exists = first.astimezone(zone).replace(tzinfo=None) == local
    return first if exists else local.replace(tzinfo=zone, fold=1).astimezone(UTC)


def _checked_line(value: str) -> str:
    """The line, if it has five fields and ever fires.

    Raises:
        ValueError: it does not; with advice.
    """
    fields = value.split()
    if len(fields) != FIELDS:
        raise ValueError(
            f"'{value}' is no cron line of five fields but has {len(fields)}; write minute, hour, day, month and "
            "weekday, as in '0 9 * * *' for nine every day"
        )
    from croniter import croniter
    from croniter.croniter import CroniterBadDateError

    signs = _NAMES.sub("1", "".join(fields))
    if not _SIGNS.fullmatch(signs) or not croniter.is_valid(value):
        raise ValueError(f"'{value}' is no cron line; write five fields, as in '0 * * * *' for every hour")
    try:
        croniter(value, _A_YEAR_WITH_ALL_DAYS).get_next(datetime)
    except CroniterBadDateError:
        raise ValueError(f"'{value}' never fires: no year has such a day; name a day that its month has") from None
    return value
