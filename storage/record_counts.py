"""How many records a stream has, and since when: what is known of them without reading one."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.stream import StreamSettings
from trueup.storage.stream_numbers import numbered
from trueup.storage.timepoints import TICK


class RecordCounts:
    """Figures of the store of records that SQL alone gives, for who would not wait for Arrow and pandas."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def records(self, stream: StreamSettings) -> int:
        """How many records the stream has."""
        query = sa.select(sa.func.count()).where(t.records.c.stream == numbered(stream.name))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def first_received(self, stream: StreamSettings) -> datetime | None:
        """When the stream's first record was taken in, or None."""
        query = sa.select(sa.func.min(t.segments.c.received_at)).where(t.segments.c.stream == stream.name)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def newest_since(self, stream: StreamSettings, count: int, *, after: datetime, as_of: datetime) -> datetime:
        """After when the newest `count` records with after < time ≤ as_of happened; `after` where there are fewer."""
        r = t.records.c
        mine = sa.select(r.time).where(r.stream == numbered(stream.name), r.time > after, r.time <= as_of)
        with self._database.read() as connection:
            oldest = connection.execute(mine.order_by(r.time.desc()).offset(count - 1).limit(1)).scalar()
        return after if oldest is None else max(after, oldest - TICK)
