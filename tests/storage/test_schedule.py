"""When a cron line fires: on the clock of a time zone, also in the nights when that clock is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from trueup.storage.schedule import Schedule, next_run


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("2026-01-10 00:00", "2026-01-10 01:30"),
        ("2026-07-10 00:00", "2026-07-10 00:30"),
        ("2026-03-28 12:00", "2026-03-29 00:30"),  # 02:30 does not exist that night
        ("2026-03-29 00:30", "2026-03-30 00:30"),
        ("2026-10-24 12:00", "2026-10-25 00:30"),  # 02:30 comes twice that night
        ("2026-10-25 00:30", "2026-10-26 01:30"),
    ],
)
def test_half_past_two_fires_once_each_night(after: str, due: str) -> None:
    """In Berlin the line 30 2 fires once a night, in summer and winter time and in the nights between them."""
    assert Schedule(cron="30 2 * * *", timezone="Europe/Berlin").next_after(at(after)) == at(due)


def test_without_a_time_zone_the_line_means_utc() -> None:
    """The default is UTC, and without a line nothing is due."""
    assert Schedule(cron="0 9 * * *").next_after(at("2026-03-29 00:00")) == at("2026-03-29 09:00")
    assert Schedule().next_after(at("2026-03-29 00:00")) is None


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 * * * *", "*/15 2 * * *", "0 9 * * 1-5"])
def test_a_cycle_is_due_when_prefect_starts_it(zone: str, cron: str) -> None:
    """`status` and Prefect name the same next time, around the changes of the clock and far from them."""
    from prefect.server.schemas.schedules import CronSchedule

    schedule = CronSchedule(cron=cron, timezone=zone)
    for day in ("2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31", "2026-04-04", "2026-10-03", "2026-06-01"):
        for hours in range(0, 48, 5):
            after = at(day) + timedelta(hours=hours, minutes=7)
            known = next(iter(schedule._get_dates_generator(n=1, start=after + timedelta(seconds=1)))).astimezone(UTC)
            if known > after:  # within the changed hour Prefect names a time that has passed, and starts no run for it
                assert next_run(cron, zone, after) == known


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 0 9 * * *", "five fields but has 6"),
        ("0 9 * *", "five fields but has 4"),
        ("@hourly", "five fields but has 1"),
        ("0 9 31 2 *", "never fires"),
        ("0 9 30,31 2 *", "never fires"),
        ("0 9 31 4,6 *", "never fires"),
        ("R R * * *", "no cron line"),
        ("H 9 * * *", "no cron line"),
        ("r(0-30) 9 * * *", "no cron line"),
        ("60 * * * *", "no cron line"),
        ("*/0 * * * *", "no cron line"),
    ],
)
def test_a_line_that_says_no_time_is_refused(cron: str, said: str) -> None:
    """Seconds, macros, chance, hashes and days that no year has are refused when they are read."""
    with pytest.raises(ValidationError, match=said):
        Schedule(cron=cron)


@pytest.mark.parametrize("cron", ["0 9 29 2 *", "0 9 31 2 mon", "0 0 * * MON-FRI", "*/5 8-18 1,15 jan-mar 7"])
def test_rare_lines_are_taken(cron: str) -> None:
    """What fires at all is taken, if only in leap years."""
    assert Schedule(cron=cron).next_after(at("2026-01-01 00:00")) is not None


@pytest.mark.parametrize(
    "zone", ["Berlin", "europe/berlin", "", "/etc/localtime", "../UTC", "Europe", "CEST", "localtime", "Factory"]
)
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    """Only names of the IANA list are taken."""
    with pytest.raises(ValidationError, match="IANA"):
        Schedule(timezone=zone)
