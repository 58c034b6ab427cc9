"""Records that were changed after they were stored: each change is kept, and known from its arrival on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.database import Database
from trueup.storage.incoming import Incoming
from trueup.storage.instants import microseconds
from trueup.storage.segments import write_segment
from trueup.storage.stream import StreamSettings

_AT_ONCE = 500  # places in one statement; SQLite allows 32,766 values
State = tuple[int, str | None]  # what a record says: the fingerprint of its content, and its label


@dataclass(frozen=True)
class Revised:
    """A change of a record on its way into the store; number: 1 for its first."""

    row: int  # of the batch
    record_id: str
    stream: int
    seq: int
    time: datetime
    number: int
    state: State


@dataclass
class Revisions:
    """What is known of a record's changes, while a batch is looked through."""

    states: set[State] = field(default_factory=set)
    last: int = 0


class RevisionLog:
    """Revisions in the store: their content in Parquet beside that of the records."""

    def __init__(self, database: Database, archive: Archive) -> None:
        self._database = database
        self._archive = archive

    def known(self, connection: Connection, stream: int, places: Sequence[int]) -> dict[int, Revisions]:
        """The changes so far of the records at these places of a stream's intake order; only of those that have any."""
        r = t.revisions.c
        query = sa.select(r.seq, r.number, r.fingerprint, r.label).where(r.stream == stream)
        found: dict[int, Revisions] = {}
        for start in range(0, len(places), _AT_ONCE):
            for row in connection.execute(query.where(r.seq.in_(places[start : start + _AT_ONCE]))):
                own = found.setdefault(row.seq, Revisions())
                own.states.add((row.fingerprint, row.label))
                own.last = max(own.last, row.number)
        return found

    def add(
        self,
        connection: Connection,
        stream: StreamSettings,
        incoming: Incoming,
        revised: Sequence[Revised],
        now: datetime,
    ) -> None:
        """Keep changes, and the labels that they bring, as known from now on."""
        if not revised:
            return
        segment = write_segment(
            self._archive, stream, "revisions", incoming.table.take([r.row for r in revised]),
            ids=np.array([r.record_id for r in revised], object),
            times=np.array([microseconds(r.time) for r in revised], np.int64).view("datetime64[us]"),
            seq=np.array([r.seq for r in revised], np.int64),
        )  # fmt: skip
        shared = [
            {"stream": r.stream, "seq": r.seq, "time": r.time, "known_at": now} for r in revised
        ]
        connection.execute(
            sa.insert(t.revisions),
            [
                held | {
                    "number": r.number, "segment": segment.name, "place": place, "fingerprint": r.state[0],
                    "label": r.state[1],
                }
                for place, (held, r) in enumerate(zip(shared, revised, strict=True))
            ],
        )  # fmt: skip
        labels = [
            held | {"provenance": "record", "source": f"revision {r.number}", "value": r.state[1]}
            for held, r in zip(shared, revised, strict=True)
            if r.state[1] is not None
        ]
        self._database.insert_new(connection, t.labels, labels)
