"""Appending to the store of records: durable, idempotent, one transaction a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.content import fingerprints, split_of
from trueup.storage.database import Database
from trueup.storage.errors import ConfigError
from trueup.storage.formatting import listed
from trueup.storage.incoming import Appended, FeedbackItem, Incoming, Refused
from trueup.storage.instants import microseconds
from trueup.storage.quarantine import QuarantineLog
from trueup.storage.revisions import Revised, RevisionLog, Revisions
from trueup.storage.row_ids import HashedColumns, begun_with, hashed_columns
from trueup.storage.segments import write_segment
from trueup.storage.stream import OrderTime, StreamSettings
from trueup.storage.timepoints import TICK, parse_span

_CHUNK = 500  # ids asked for in one statement; SQLite allows 32,766 values, PostgreSQL 65,535


@dataclass(frozen=True)
class _Stored:
    """A record that stands already, in the store or earlier in the batch; `label` is the one it came with."""

    fingerprint: int
    label: str | None
    seq: int = -1
    time: datetime = datetime.min


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
            next_seq = self._lock_stream(connection, stream)
            standing = self._stored(connection, stream, incoming.ids)
            revisions = self._revisions.known(connection, stream, list(standing)) if standing else {}
            for k, (record_id, mark, label) in enumerate(zip(incoming.ids, marks, labels, strict=True)):
                known = standing.get(record_id)
                if known is None:
                    fresh.append(k)
                    standing[record_id] = _Stored(int(mark), label)
                elif known.fingerprint != mark or (label is not None and known.label not in (None, label)):
                    own = revisions.setdefault(record_id, Revisions())
                    if stream.on_change == "refuse":
                        conflicts.append(_conflict(incoming, k, f"{record_id}|{mark}|{label}"))
                    elif (int(mark), label) not in own.states:
                        own.last += 1
                        own.states.add((int(mark), label))
                        changed.append(Revised(k, record_id, known.seq, known.time, own.last, (int(mark), label)))
                elif known.label is None and label is not None:
                    late.append(k)
            if fresh:
                self._insert(connection, stream, incoming, np.array(fresh), marks, next_seq, source, now)
            self._add_labels(connection, stream, incoming, late, now)
            self._revisions.add(connection, stream, incoming, changed, now)
            self.quarantine.add(connection, stream, "record", [*refused, *conflicts], source, now)
        return Appended(
            accepted=len(fresh),
            duplicate=len(incoming.ids) - len(fresh) - len(conflicts) - len(changed),
            revised=len(changed),
            quarantined=len(refused) + len(conflicts),
            labelled=int(incoming.labelled[fresh].sum()),
        )

    def _lock_stream(self, connection: Connection, stream: StreamSettings) -> int:
        """The next place in intake order; the row stays locked until the transaction ends."""
        split, hashed = split_of(stream), hashed_columns(stream).as_json()
        begun = {"name": stream.name, "next_seq": 0, "split": split, "hashed": hashed}
        self._database.insert_new(connection, t.streams, [begun])
        own = t.streams.c.name == stream.name
        found = connection.execute(sa.select(t.streams).where(own).with_for_update()).one()
        if found.next_seq == 0:
            connection.execute(sa.update(t.streams).where(own).values(split=split, hashed=hashed))
        elif found.split is None:
            connection.execute(sa.update(t.streams).where(own).values(split=split))
        elif found.split != split:
            _refuse_split(stream.name, found.split, split)
        return int(found.next_seq)

    def hashed(self, stream: StreamSettings) -> HashedColumns:
        """What the id of a row without one is a hash of."""
        with self._database.read() as connection:
            return begun_with(connection, stream)

    def _stored(self, connection: Connection, stream: StreamSettings, ids: np.ndarray) -> dict[str, _Stored]:
        """Of these ids those that are stored."""
        r, own = t.records.c, t.labels.c
        its_label = sa.and_(own.stream == r.stream, own.record_id == r.id, own.provenance == "record", own.source == "")
        query = sa.select(r.id, r.fingerprint, own.value, r.seq, r.time).select_from(
            t.records.outerjoin(t.labels, its_label)
        )
        found: dict[str, _Stored] = {}
        for start in range(0, len(ids), _CHUNK):
            some = query.where(r.stream == stream.name, r.id.in_([str(i) for i in ids[start : start + _CHUNK]]))
            found |= {
                row.id: _Stored(row.fingerprint, row.value, row.seq, row.time) for row in connection.execute(some)
            }
        return found

    def _insert(
        self,
        connection: Connection,
        stream: StreamSettings,
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
        keys = zip(ids, seq, stamps, segment.evaluation, segment.content, marks[chosen], strict=True)
        connection.execute(
            sa.insert(t.records),
            [
                {
                    "stream": stream.name, "id": str(i), "seq": int(s), "time": int(when), "evaluation": bool(side),
                    "content": int(c), "fingerprint": int(m), "received_at": now,
                }
                for i, s, when, side, c, m in keys
            ],
        )
        connection.execute(
            sa.update(t.streams).where(t.streams.c.name == stream.name).values(next_seq=next_seq + len(chosen))
        )
        known_at = incoming.known_at if not isinstance(stream.time, OrderTime) else None
        self._database.insert_new(
            connection,
            t.labels,
            [
                _label_row(
                    stream, str(ids[j]), int(seq[j]), int(stamps[j]), str(incoming.labels[k]),
                    int(stamps[j]) if known_at is None else int(known_at[k].astype("datetime64[us]").astype(np.int64)),
                )
                for j, k in enumerate(chosen)
                if incoming.labels[k] is not None and (known_at is None or not pd.isna(known_at[k]))
            ],
        )

    def _add_labels(
        self, connection: Connection, stream: StreamSettings, incoming: Incoming, late: Sequence[int], now: datetime
    ) -> None:
        """Give stored records the labels that they lacked when they came."""
        stored = self._stored(connection, stream, incoming.ids[list(late)])
        rows = []
        for k in late:
            record = stored[incoming.ids[k]]
            known = now if isinstance(stream.time, OrderTime) else incoming.known_at[k].item().replace(tzinfo=UTC)
            rows.append(
                _label_row(
                    stream, str(incoming.ids[k]), record.seq, microseconds(record.time), str(incoming.labels[k]),
                    microseconds(known),
                )
            )
        self._database.insert_new(connection, t.labels, rows)

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
            stored = self._stored(connection, stream, np.array([i.record_id for i in items], dtype=object))
            f = t.feedback.c
            query = sa.select(f.id).where(f.stream == stream.name, f.id.in_([i.id for i in items]))
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
                        "stream": stream.name, "id": i.id, "record_id": i.record_id, "kind": i.kind, "value": i.value,
                        "user": i.user, "at": i.at, "received_at": now,
                    }
                    for i in known.values()
                ],
            )
            labels = []
            for i in known.values():
                if i.label is not None:
                    record = stored[i.record_id]
                    row = _label_row(
                        stream, i.record_id, record.seq, microseconds(record.time), i.label, microseconds(i.at)
                    )
                    labels.append(row | {"provenance": "feedback", "source": i.id})
            self._database.insert_new(connection, t.labels, labels)
            self.quarantine.add(connection, stream, "feedback", [*refused, *unknown], source, now)
        return Appended(
            accepted=len(known),
            duplicate=len(items) - len(unknown) - len(known),
            quarantined=len(refused) + len(unknown),
        )


def _refuse_split(stream: str, stored: dict[str, Any], asked: dict[str, Any]) -> None:
    changed = [key for key in asked if stored.get(key) != asked[key]]
    said = ", ".join(f"{key} was {listed(stored.get(key))} and is {listed(asked[key])} now" for key in changed)
    raise ConfigError(
        f"Stream '{stream}' holds records that were split by other settings: {said}. Records of one group would fall "
        "on both sides, and a model would be judged on what it was trained on. Nothing was stored. Set it back, or "
        "give the stream a new name and ingest its records there."
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


def _label_row(stream: StreamSettings, record_id: str, seq: int, time: int, value: str, known: int) -> dict[str, Any]:
    return {
        "stream": stream.name, "record_id": record_id, "provenance": "record", "source": "", "seq": seq,
        "time": time, "known_at": known, "value": value,
    }


def _conflict(incoming: Incoming, k: int, identity: str) -> Refused:
    return Refused(
        int(incoming.lines[k]), "conflict",
        f"record '{incoming.ids[k]}' is stored with other content, which stays; send a correction of its label as "
        "feedback, or the changed record under an id of its own, or set on_change = 'revise'",
        incoming.raw[k],
        incoming.times[k].item().replace(tzinfo=UTC) if len(incoming.times) else None,
        identity,
    )
