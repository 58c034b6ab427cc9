"""Erasures in the store: each an intent before anything is touched, and how far it came; never what was erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables
from trueup.storage.database import Database
from trueup.storage.erasure import erasure_tables as t

BEGUN, TAKEN_OUT, DONE = "begun", "taken out", "done"


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """One erasure.

    kind: user or record; mark: the keyed hash of which. state: begun; taken out: the rows are, and all that was made of
    them; done: nothing is left. records: how many rows. versions: trained on some of them. files: of the
    archive, yet to be removed. left: places that it could not reach, in words.
    """

    id: str
    stream: str
    kind: str
    mark: str
    at: datetime
    who: str
    why: str
    state: str = BEGUN
    records: int = 0
    versions: tuple[int, ...] = ()
    files: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    done_at: datetime | None = field(default=None)


class ErasureLog:
    """Erasures and their tombstones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, erasure: Erasure) -> None:
        """Write the intent and its tombstone: from now on nothing of it comes in."""
        row = {column.name: getattr(erasure, column.name) for column in t.erasures.c}
        row |= {name: list(row[name]) for name in ("versions", "files", "left")}
        own = tables.streams.c.name == erasure.stream
        with self._database.write() as connection:
            connection.execute(sa.select(tables.streams.c.name).where(own).with_for_update())  # no batch is under way
            connection.execute(sa.insert(t.erasures), row)
            self._entomb(connection, erasure.stream, [erasure.mark])

    def entomb(self, stream: str, marks: Sequence[str]) -> None:
        """Keep what these hashes stand for from coming in."""
        with self._database.write() as connection:
            self._entomb(connection, stream, marks)

    def _entomb(self, connection: Connection, stream: str, marks: Sequence[str]) -> None:
        self._database.insert_new(connection, t.tombstones, [{"stream": stream, "mark": mark} for mark in marks])

    def went(self, connection: Connection, erasure: Erasure) -> None:
        """Keep how far it came."""
        kept = {
            "state": erasure.state, "records": erasure.records, "versions": list(erasure.versions),
            "files": list(erasure.files), "left": list(erasure.left), "done_at": erasure.done_at,
        }  # fmt: skip
        connection.execute(sa.update(t.erasures).where(t.erasures.c.id == erasure.id).values(**kept))

    def replace_file(self, connection: Connection, stream: str, former: str, name: str) -> None:
        """Keep which file stands for one that held erased rows."""
        f = t.erased_files.c
        connection.execute(sa.update(t.erased_files).where(f.stream == stream, f.name == former).values(name=name))
        self._database.insert_new(connection, t.erased_files, [{"stream": stream, "former": former, "name": name}])

    def replaced(self, stream: str) -> Mapping[str, str]:
        """By former name the file that stands for it now."""
        f = t.erased_files.c
        query = sa.select(f.former, f.name).where(f.stream == stream)
        with self._database.read() as connection:
            return {row.former: row.name for row in connection.execute(query)}

    def of(self, stream: str) -> list[Erasure]:
        """All erasures of a stream, newest first."""
        e = t.erasures.c
        with self._database.read() as connection:
            found = connection.execute(sa.select(t.erasures).where(e.stream == stream).order_by(e.at.desc(), e.id))
            return [_erasure(row) for row in found]

    def any(self) -> bool:
        """Whether anything was ever erased, of whatever stream."""
        with self._database.read() as connection:
            return connection.execute(sa.select(t.erasures.c.id).limit(1)).first() is not None

    def unfinished(self, stream: str) -> list[Erasure]:
        """Those that are not done, oldest first."""
        return [erasure for erasure in self.of(stream)[::-1] if erasure.state != DONE]

    def marks(self, stream: str) -> list[str]:
        """All tombstones of a stream."""
        c = t.tombstones.c
        with self._database.read() as connection:
            return list(connection.execute(sa.select(c.mark).where(c.stream == stream).order_by(c.mark)).scalars())


def _erasure(row: sa.Row[Any]) -> Erasure:
    held = dict(row._mapping)
    return Erasure(**held | {name: tuple(held[name]) for name in ("versions", "files", "left")})
