"""What trainers were asked for: durable before anybody is asked, so that no crash loses a training or asks twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage.database import Database
from trueup.storage.trainers.trainer_settings import Trainer
from trueup.storage.trainers.trainer_tables import training_requests as table


class RequestState(StrEnum):
    """How far a request came."""

    OPEN = "open"  # asked, or about to be
    TAKEN = "taken"  # what it gave back became a version
    NOTHING = "nothing"  # the trainer had nothing to propose
    FAILED = "failed"  # it gave back nothing that can be used, or came too late
    AGAIN = "again"  # the next try of the same run was asked instead


@dataclass(frozen=True, kw_only=True)
class TrainerRequest:
    """One try of a trainer.

    asked: who or what asked for the training, as `trueup.flows.train.lineage` puts it. terms: `trainer` (its settings
    then), `snapshot` (the archive's name of the rows), `seed`, `who`, `data` (the tests of the rows), `folds` (whose
    labels are withheld in a training each, after that of the model). told: what is
    known of it since it was asked.
    """

    key: str
    stream: str
    run: str
    attempt: int
    as_of: datetime
    asked_at: datetime
    deadline: datetime
    asked: Mapping[str, Any]
    terms: Mapping[str, Any]
    state: RequestState = RequestState.OPEN
    ended_at: datetime | None = None
    told: Mapping[str, Any]

    @property
    def trainer(self) -> Trainer:
        """The trainer's settings when it was asked."""
        return Trainer(**self.terms["trainer"])

    @property
    def folds(self) -> tuple[int, ...]:
        """The folds whose labels are withheld in a training each."""
        return tuple(self.terms.get("folds", ()))

    def tried_again(self, now: datetime) -> TrainerRequest:
        """The next try of the same training, in as much time."""
        attempt = self.attempt + 1
        return replace(
            self, key=try_key(self.run, attempt), attempt=attempt, asked_at=now,
            deadline=now + (self.deadline - self.asked_at), state=RequestState.OPEN, ended_at=None, told={},
        )  # fmt: skip


def try_key(run: str, attempt: int) -> str:
    """The name of one try of a run."""
    return f"{run}-{attempt}"


class TrainerRequests:
    """The requests in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, connection: Connection, request: TrainerRequest) -> None:
        """Write a request down; done again it changes nothing."""
        row = {**request.__dict__, "state": str(request.state), "asked": dict(request.asked)}
        self._database.insert_new(connection, table, [row | {"terms": dict(request.terms), "told": dict(request.told)}])

    def tell(self, connection: Connection, key: str, **told: Any) -> None:
        """Add to what is known of a request."""
        known = connection.execute(sa.select(table.c.told).where(table.c.key == key)).scalar_one()
        connection.execute(sa.update(table).where(table.c.key == key).values(told={**known, **told}))

    def close(self, connection: Connection, key: str, state: RequestState, now: datetime, **told: Any) -> None:
        """End a request, with what is told of its end."""
        self.tell(connection, key, **told)
        connection.execute(sa.update(table).where(table.c.key == key).values(state=str(state), ended_at=now))

    def open_one(self, stream: str) -> TrainerRequest | None:
        """The request of a stream that is not closed; there is one at most."""
        return next(iter(self._list(table.c.stream == stream, table.c.state == str(RequestState.OPEN))), None)

    def newest_try(self, run: str) -> TrainerRequest:
        """The newest try of a run that was asked for."""
        return self._list(table.c.run == run, limit=1)[0]

    def history(self, stream: str, *, limit: int | None = None) -> list[TrainerRequest]:
        """The newest `limit` requests (None: all), newest first."""
        return self._list(table.c.stream == stream, limit=limit)

    def _list(self, *conditions: sa.ColumnElement[bool], limit: int | None = None) -> list[TrainerRequest]:
        newest = table.c.asked_at.desc(), table.c.attempt.desc()
        query = sa.select(table).where(*conditions).order_by(*newest).limit(limit)
        with self._database.read() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query)]
        return [TrainerRequest(**{**row, "state": RequestState(row["state"])}) for row in rows]
