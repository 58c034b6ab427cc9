"""Pausing and resuming a stream: who did it, when and why, kept for ever."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from trueup.storage import tables as t
from trueup.storage.database import Database


@dataclass(frozen=True, kw_only=True)
class Pause:
    """A stream was paused, or (paused is false) resumed."""

    stream: str
    paused: bool
    at: datetime
    who: str
    why: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def said(self) -> str:
        """Since when, by whom and why, in a sentence with the way on."""
        return (
            f"paused since {self.at:%Y-%m-%d %H:%M} UTC by {self.who}: {self.why}; no cycle acts on '{self.stream}' "
            f"until: trueup resume --stream {self.stream} --why '...'"
        )


class PauseLog:
    """Pauses in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, pause: Pause) -> None:
        with self._database.write() as connection:
            connection.execute(sa.insert(t.pauses), pause.__dict__)

    def history(self, stream: str) -> list[Pause]:
        """Every pause and resumption, newest first."""
        p = t.pauses.c
        query = sa.select(t.pauses).where(p.stream == stream).order_by(p.at.desc())
        with self._database.read() as connection:
            return [Pause(**row._mapping) for row in connection.execute(query)]

    def current(self, stream: str) -> Pause | None:
        """The pause in force, or None."""
        last = next(iter(self.history(stream)), None)
        return last if last and last.paused else None
