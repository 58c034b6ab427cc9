"""Whether a stream's source can be read, and whether the store holds as much of each day as it does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from trueup.feedback.sources.pulling import Feed, StreamSource
from trueup.flows.app import App
from trueup.flows.sources.opening import PULL_COMMANDS, source_of, source_settings
from trueup.storage.arrival_courses import ArrivalCourses
from trueup.storage.formatting import counted_noun
from trueup.storage.periods import DAYS
from trueup.storage.stream import OrderTime, StreamSettings

_DAYS = 14  # the newest, that are compared
_NAMED = 3
_REPAIR = "correct that at the source, or take it out there; then: trueup {command} --stream {stream}"
_FEWER = {Feed.RECORDS: "fewer records", Feed.FEEDBACK: "less feedback"}


def state_of_source(app: App, stream: StreamSettings, feed: Feed) -> tuple[bool, str, str]:
    """Whether all is well, what was found, and how to mend it.

    Raises:
        SourceFailed: the place cannot be reached or read.
        ConfigError: its settings describe none that may be read.
    """
    source = source_of(app, stream, feed)
    there, problems = source.reach(), source.problems()
    if problems:
        more = f" And {len(problems) - 1:,} more such." if len(problems) > 1 else ""
        return False, f"{there}; {problems[0]}{more}", _REPAIR.format(command=PULL_COMMANDS[feed], stream=stream.name)
    if feed is Feed.RECORDS and isinstance(stream.time, OrderTime):
        return True, there, ""
    counted, short = _days_short(app, stream, feed, source)
    compared = f"{there}; of {counted_noun(counted, 'day')} compared"
    if not short:
        return True, f"{compared}, none has {_FEWER[feed]} in the store" if counted else there, ""
    named = ", ".join(f"{day} ({here:,} of {all:,})" for day, (here, all) in sorted(short.items())[-_NAMED:])
    have = "has" if len(short) == 1 else "have"
    said = f"{compared}, {len(short)} {have} {_FEWER[feed]} in the store than in the source: {named}"
    return False, said, _mend(stream, feed)


def _mend(stream: StreamSettings, feed: Feed) -> str:
    command = PULL_COMMANDS[feed]
    if source_settings(stream, feed).sql:
        brought = f"set look_back so that it reaches these days, then: trueup {command} --stream {stream.name}"
    else:
        brought = f"take the files of these days in again: trueup {command} FILE --stream {stream.name}"
    if feed is Feed.RECORDS:
        return brought
    waiting = f"trueup quarantine release --all --stream {stream.name}"
    return f"what came before its record waits in quarantine: {waiting}; else {brought}"


def _days_short(
    app: App, stream: StreamSettings, feed: Feed, source: StreamSource
) -> tuple[int, Mapping[date, tuple[int, int]]]:
    """How many days were compared, and of those with less in the store: how much here, how much there."""
    courses = ArrivalCourses(app.database)
    if feed is Feed.RECORDS:
        extent, counts = courses.extent(stream.name), courses.records
        last = extent.last if extent else None
    else:
        last, counts = courses.last_feedback(stream.name), courses.feedback
    if last is None:
        return 0, {}
    since = last.date() - timedelta(days=_DAYS - 1)
    there = source.rows_by_day(since)
    here = counts(stream.name, DAYS, datetime.combine(since, time(), UTC))
    stored = {DAYS.start(number).date(): count for number, count in here.items()}
    short = {day: (stored.get(day, 0), count) for day, count in there.items() if stored.get(day, 0) < count}
    return len(there), short
