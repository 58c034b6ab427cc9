"""Whether a stream's source can be read, and whether the store holds as many records of each day as it does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from trueup.feedback.sources.pulling import Feed, StreamSource
from trueup.flows.app import App
from trueup.flows.sources.opening import source_of
from trueup.storage.arrival_courses import ArrivalCourses
from trueup.storage.periods import DAYS
from trueup.storage.stream import OrderTime, StreamSettings

_DAYS = 14  # the newest, that are compared
_NAMED = 3


def state_of_source(app: App, stream: StreamSettings, feed: Feed) -> tuple[bool, str, str]:
    """Whether all is well, what was found, and how to mend it.

    Raises:
        SourceFailed: the place cannot be reached or read.
        ConfigError: its settings describe none that may be read.
    """
    source = source_of(app, stream, feed)
    there = source.reach()
    if feed is Feed.FEEDBACK or isinstance(stream.time, OrderTime):
        return True, there, ""
    counted, short = _days_short(app, stream, source)
    if not short:
        agreed = f"; of {counted} days compared, none has fewer records in the store" if counted else ""
        return True, f"{there}{agreed}", ""
    named = ", ".join(f"{day} ({here:,} of {all:,})" for day, (here, all) in sorted(short.items())[-_NAMED:])
    said = f"{there}; {len(short)} of {counted} days have fewer records in the store than in the source: {named}"
    return False, said, f"take the files of these days in again: trueup ingest FILE --stream {stream.name}"


def _days_short(app: App, stream: StreamSettings, source: StreamSource) -> tuple[int, Mapping[date, tuple[int, int]]]:
    """How many days were compared, and of those with fewer records in the store: how many here, how many there."""
    courses = ArrivalCourses(app.database)
    extent = courses.extent(stream.name)
    if extent is None:
        return 0, {}
    since = extent.last.date() - timedelta(days=_DAYS - 1)
    there = source.rows_by_day(since)
    here = courses.records(stream.name, DAYS, datetime.combine(since, time(), UTC))
    stored = {DAYS.start(number).date(): count for number, count in here.items()}
    short = {day: (stored.get(day, 0), count) for day, count in there.items() if stored.get(day, 0) < count}
    return len(there), short
