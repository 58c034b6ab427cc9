"""Windows that a person accepted as the new baseline of an input signal, until the champion changes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from trueup.storage import tables as t
from trueup.storage.database import Database


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The records of a check's window, first to last event time, both included, that `code` compares with from now on.

    version: the champion under which it was accepted; with another one it does not hold.
    """

    stream: str
    code: str
    version: int
    report_id: str
    first_time: datetime
    last_time: datetime
    at: datetime
    who: str
    why: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])


class BaselineLog:
    """Accepted windows in the store, kept for ever; of several for one code the newest holds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, baselines: list[Baseline]) -> None:
        with self._database.write() as connection:
            connection.execute(sa.insert(t.baselines), [baseline.__dict__ for baseline in baselines])

    def accepted(self, stream: str, version: int) -> dict[str, Baseline]:
        """The baselines in force under a champion, by code."""
        b = t.baselines.c
        query = sa.select(t.baselines).where(b.stream == stream, b.version == version).order_by(b.at, b.id)
        with self._database.read() as connection:
            return {row.code: Baseline(**row._mapping) for row in connection.execute(query)}
