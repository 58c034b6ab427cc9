"""Appending to the store of records: durable, idempotent, one transaction a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.beginning import locked_stream
from trueup.storage.content import fingerprints
from trueup.storage.database import Database
from trueup.storage.incoming import Appended, FeedbackItem, Incoming, Refused
from trueup.storage.instants import microseconds, moment_of
from trueup.storage.quarantine import QuarantineLog
from trueup.storage.revisions import Revised, RevisionLog, Revisions
from trueup.storage.row_ids import HashedColumns, begun_with
from trueup.storage.segments import write_segment
from trueup.storage.stream import OrderTime, StreamSettings
from trueup.storage.stream_numbers import numbered
from trueup.storage.timepoints import TICK, parse_span

_UNKNOWN = np.datetime64("NaT").astype(np.int64)  # a time that is not known, as a number
_CHUNK = 500  # ids asked for in one statement; SQLite allows 32,766 values, PostgreSQL 65,535


@dataclass(frozen=True)
class _Stored:
    """A record that stands already, in the store or earlier in the batch; `label` is the one it came with."""

    fingerprint: int
    label: str | None
    seq: int
    time: datetime


class RecordStore:
    """Records of all streams: their index in SQL, their content in Parquet segments, one segment a batch.

    A batch is one transaction: its segment is written first, and counts only once its index row is committed.
    """

    def __init__(self, database: Database, archive: Archive) -> None:
        self._database = database
        self._archive = archive
        self.quarantine = QuarantineLog(database)
        self._revisions = RevisionLog(database, archive)

    def append(
        self, stream: StreamSettings, incoming: Incoming, refused: Sequence[Refused], *, source: str, now: datetime
    ) -> Appended:
        """Store what is new, leave out what is stored, quarantine the rest; durable when it returns.

        A record sent again is a duplicate; sent again with the label it lacked, the label is added. Sent again with
        other content or another label it is, by `on_change`, a revision that is known from now on, or quarantined once
        as a conflict: the first may have been acted on already.

        Raises:
            ConfigError: the stream's records were split by other settings; nothing is stored.
        """
        marks = fingerprints(stream, incoming.table, incoming.times)
        labels = [_known_label(stream, incoming, k) for k in range(len(incoming.ids))]
        fresh: list[int] = []
        late: list[int] = []
        changed: list[Revised] = []
        conflicts: list[Refused] = []
        with self._database.write() as connection:
            number, next_seq = locked_stream(self._database, connection, stream)
            standing = self._stored(connection, number, incoming.ids)
            revisions = self._revisions.known(connection, number, [s.seq for s in standing.values()])
            for k, (record_id, mark, label) in enumerate(zip(incoming.ids, marks, labels, strict=True)):
                known = standing.get(record_id)
                if known is None:
                    seq = next_seq + len(fresh)
                    standing[record_id] = _Stored(int(mark), label, seq, _time_of(stream, incoming, k, seq))
                    fresh.append(k)
                elif known.fingerprint != mark or (label is not None and known.label not in (None, label)):
                    own = revisions.setdefault(known.seq, Revisions())
                    if stream.on_change == "refuse":
                        conflicts.append(_conflict(incoming, k, f"{record_id}|{mark}|{label}"))
                    elif (int(mark), label) not in own.states:
                        own.last += 1
                        own.states.add((int(mark), label))
                        state = int(mark), label
                        changed.append(Revised(k, record_id, number, known.seq, known.time, own.last, state))
                elif known.label is None and label is not None:
                    late.append(k)
                    standing[record_id] = replace(known, label=label)
            if fresh:
                self._insert(connection, stream, number, incoming, np.array(fresh), marks, next_seq, source, now)
            self._add_labels(connection, number, [standing[incoming.ids[k]].seq for k in late], incoming, late, now)
            self._revisions.add(connection, stream, incoming, changed, now)
            self.quarantine.add(connection, stream, "record", [*refused, *conflicts], source, now)
        return Appended(
            accepted=len(fresh),
            duplicate=len(incoming.ids) - len(fresh) - len(conflicts) - len(changed),
            revised=len(changed),
            quarantined=len(refused) + len(conflicts),
            labelled=int(incoming.labelled[fresh].sum()),
        )

    def hashed(self, stream: StreamSettings) -> HashedColumns:
        """What the id of a row without one is a hash of."""
        with self._database.read() as connection:
            return begun_with(connection, stream)

    def _stored(self, connection: Connection, stream: int | None, ids: np.ndarray) -> dict[str, _Stored]:
        """Of these ids those that are stored."""
        r = t.records.c
        query = sa.select(r.id, r.fingerprint, r.label, r.seq, r.time)
        found: dict[str, _Stored] = {}
        for start in range(0, len(ids), _CHUNK):
            some = query.where(r.stream == stream, r.id.in_([str(i) for i in ids[start : start + _CHUNK]]))
            found |= {
                row.id: _Stored(row.fingerprint, row.label, row.seq, row.time) for row in connection.execute(some)
            }
        return found

    def _insert(
        self,
        connection: Connection,
        stream: StreamSettings,
        number: int,
        incoming: Incoming,
        chosen: np.ndarray,
        marks: np.ndarray,
        next_seq: int,
        source: str,
        now: datetime,
    ) -> None:
        seq = next_seq + np.arange(len(chosen), dtype=np.int64)
        times = _order_times(stream.time, seq) if isinstance(stream.time, OrderTime) else incoming.times[chosen]
        times = times.astype("datetime64[us]")
        ids = incoming.ids[chosen]
        segment = write_segment(
            self._archive, stream, "records", incoming.table.take(chosen), ids=ids, times=times, seq=seq
        )
        stamps = times.astype(np.int64)
        connection.execute(
            sa.insert(t.segments),
            {
                "stream": stream.name, "name": segment.name, "first_seq": next_seq, "rows": len(chosen),
                "first_time": int(stamps.min()), "last_time": int(stamps.max()), "source": source, "received_at": now,
            },
        )
        known_at = stamps if isinstance(stream.time, OrderTime) else _stamps(incoming.known_at[chosen])
        labels = [
            (None, None) if label is None or known == _UNKNOWN else (str(label), int(known))
            for label, known in zip(incoming.labels[chosen], known_at, strict=True)
        ]
        keys = zip(ids, seq, stamps, segment.evaluation, segment.content, marks[chosen], labels, strict=True)
        connection.execute(
            sa.insert(t.records),
            [
                {
                    "stream": number, "seq": int(s), "id": str(i), "time": int(when), "evaluation": bool(side),
                    "content": int(c), "fingerprint": int(m), "label": label, "label_known_at": known,
                }
                for i, s, when, side, c, m, (label, known) in keys
            ],
        )
        connection.execute(
            sa.update(t.streams).where(t.streams.c.name == stream.name).values(next_seq=next_seq + len(chosen))
        )

    def _add_labels(
        self,
        connection: Connection,
        number: int,
        places: Sequence[int],
        incoming: Incoming,
        late: Sequence[int],
        now: datetime,
    ) -> None:
        """Give the records at these places in intake order the labels that they lacked when they came."""
        if not late:
            return
        r = t.records.c
        change = sa.update(t.records).where(r.stream == number, r.seq == sa.bindparam("place"), r.label.is_(None))
        known_at = _stamps(incoming.known_at[list(late)]) if len(incoming.known_at) else [microseconds(now)] * len(late)
        connection.execute(
            change.values(label=sa.bindparam("value"), label_known_at=sa.bindparam("known")),
            [
                {"place": place, "value": str(incoming.labels[k]), "known": int(known)}
                for place, k, known in zip(places, late, known_at, strict=True)
            ],
        )

    def append_feedback(
        self,
        stream: StreamSettings,
        items: Sequence[FeedbackItem],
        refused: Sequence[Refused],
        *,
        source: str,
        now: datetime,
    ) -> Appended:
        """Store feedback on stored records; what names an unknown record is quarantined until the record has come."""
        with self._database.write() as connection:
            number = connection.execute(sa.select(numbered(stream.name))).scalar()
            stored = self._stored(connection, number, np.array([i.record_id for i in items], dtype=object))
            f = t.feedback.c
            query = sa.select(f.id).where(f.stream == number, f.id.in_([i.id for i in items]))
            seen = set(connection.execute(query).scalars()) if items else set()
            unknown = [
                Refused(
                    i.line, "unknown_record",
                    f"no record '{i.record_id}' is stored; ingest it, then release this item", i.raw, i.at,
                )
                for i in items if i.record_id not in stored
            ]
            known = {i.id: i for i in items if i.record_id in stored and i.id not in seen}
            self._database.insert_new(
                connection,
                t.feedback,
                [
                    {
                        "stream": number, "id": i.id, "seq": stored[i.record_id].seq, "kind": i.kind,
                        "value": i.value, "user": i.user, "at": i.at, "received_at": now,
                    }
                    for i in known.values()
                ],
            )
            labels = []
            for i in known.values():
                if i.label is not None:
                    record = stored[i.record_id]
                    labels.append(
                        {
                            "stream": number, "seq": record.seq, "provenance": "feedback", "source": i.id,
                            "time": record.time, "known_at": i.at, "value": i.label,
                        }
                    )
            self._database.insert_new(connection, t.labels, labels)
            self.quarantine.add(connection, stream, "feedback", [*refused, *unknown], source, now)
        return Appended(
            accepted=len(known),
            duplicate=len(items) - len(unknown) - len(known),
            quarantined=len(refused) + len(unknown),
        )


def _order_times(time: OrderTime, seq: np.ndarray) -> np.ndarray:
    step = np.timedelta64(parse_span(time.step) // TICK, "us")
    return np.datetime64(time.start, "us") + seq * step


def _known_label(stream: StreamSettings, incoming: Incoming, k: int) -> str | None:
    """The label that row k brings along, if it is known already."""
    if incoming.labels[k] is None:
        return None
    known = isinstance(stream.time, OrderTime) or not np.isnat(incoming.known_at[k])
    return str(incoming.labels[k]) if known else None


def _time_of(stream: StreamSettings, incoming: Incoming, k: int, seq: int) -> datetime:
    """The event time of row k, which is new and has this place in intake order."""
    if isinstance(stream.time, OrderTime):
        return moment_of(int(_stamps(_order_times(stream.time, np.array([seq])))[0]))
    return moment_of(int(_stamps(incoming.times[k])))


def _stamps(times: np.ndarray) -> np.ndarray:
    return np.asarray(times).astype("datetime64[us]").astype(np.int64)


def _conflict(incoming: Incoming, k: int, identity: str) -> Refused:
    return Refused(
        int(incoming.lines[k]), "conflict",
        f"record '{incoming.ids[k]}' is stored with other content, which stays; send a correction of its label as "
        "feedback, or the changed record under an id of its own, or set on_change = 'revise'",
        incoming.raw[k],
        incoming.times[k].item().replace(tzinfo=UTC) if len(incoming.times) else None,
        identity,
    )
