"""The weekly digest, and what waited through quiet hours: one letter over several streams, from frozen values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from trueup.monitoring.check import Signal, Verdict, Worse
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.digest import (
    CHANGES,
    ChangeOfWeek,
    Week,
    WeekOfStream,
    digest_letter,
    letter_after_quiet_hours,
)
from trueup.reports.alerts.letter import Letter, Standing
from trueup.reports.alerts.situation import IncidentState

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
METRIC = Signal(
    code="PRF-METRIC", name="f1_macro", verdict=Verdict.OK, said="", value=0.913, effect=0.02, worse=Worse.LOWER
)
QUIET = WeekOfStream(
    stream="reviews", champion=3, metric=METRIC, ok=168, breached=0, unjudged=0, open=(), closed=0, changes=()
)


def incident(number: int, severity: Severity = Severity.HIGH, by: str = "", stream: str = "reviews") -> IncidentState:
    """An open incident, the older the higher its number."""
    return IncidentState(
        id=f"inc{number}",
        causes=("metric",),
        codes=("PRF-METRIC",),
        severity=severity,
        stem=f"{stream}: more wrong answers since {number} June",
        opened_at=NOW - timedelta(days=number),
        acknowledged_by=by,
    )


def week_of(*streams: WeekOfStream, zone: str = "Europe/Berlin") -> Week:
    """The week before NOW."""
    return Week(since=NOW - timedelta(days=7), until=NOW, timezone=zone, streams=streams, home="/srv/shop", host="ml1")


def test_a_week_in_which_nothing_happened_says_so() -> None:
    """The news is that all is well, by how many checks, and that there is nothing to do."""
    letter = digest_letter(week_of(QUIET))
    assert letter.subject == "week to 30 November: no open incident"
    assert letter.wrong == "Nothing happened: 168 checks, all ok."
    assert letter.affected == "reviews: macro-F1 0.91 (reference 0.93), v3 answers."
    assert letter.done == "168 checks, all ok; no version changed."
    assert (letter.todo, letter.action) == ("Nothing.", None)
    assert dict(letter.foot)["to"] == "2026-11-30 09:00 CET"


def test_open_incidents_come_first_and_nobodys_before_somebodys() -> None:
    """The gravest that nobody has is named first and is what the command acknowledges."""
    orders = replace(QUIET, stream="orders", open=(incident(9, Severity.LOW, stream="orders"),))
    reviews = replace(QUIET, open=(incident(3, by="ann"), incident(2)))
    letter = digest_letter(week_of(orders, reviews))
    assert letter.subject == "week to 30 November: 3 open incidents"
    assert letter.wrong.startswith("3 open incidents: reviews: more wrong answers since 2 June (high); ")
    assert letter.todo.startswith("2 open incidents nobody has acknowledged")
    assert letter.action
    assert letter.action.command == "trueup alerts ack inc2"
    rows = letter.sections[0].rows
    assert [row[0] for row in rows] == ["inc2", "inc3", "inc9"]
    assert rows[0][2] == "high, since 2026-11-28 08:00 UTC, nobody has it"
    assert rows[1][2].endswith("ann has it")


def test_a_stream_that_nothing_checked_is_no_healthy_one() -> None:
    """No check in a week is told first, unless a person paused the stream."""
    idle = replace(QUIET, stream="orders", ok=0, metric=None)
    letter = digest_letter(week_of(QUIET, idle))
    assert letter.subject == "week to 30 November: 1 stream not checked"
    assert letter.wrong == "Not checked: orders."
    assert letter.todo == "Find out why nothing was checked: orders."
    assert digest_letter(week_of(idle)).done == "No checks; no version changed."
    paused = digest_letter(week_of(QUIET, replace(idle, paused=True)))
    assert paused.wrong == "Nothing happened: 168 checks, all ok."
    assert "orders: paused" in paused.affected


def test_checks_that_could_not_be_judged_are_no_good_news() -> None:
    """Where no check of the week said anything, neither does the digest."""
    letter = digest_letter(week_of(replace(QUIET, ok=0, unjudged=5, metric=None)))
    assert letter.wrong == "Not known: none of 5 checks could be judged."
    assert letter.affected == "reviews: quality not known, too few labels, v3 answers."


def test_the_weeks_versions_are_counted_and_listed() -> None:
    """Promotions, rollbacks, refusals and what waits: counted in a line, in order of time below."""
    changes = (
        ChangeOfWeek(at=NOW - timedelta(days=1), what="refused", from_version=4, to_version=5, who="trueup (schedule)"),
        ChangeOfWeek(at=NOW - timedelta(days=4), what="promoted", from_version=3, to_version=4, who="ann"),
        ChangeOfWeek(at=NOW - timedelta(hours=5), what="waits for a person", from_version=4, to_version=6),
        ChangeOfWeek(at=NOW - timedelta(hours=9), what="refused", from_version=4, to_version=None),
    )
    letter = digest_letter(week_of(replace(QUIET, changes=changes, closed=1, ok=160, breached=6, unjudged=2)))
    assert letter.wrong == "No incident is open; 168 checks: 160 ok, 6 breached, 2 not judged."
    assert letter.done == (
        "1 promotion, 2 refusals, 1 version that waits for a person, 1 incident closed; "
        "168 checks: 160 ok, 6 breached, 2 not judged."
    )
    assert letter.todo == "Decide on the version that waits: reviews."
    told = [row[1] for row in letter.sections[0].rows]
    assert letter.sections[0].rows[0][2] == "2026-11-26 09:00 CET, ann"
    assert letter.sections[1].rows[0][2] == "168 checks, 6 breached, 2 not judged"
    assert told == ["promoted: v3 → v4", "v5 refused", "nothing could be trained", "v6 waits for a person"]


incidents = st.builds(
    incident, st.integers(1, 99), st.sampled_from(list(Severity)), st.sampled_from(["", "ann"]), st.just("s")
)
changes = st.builds(
    ChangeOfWeek,
    at=st.datetimes(datetime(2026, 11, 23), datetime(2026, 11, 29), timezones=st.just(UTC)),
    what=st.sampled_from(list(CHANGES)),
    from_version=st.none() | st.integers(1, 9),
    to_version=st.none() | st.integers(1, 9),
)
streams = st.builds(
    WeekOfStream,
    stream=st.sampled_from(["a", "reviews", "x" * 40]),
    champion=st.none() | st.integers(1, 99),
    metric=st.none() | st.just(METRIC),
    ok=st.integers(0, 2000),
    breached=st.integers(0, 9),
    unjudged=st.integers(0, 9),
    open=st.lists(incidents, max_size=4).map(tuple),
    closed=st.integers(0, 3),
    changes=st.lists(changes, max_size=4).map(tuple),
    paused=st.booleans(),
    predicts=st.booleans(),
)


@given(st.lists(streams, min_size=1, max_size=30).map(tuple))
def test_any_week_is_a_whole_letter(found: tuple[WeekOfStream, ...]) -> None:
    """Four full lines however many streams there are, tables with full rows, and no silence that looks like health."""
    week = week_of(*found, zone="America/New_York")
    letter = digest_letter(week)
    assert len(letter.subject) <= 60
    assert all(line.strip().endswith(".") and len(line) < 500 for line in letter.lines)
    assert all(len(row) == len(part.columns) == 3 for part in letter.sections for row in part.rows)
    well = not week.open and not week.idle
    assert letter.wrong.startswith(("Nothing happened", "No incident is open", "Not known")) == well
    if letter.wrong.startswith("Nothing happened"):
        assert not any(s.breached or s.changes or s.closed for s in found)


def letter_of(number: int, standing: Standing, severity: Severity = Severity.LOW, todo: str = "Look today.") -> Letter:
    """What one stream would have been told."""
    return Letter(
        stream=f"s{number}",
        kind="incident_opened",
        severity=severity,
        standing=standing,
        stem=f"s{number}: input data changed",
        tag="CLOSED" if standing is Standing.CLOSED else severity.upper(),
        wrong=f"wrong {number}.",
        affected=f"affected {number}.",
        done=f"done {number}.",
        todo=todo,
        incidents=(f"inc{number}",),
    )


def test_what_waited_is_one_letter_with_what_is_open_first() -> None:
    """The open one leads, the closed one follows, and each keeps its four lines below."""
    closed, still = letter_of(1, Standing.CLOSED, todo="Nothing."), letter_of(2, Standing.OPEN)
    letter = letter_after_quiet_hours([closed, still])
    assert letter.subject == "[LOW] 2 messages after quiet hours: 1 still open"
    assert letter.wrong == "s2: input data changed: wrong 2."
    assert letter.done == "done 2. And 1 more below."
    assert letter.todo == "Look today."
    assert letter.incidents == ("inc2", "inc1")
    assert [part.title for part in letter.sections] == [
        "[LOW] s2: input data changed",
        "[CLOSED] s1: input data changed",
    ]
    assert [row[1] for row in letter.sections[1].rows] == ["wrong 1.", "affected 1.", "done 1.", "Nothing."]


def test_one_letter_that_waited_stays_as_it_is() -> None:
    """There is nothing to gather."""
    one = letter_of(1, Standing.OPEN)
    assert letter_after_quiet_hours([one]) is one


def test_where_nothing_is_open_any_more_there_is_nothing_to_do() -> None:
    """Two that opened and closed overnight say so in the subject."""
    letter = letter_after_quiet_hours([letter_of(k, Standing.CLOSED, todo="Nothing.") for k in (1, 2)])
    assert letter.subject == "[CLOSED] 2 messages after quiet hours: nothing is open any more"
    assert letter.todo == "Nothing."
