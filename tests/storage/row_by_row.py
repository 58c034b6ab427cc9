"""Appending row by row, in plain Python: what the append in columns is held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.content import fingerprints
from trueup.storage.database import Database
from trueup.storage.incoming import Appended, Incoming, Refused
from trueup.storage.instants import microseconds
from trueup.storage.quarantine import QuarantineLog
from trueup.storage.records.beginning import locked_stream
from trueup.storage.revisions import Revised, RevisionLog, Revisions
from trueup.storage.segments import write_segment
from trueup.storage.stream import StreamSettings


@dataclass
class Standing:
    """A record that is stored."""

    seq: int
    time: datetime
    fingerprint: int
    label: str | None


class RowByRow:
    """A store of records whose time is a column: each row is looked up, judged and stored by itself."""

    def __init__(self, database: Database, archive: Archive) -> None:
        self.database, self.archive = database, archive
        self.quarantine, self.revisions = QuarantineLog(database), RevisionLog(database, archive)

    def append(self, stream: StreamSettings, incoming: Incoming, *, now: datetime) -> Appended:
        marks = fingerprints(stream, incoming.table, incoming.times)
        with self.database.write() as connection:
            number, _ = locked_stream(self.database, connection, stream)
            done = [self._one(connection, number, stream, incoming, k, int(marks[k]), now) for k in range(len(marks))]
        return sum(done, Appended())

    def _one(
        self, connection: Connection, number: int, stream: StreamSettings, incoming: Incoming, k: int, mark: int,
        now: datetime,
    ) -> Appended:  # fmt: skip
        record_id = str(incoming.ids[k])
        label = None if np.isnat(incoming.known_at[k]) else incoming.labels[k]
        known_at = None if label is None else int(incoming.known_at[k].astype(np.int64))
        stands = self._standing(connection, number, record_id)
        if stands is None:
            self._store(connection, number, stream, incoming, k, mark, label, known_at, now)
            return Appended(accepted=1, labelled=int(incoming.labelled[k]))
        if stands.fingerprint != mark or (label is not None and stands.label not in (None, label)):
            if stream.on_change == "refuse":
                self.quarantine.add(connection, stream, "record", [_refused(incoming, k, mark, label)], "f", now)
                return Appended(quarantined=1)
            before = self.revisions.known(connection, number, [stands.seq]).get(stands.seq, Revisions())
            if (mark, label) in before.states:
                return Appended(duplicate=1)
            change = Revised(k, record_id, number, stands.seq, stands.time, before.last + 1, (mark, label))
            self.revisions.add(connection, stream, incoming, [change], now)
            return Appended(revised=1)
        if stands.label is None and label is not None:
            here = (t.records.c.stream == number) & (t.records.c.seq == stands.seq)
            connection.execute(sa.update(t.records).where(here).values(label=label, label_known_at=known_at))
        return Appended(duplicate=1)

    def _standing(self, connection: Connection, number: int, record_id: str) -> Standing | None:
        r = t.records.c
        query = sa.select(r.seq, r.time, r.fingerprint, r.label).where(r.stream == number, r.id == record_id)
        found = connection.execute(query).one_or_none()
        return None if found is None else Standing(*found)

    def _store(
        self, connection: Connection, number: int, stream: StreamSettings, incoming: Incoming, k: int, mark: int,
        label: str | None, known_at: int | None, now: datetime,
    ) -> None:  # fmt: skip
        count = sa.select(sa.func.count()).where(t.records.c.stream == number)
        seq = int(connection.execute(count).scalar_one())
        time = int(incoming.times[k].astype(np.int64))
        part = write_segment(
            self.archive, stream, "records", incoming.table.take([k]), ids=incoming.ids[[k]], times=incoming.times[[k]],
            seq=np.array([seq]),
        )
        connection.execute(sa.insert(t.segments), {
            "stream": stream.name, "name": part.name, "first_seq": seq, "rows": 1, "first_time": time,
            "last_time": time, "source": "f", "received_at": now,
        })  # fmt: skip
        connection.execute(sa.insert(t.records), {
            "stream": number, "seq": seq, "id": str(incoming.ids[k]), "time": time,
            "evaluation": bool(part.evaluation[0]), "content": int(part.content[0]), "fingerprint": mark,
            "label": label, "label_known_at": known_at,
        })  # fmt: skip
        connection.execute(sa.update(t.streams).where(t.streams.c.number == number).values(next_seq=seq + 1))


def _refused(incoming: Incoming, k: int, mark: int, label: str | None) -> Refused:
    return Refused(1, "conflict", "", incoming.raw[k], None, f"{incoming.ids[k]}|{mark}|{label}")


def stored(database: Database) -> dict[str, Sequence[tuple[object, ...]]]:
    """All rows of the tables of records, in the order of their keys, but for the names of Parquet files."""
    kept = {
        "streams": "number, name, next_seq", "labels": "stream, seq, provenance, source, time, known_at, value",
        "records": "stream, seq, id, time, evaluation, content, fingerprint, label, label_known_at",
        "revisions": "stream, seq, number, time, known_at, fingerprint, label", "quarantine": "id, reason, raw",
    }  # fmt: skip
    with database.read() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(sa.text(f"SELECT {columns} FROM {name}"))), key=repr)
            for name, columns in kept.items()
        }


def moments(*days: int | None) -> np.ndarray:
    """Days of 2024 as times, None as not known yet."""
    begin = microseconds(datetime.fromisoformat("2024-01-01T00:00:00+00:00"))
    nat = np.iinfo(np.int64).min
    return np.array([nat if d is None else begin + d * 86_400_000_000 for d in days], np.int64).view("datetime64[us]")
