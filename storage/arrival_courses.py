"""How much came over time, and how late labels were: counted by the store in even periods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.instants import microseconds
from trueup.storage.periods import EvenPeriods
from trueup.storage.stream_numbers import numbered
from trueup.storage.timepoints import TICK


@dataclass(frozen=True)
class RecordExtent:
    """The event times of a stream's oldest and newest record."""

    first: datetime
    last: datetime


@dataclass(frozen=True)
class LabelDelay:
    """A labelled record: its event time, and how long after it its first label was known."""

    at: datetime
    delay: timedelta


class ArrivalCourses:
    """Looks up how records and labels came; reads the newest rows of an index, and changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def extent(self, stream: str) -> RecordExtent | None:
        """When the records begin and end; None without any."""
        at = t.records.c.time
        ends = (sa.select(end(at)).where(t.records.c.stream == numbered(stream)) for end in (sa.func.min, sa.func.max))
        with self._database.read() as connection:
            first, last = (connection.execute(query).scalar() for query in ends)
        return None if first is None or last is None else RecordExtent(first, last)

    def last_record(self, stream: str, until: datetime) -> datetime | None:
        """When the newest record up to a time happened; None without any."""
        r = t.records.c
        newest = sa.select(sa.func.max(r.time)).where(r.stream == numbered(stream), r.time <= until)
        with self._database.read() as connection:
            return connection.execute(newest).scalar()

    def records(self, stream: str, periods: EvenPeriods, since: datetime) -> dict[int, int]:
        """How many records each period has, by its number, from a time on; one without any is left out."""
        return self._counted(t.records.c, t.records.c.time, stream, periods, since)

    def last_feedback(self, stream: str) -> datetime | None:
        """When the newest feedback was given; None without any."""
        f = t.feedback.c
        with self._database.read() as connection:
            return connection.execute(sa.select(sa.func.max(f.at)).where(f.stream == numbered(stream))).scalar()

    def feedback(self, stream: str, periods: EvenPeriods, since: datetime) -> dict[int, int]:
        """As `records`, of feedback by when it was given."""
        return self._counted(t.feedback.c, t.feedback.c.at, stream, periods, since)

    def _counted(self, of: Any, at: Any, stream: str, periods: EvenPeriods, since: datetime) -> dict[int, int]:
        """Rows by the period of a column. of: the columns of their table."""
        begin, length = periods.ticks
        number = (sa.type_coerce(at, sa.BigInteger) - begin) // length
        query = sa.select(number, sa.func.count()).where(of.stream == numbered(stream), at >= since).group_by(number)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def label_delays(self, stream: str, since: datetime, limit: int) -> list[LabelDelay]:
        """The newest `limit` labelled records from a time on, newest first; a label that overrides is no second one."""
        r, label = t.records.c, t.labels.c
        found: list[sa.Row[tuple[int, datetime, int]]] = []
        with self._database.read() as connection:
            for of, known_at in ((r, r.label_known_at), (label, label.known_at)):
                query = sa.select(of.seq, of.time, sa.type_coerce(known_at, sa.BigInteger).label("known")).where(
                    of.stream == numbered(stream), of.time >= since, known_at.is_not(None)
                )
                found += connection.execute(query.order_by(of.time.desc()).limit(limit)).all()
        first: dict[int, tuple[datetime, int]] = {}
        for record, at, known in sorted(found, key=lambda row: row.time, reverse=True)[:limit]:
            if record not in first or known < first[record][1]:
                first[record] = (at, known)
        return [LabelDelay(at, (known - microseconds(at)) * TICK) for at, known in first.values()]
