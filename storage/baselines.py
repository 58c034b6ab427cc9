"""Records that a signal is compared with in place of the champion's own reference, under one champion."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.database import Database


class BaselineKind(StrEnum):
    """Why the records are a baseline."""

    ACCEPTED = "accepted"  # by a person: the window of one check
    ANSWERED = "answered"  # the champion was trained on the records since a change
    HARMLESS = "harmless"  # no challenger was better after a change, and quality stayed as it was


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The records that `code` compares with from now on: first to last event time, both included.

    Where a change was answered or harmless they are those since the change, and some that follow: see
    `trueup.flows.check.answered`. version: the champion under which it holds; with another one it does not.
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
    kind: str = BaselineKind.ACCEPTED
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def of(self, code: str) -> Baseline:
        """The same records for another signal."""
        return replace(self, code=code, id=uuid.uuid4().hex[:12])

    def under(self, version: int, at: datetime) -> Baseline:
        """The same under another champion, from a moment on."""
        return replace(self, version=version, at=at, id=uuid.uuid4().hex[:12])


class BaselineLog:
    """Baselines in the store, kept for ever; of several for one code the newest holds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, baselines: Sequence[Baseline]) -> None:
        with self._database.write() as connection:
            self.add_within(connection, baselines)

    def add_within(self, connection: Connection, baselines: Sequence[Baseline]) -> None:
        """Add them in the transaction of what moved them."""
        if baselines:
            rows = [{**baseline.__dict__, "kind": str(baseline.kind)} for baseline in baselines]
            connection.execute(sa.insert(t.baselines), rows)

    def accepted(self, stream: str, version: int) -> dict[str, Baseline]:
        """The baselines in force under a champion, by code, of every kind."""
        b = t.baselines.c
        query = sa.select(t.baselines).where(b.stream == stream, b.version == version).order_by(b.at, b.id)
        with self._database.read() as connection:
            return {row.code: Baseline(**row._mapping) for row in connection.execute(query)}
