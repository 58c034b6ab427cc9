"""Whom an alert goes to, until when it waits, and when it is told again: pure decisions on moved clocks."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.flows.alert.routing.quiet_hours import held_until
from trueup.flows.alert.routing.reminding import escalation_time, reminder_due, reminder_times
from trueup.flows.alert.routing.routes import (
    NOBODY_IN_PARTICULAR,
    Route,
    route_to,
    routes_for,
    streams_by_recipient,
)
from trueup.flows.alert.routing.weekly import newest_digest
from trueup.flows.alert_settings import WEEKDAYS
from trueup.flows.settings import Settings, read_settings
from trueup.monitoring.severity import Severity
from trueup.storage.addresses import recipient_key
from trueup.storage.errors import ConfigError

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia")
moments = st.datetimes(datetime(2023, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))
STREAM = """
[streams.{name}]
id = "id"
time = "at"
text = ["words"]
[streams.{name}.label]
column = "stars"
[streams.{name}.alerts]
to = {to}
"""
CHANNEL = """
[alerts.channels.ops]
kind = "slack"
"""
RULES = """
[[alerts.rules]]
to = ["Ann <ann@example.org>", "channel:ops"]
streams = ["reviews"]
severity = ["high"]
timezone = "Europe/Berlin"
quiet = "22:00-07:00"
auto_submitted = false

[[alerts.rules]]
to = ["bob@example.org"]
timezone = "America/New_York"
quiet = "21:00-06:30"

[[alerts.rules]]
to = ["ann@EXAMPLE.org"]
severity = ["low"]
"""


def settings_of(more: str, *, to: str = "[]") -> Settings:
    """Two streams, reviews and orders, with these tables beside."""
    streams = STREAM.format(name="reviews", to=to) + STREAM.format(name="orders", to="[]") + CHANNEL
    return read_settings(streams + more, "trueup.toml")


def names(settings: Settings, stream: str, severity: Severity) -> list[str]:
    """The recipients of a stream's alerts of a severity."""
    return [route.recipient for route in routes_for(settings, stream, severity)]


def test_rules_choose_by_stream_and_severity() -> None:
    """Each is told of what their rules name, once, in the order of the rules."""
    settings = settings_of(RULES)
    assert names(settings, "reviews", Severity.HIGH) == ["Ann <ann@example.org>", "channel:ops", "bob@example.org"]
    assert names(settings, "reviews", Severity.LOW) == ["Ann <ann@example.org>", "bob@example.org"]
    assert names(settings, "orders", Severity.HIGH) == ["bob@example.org"]
    assert names(settings, "orders", Severity.LOW) == ["bob@example.org", "ann@EXAMPLE.org"]


def test_the_first_rule_of_a_recipient_says_zone_quiet_hours_and_header() -> None:
    """Ann's second rule adds a severity for 'reviews' and changes nothing else; for 'orders' it is her first."""
    settings = settings_of(RULES)
    ann = Route("Ann <ann@example.org>", "Europe/Berlin", (time(22), time(7)), False)
    assert ann in routes_for(settings, "reviews", Severity.LOW)
    assert Route("ann@EXAMPLE.org") in routes_for(settings, "orders", Severity.LOW)
    assert route_to(settings, "ann@example.org", "reviews") == Route("ann@example.org", *_how(ann))
    assert route_to(settings, "gone@example.org", "reviews") == Route("gone@example.org")


def _how(route: Route) -> tuple[str, tuple[time, time] | None, bool]:
    return route.timezone, route.quiet, route.auto_submitted


def test_the_streams_own_recipients_are_one_more_rule() -> None:
    """`to` of a stream is told of both severities on UTC; who has a rule besides keeps its zone and quiet hours."""
    settings = settings_of(RULES, to='["oncall@example.org", "ann@example.org"]')
    routes = routes_for(settings, "reviews", Severity.LOW)
    assert [r.recipient for r in routes] == ["Ann <ann@example.org>", "bob@example.org", "oncall@example.org"]
    assert routes[0].timezone == "Europe/Berlin"
    assert routes[2] == Route("oncall@example.org")


def test_where_nobody_is_named_mails_stay_at_home() -> None:
    """Without any rule and without a server the Maildir is told; with a server, or with a rule, nobody else."""
    assert names(settings_of(""), "reviews", Severity.LOW) == [NOBODY_IN_PARTICULAR]
    assert names(settings_of('[smtp]\nhost = "localhost"\n'), "reviews", Severity.LOW) == []
    only_high = settings_of('[[alerts.rules]]\nto = ["ann@example.org"]\nseverity = ["high"]\n')
    assert names(only_high, "reviews", Severity.LOW) == []


def test_everybody_stands_once_with_all_their_streams() -> None:
    """The digest goes to each person once, by the first rule that names them."""
    found = streams_by_recipient(settings_of(RULES))
    assert {route.recipient: streams for route, streams in found.items()} == {
        "Ann <ann@example.org>": ("reviews", "orders"),
        "channel:ops": ("reviews",),
        "bob@example.org": ("reviews", "orders"),
    }
    assert {route.recipient: route.timezone for route in found}["Ann <ann@example.org>"] == "Europe/Berlin"


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(["a@x.org", "A <a@X.org>", "b@x.org", "channel:ops"]), min_size=1),
            st.sampled_from([[], ["reviews"], ["orders"]]),
            st.sampled_from([[], ["high"], ["low"], ["high", "low"]]),
        ),
        max_size=4,
    )
)
def test_severities_add_up_and_nobody_is_told_twice(rules: list[tuple[list[str], list[str], list[str]]]) -> None:
    """Whoever any rule names for a stream and severity is told of it, exactly once, and nobody else."""
    more = "".join(f"[[alerts.rules]]\nto = {to}\nstreams = {on}\nseverity = {grave}\n" for to, on, grave in rules)
    settings = settings_of(more.replace("'", '"'), to='["own@x.org"]')
    for stream in settings.streams:
        for severity in Severity:
            due = {
                recipient_key(r)
                for to, on, grave in rules
                for r in to
                if (not on or stream in on) and (not grave or severity in grave)
            }
            due |= {"own@x.org"} if stream == "reviews" else set()
            found = [recipient_key(r) for r in names(settings, stream, severity)]
            served = bool(rules and any(not on or stream in on for _, on, _ in rules)) or stream == "reviews"
            assert Counter(found) == Counter(due if served else {NOBODY_IN_PARTICULAR})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[[alerts.rules]]\nto = ["nobody"]', "is not a mail address"),
        ('[[alerts.rules]]\nto = ["channel:o ps"]', "names no channel"),
        ("[[alerts.rules]]\nto = []", "tells nobody"),
        ('[[alerts.rules]]\nto = ["a@b.c"]\nstreams = ["x"]', "there is no stream 'x'"),
        ('[[alerts.rules]]\nto = ["a@b.c"]\ntimezone = "Berlin"', "'Berlin' is no time zone"),
        ('[[alerts.rules]]\nto = ["a@b.c"]\nquiet = "22-7"', "write from and to as HH:MM-HH:MM"),
        ('[[alerts.rules]]\nto = ["a@b.c"]\nquiet = "24:00-07:00"', "write from and to as HH:MM-HH:MM"),
        ('[[alerts.rules]]\nto = ["a@b.c"]\nquiet = "07:00-07:00"', "begins and ends at the same time"),
        ('[alerts]\ndigest = "Monday"', "says no weekday and time"),
        ('[alerts]\nreminders = "0h"', "is no time span"),
        ('[alerts]\nescalate_after = "2h"', "escalate_to names nobody"),
        ('[alerts]\nescalate_to = ["a@b.c"]', "escalate_after says no time"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(more: str, said: str) -> None:
    """Each wrong setting is told once, with what to write."""
    with pytest.raises(ConfigError) as refused:
        settings_of(more + "\n")
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@given(moments, st.sampled_from(ZONES), clocks, clocks)
def test_quiet_hours_end_on_the_recipients_clock(now: datetime, zone: str, begins: time, ends: time) -> None:
    """`high` never waits; `low` waits until the clock shows the end, less than a day and an hour, and then no more."""
    route = Route("ann@example.org", zone, (begins, ends))
    assert held_until(route, Severity.HIGH, now) is None
    end = held_until(route, Severity.LOW, now)
    local = now.astimezone(ZoneInfo(zone))
    if end is not None:
        assert now < end <= now + timedelta(hours=25)
        shown = end.astimezone(ZoneInfo(zone))
        assert shown.time() == ends or _skipped(shown, ends)
        assert held_until(route, Severity.LOW, end) != end
    elif begins != ends and not _clock_changes_near(now, zone):
        inside = begins <= local.time() < ends if begins < ends else not ends <= local.time() < begins
        assert not inside


def _clock_changes_near(now: datetime, zone: str) -> bool:
    offsets = {(now + timedelta(hours=h)).astimezone(ZoneInfo(zone)).utcoffset() for h in range(-26, 27)}
    return len(offsets) > 1


def _skipped(shown: datetime, meant: time) -> bool:
    """Whether the clock left out what was meant on that day."""
    local = datetime.combine(shown.date(), meant, shown.tzinfo)
    return local.astimezone(UTC).astimezone(shown.tzinfo).time() != meant


@pytest.mark.parametrize(
    ("zone", "now", "end"),
    [
        ("Europe/Berlin", "2026-03-28T22:30", "2026-03-29T05:00"),  # the night that is an hour shorter
        ("Europe/Berlin", "2026-10-24T21:30", "2026-10-25T06:00"),  # the night that is an hour longer
        ("America/New_York", "2026-03-08T04:30", "2026-03-08T11:00"),
        ("America/New_York", "2026-11-01T03:30", "2026-11-01T12:00"),
        ("Europe/Berlin", "2026-07-01T19:59", None),  # a minute before ten in the evening
        ("Europe/Berlin", "2026-07-01T20:00", "2026-07-02T05:00"),
        ("Europe/Berlin", "2026-07-02T05:00", None),
    ],
)
def test_quiet_hours_across_midnight_and_a_change_of_the_clock(zone: str, now: str, end: str | None) -> None:
    """22:00-07:00 ends at seven on the wall, also in the nights when the clock is changed."""
    route = Route("ann@example.org", zone, (time(22), time(7)))
    expected = datetime.fromisoformat(end).replace(tzinfo=UTC) if end else None
    assert held_until(route, Severity.LOW, datetime.fromisoformat(now).replace(tzinfo=UTC)) == expected


def test_reminders_come_after_n_after_twice_n_then_daily_for_a_week() -> None:
    """N = 4h: after 4 and 8 hours, then each day; from the eighth day on only the digest speaks of it."""
    told = datetime(2026, 6, 1, 14, tzinfo=UTC)
    spans = [at - told for at in reminder_times(told, timedelta(hours=4))]
    assert spans == [timedelta(hours=4), timedelta(hours=8), *(timedelta(days=k) for k in range(1, 8))]
    assert reminder_times(told, timedelta(days=8)) == ()
    assert reminder_due(told, None, 0, told + timedelta(days=3)) is None
    assert escalation_time(told, timedelta(hours=1)) == told + timedelta(hours=1)
    assert escalation_time(told, None) is None


@given(
    st.timedeltas(timedelta(minutes=1), timedelta(days=9)), st.lists(st.timedeltas(timedelta(0), timedelta(days=30)))
)
def test_no_reminder_comes_twice_however_the_clock_is_asked(every: timedelta, asked: list[timedelta]) -> None:
    """Numbers only grow, none is given before its time, and at most as many come as there are times."""
    told, already, given_numbers = datetime(2026, 6, 1, tzinfo=UTC), 0, []
    for span in sorted(asked):
        number = reminder_due(told, every, already, told + span)
        if number is not None:
            assert told + span >= reminder_times(told, every)[number - 1]
            given_numbers.append(number)
            already = number
    assert given_numbers == sorted(set(given_numbers))
    assert len(given_numbers) <= len(reminder_times(told, every))


@given(st.sampled_from(ZONES), st.integers(0, 6), clocks, moments)
def test_a_year_of_weeks_has_each_digest_once(zone: str, weekday: int, of_day: time, began: datetime) -> None:
    """Asked every five hours for a year, each week's digest has one time: not to come, a week after the last."""
    due: dict[str, datetime] = {}
    for hour in range(0, 365 * 24, 5):
        now = began + timedelta(hours=hour)
        week, at = newest_digest((weekday, of_day), zone, now)
        assert at <= now < at + timedelta(days=8, hours=1)
        assert due.setdefault(week, at) == at
    times = sorted(due.values())
    assert 52 <= len(times) <= 54
    steps = {later - earlier for earlier, later in pairwise(times)}
    assert steps <= {timedelta(days=7, hours=h) for h in (-1, 0, 1)}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_the_digest_comes_at_nine_on_the_wall_all_year(zone: str) -> None:
    """Winter and summer, also on the Monday after the clock was changed."""
    monday = WEEKDAYS.index("mon")
    for day in range(365):
        _, at = newest_digest((monday, time(9)), zone, datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=day))
        shown = at.astimezone(ZoneInfo(zone))
        assert (shown.weekday(), shown.time()) == (monday, time(9))
