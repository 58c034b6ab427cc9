"""Appending to the store of records: durable, idempotent, one transaction a batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.content import fingerprints
from trueup.storage.database import Database
from trueup.storage.erasure.tombstones import Tombstones
from trueup.storage.erasure.ways_in import WaysIn, kept_of
from trueup.storage.incoming import Appended, FeedbackItem, Incoming, Refused
from trueup.storage.instants import microseconds, moment_of
from trueup.storage.quarantine import QuarantineLog
from trueup.storage.records.beginning import locked_stream
from trueup.storage.records.columns import insert_columns
from trueup.storage.records.known_ids import all_stored, among, known_ids
from trueup.storage.records.sorting import BesideStored, beside_stored, sort_out
from trueup.storage.records.whole_files import WholeFiles
from trueup.storage.revisions import Revised, RevisionLog
from trueup.storage.row_ids import HashedColumns, begun_with
from trueup.storage.segments import write_segment
from trueup.storage.stream import OrderTime, StreamSettings
from trueup.storage.stream_numbers import numbered
from trueup.storage.timepoints import TICK, parse_span


class RecordStore:
    """Records of all streams: their index in SQL, their content in Parquet segments, one segment a batch.

    A batch is one transaction: its segment is written first, and counts only once its index row is committed.

    home: the folder where the key of what was erased lies.
    """

    def __init__(self, database: Database, archive: Archive, home: Path) -> None:
        self._database = database
        self._ways_in = WaysIn(Tombstones(home))
        self._archive = archive
        self.quarantine = QuarantineLog(database)
        self.whole_files = WholeFiles(database)
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
        labels = _known_labels(stream, incoming)
        with self._database.write() as connection:
            number, next_seq = locked_stream(self._database, connection, stream)
            erased = self._ways_in.erased_records(connection, stream, incoming)
            if erased.any():
                incoming, marks, labels = kept_of(incoming, np.flatnonzero(~erased)), marks[~erased], labels[~erased]
            sent, refused = len(refused), self._ways_in.refused(connection, stream, "record", refused)
            left_out = int(erased.sum()) + sent - len(refused)
            if all_stored(connection, number, incoming.ids, marks, labels):
                self.quarantine.add(connection, stream, "record", refused, source, now)
                return Appended(duplicate=len(incoming.ids), quarantined=len(refused), erased=left_out)
            known = known_ids(connection, number, incoming.ids.tolist())
            batch = beside_stored(incoming.ids, marks, labels, known, next_seq)
            revisions = self._revisions.known(connection, number, np.unique(batch.seq[batch.unlike]).tolist())
            found = sort_out(batch, revisions, revise=stream.on_change == "revise")
            times = _fresh_times(stream, incoming, batch)
            if len(batch.fresh):
                self._insert(connection, stream, number, incoming, batch, times, source, now)
            self._add_labels(connection, number, batch, found.late, incoming, now)
            own = np.concatenate([known.seq, batch.seq[batch.fresh]]), np.concatenate([known.time, times])
            at = dict(zip(*(part.tolist() for part in own), strict=True)) if found.changed else {}
            changed = [
                Revised(k, batch.ids[k], number, seq, moment_of(at[seq]), change, (int(marks[k]), labels[k]))
                for k, seq, change in found.changed
            ]
            self._revisions.add(connection, stream, incoming, changed, now)
            conflicts = [_conflict(incoming, k, f"{batch.ids[k]}|{marks[k]}|{labels[k]}") for k in found.conflicts]
            self.quarantine.add(connection, stream, "record", [*refused, *conflicts], source, now)
        return Appended(
            accepted=len(batch.fresh),
            duplicate=len(incoming.ids) - len(batch.fresh) - len(conflicts) - len(changed),
            revised=len(changed),
            quarantined=len(refused) + len(conflicts),
            labelled=int(incoming.labelled[batch.fresh].sum()),
            erased=left_out,
        )

    def erased(self, stream: StreamSettings) -> int:
        """How many records and users were erased: where one more was, a file comes to other counts."""
        with self._database.read() as connection:
            return self._ways_in.count(connection, stream)

    def not_erased(self, stream: StreamSettings, incoming: Incoming) -> Incoming:
        """Of rows those that are neither of an erased record nor of an erased user; nothing is stored."""
        with self._database.read() as connection:
            erased = self._ways_in.erased_records(connection, stream, incoming)
        return kept_of(incoming, np.flatnonzero(~erased)) if erased.any() else incoming

    def on_stored_records(self, stream: StreamSettings, items: Sequence[FeedbackItem]) -> list[FeedbackItem]:
        """Of feedback what is on records that are stored, by nobody who was erased; nothing is stored."""
        with self._database.read() as connection:
            allowed = self._ways_in.feedback(connection, stream, items)
            known = known_ids(connection, self._number(connection, stream), [item.record_id for item in allowed])
        return [allowed[row] for row in known.row.tolist()]

    def hashed(self, stream: StreamSettings) -> HashedColumns:
        """What the id of a row without one is a hash of."""
        with self._database.read() as connection:
            return begun_with(connection, stream)

    def _number(self, connection: Connection, stream: StreamSettings) -> int | None:
        return connection.execute(sa.select(numbered(stream.name))).scalar()

    def _insert(
        self,
        connection: Connection,
        stream: StreamSettings,
        number: int,
        incoming: Incoming,
        batch: BesideStored,
        times: np.ndarray,
        source: str,
        now: datetime,
    ) -> None:
        """Store the fresh rows of a batch, whose event times (microseconds) are these."""
        fresh, stamps = batch.fresh, times.view("datetime64[us]")
        seq, ids = batch.seq[fresh], batch.ids[fresh]
        table = incoming.table if len(fresh) == incoming.table.num_rows else incoming.table.take(fresh)
        segment = write_segment(self._archive, stream, "records", table, ids=ids, times=stamps, seq=seq)
        connection.execute(
            sa.insert(t.segments),
            {
                "stream": stream.name, "name": segment.name, "first_seq": int(seq[0]), "rows": len(fresh),
                "first_time": int(times.min()), "last_time": int(times.max()), "source": source, "received_at": now,
            },
        )
        labels = batch.labels[fresh]
        known_at = (times if isinstance(stream.time, OrderTime) else _stamps(incoming.known_at[fresh])).astype(object)
        known_at[labels == None] = None  # noqa: E711  elementwise
        insert_columns(
            connection,
            t.records,
            {
                "stream": [number] * len(fresh), "seq": seq.tolist(), "id": ids.tolist(), "time": times.tolist(),
                "evaluation": segment.evaluation.tolist(), "content": segment.content.tolist(),
                "fingerprint": batch.marks[fresh].tolist(), "label": labels.tolist(),
                "label_known_at": known_at.tolist(),
            },
        )
        own = t.streams.c.number == number
        connection.execute(sa.update(t.streams).where(own).values(next_seq=int(seq[-1]) + 1))

    def _add_labels(
        self,
        connection: Connection,
        number: int,
        batch: BesideStored,
        late: list[int],
        incoming: Incoming,
        now: datetime,
    ) -> None:
        """Give records the labels that they lacked when they came."""
        if not late:
            return
        r = t.records.c
        change = sa.update(t.records).where(r.stream == number, r.seq == sa.bindparam("place"), r.label.is_(None))
        known_at = _stamps(incoming.known_at[late]) if len(incoming.known_at) else [microseconds(now)] * len(late)
        connection.execute(
            change.values(label=sa.bindparam("value"), label_known_at=sa.bindparam("known")),
            [
                {"place": int(batch.seq[k]), "value": batch.labels[k], "known": int(known)}
                for k, known in zip(late, known_at, strict=True)
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
            number = self._number(connection, stream)
            sent = len(items) + len(refused)
            items = self._ways_in.feedback(connection, stream, items)
            refused = self._ways_in.refused(connection, stream, "feedback", refused)
            left_out = sent - len(items) - len(refused)
            found = known_ids(connection, number, [i.record_id for i in items])
            places = zip(found.row.tolist(), found.seq.tolist(), found.time.tolist(), strict=True)
            stored = {items[row].record_id: (seq, time) for row, seq, time in places}
            f = t.feedback.c
            seen = among(connection, f.id, [i.id for i in items], f.stream == number)
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
                        "stream": number, "id": i.id, "seq": stored[i.record_id][0], "kind": i.kind,
                        "value": i.value, "user": i.user, "at": i.at, "received_at": now,
                    }
                    for i in known.values()
                ],
            )
            labels = []
            for i in known.values():
                if i.label is not None:
                    seq, time = stored[i.record_id]
                    labels.append(
                        {
                            "stream": number, "seq": seq, "provenance": "feedback", "source": i.id,
                            "time": time, "known_at": i.at, "value": i.label,
                        }
                    )
            self._database.insert_new(connection, t.labels, labels)
            self.quarantine.add(connection, stream, "feedback", [*refused, *unknown], source, now)
        return Appended(
            accepted=len(known),
            duplicate=len(items) - len(unknown) - len(known),
            quarantined=len(refused) + len(unknown),
            erased=left_out,
        )


def _order_times(time: OrderTime, seq: np.ndarray) -> np.ndarray:
    step = np.timedelta64(parse_span(time.step) // TICK, "us")
    return np.datetime64(time.start, "us") + seq * step


def _fresh_times(stream: StreamSettings, incoming: Incoming, batch: BesideStored) -> np.ndarray:
    """Event times of a batch's fresh rows, in microseconds."""
    if isinstance(stream.time, OrderTime):
        return _stamps(_order_times(stream.time, batch.seq[batch.fresh]))
    return _stamps(incoming.times[batch.fresh])


def _known_labels(stream: StreamSettings, incoming: Incoming) -> np.ndarray:
    """The labels that rows bring along, None where a label is not known yet."""
    if isinstance(stream.time, OrderTime):
        return incoming.labels
    labels = incoming.labels.copy()
    labels[np.isnat(incoming.known_at)] = None
    return labels


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
