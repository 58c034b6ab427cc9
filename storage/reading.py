"""Reading the store of records: the world as it was known at a time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.database import Database
from trueup.storage.history.moments import batch_times, first_labels, receipts, record_times
from trueup.storage.history.prediction_files import files_between, read_predictions
from trueup.storage.majority import settled, shared_by_users
from trueup.storage.revised_rows import with_revisions
from trueup.storage.row_order import in_order, places_of
from trueup.storage.row_values import numeric, objects, release_memory
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.stream_numbers import numbered
from trueup.storage.timepoints import TICK, utc

Resolve = Callable[[StreamSettings, np.ndarray], np.ndarray]  # raw labels → classes or numbers, None where neither
_OWN = ("id", "time", "seq", "evaluation", "content", "group")
_INSTANT = np.dtype("datetime64[us]")
# Where a label was stored: of two that were known at the same time, the one stored later stands.
_STORED = {"sqlite": "labels.rowid", "postgresql": "labels.ctid"}
_CLOSE = 2  # places in intake order for a row, up to which rows stand close together
_BATCH = 10_000  # rows taken from a cursor at a time; fewer than the new objects after which garbage is looked for


@dataclass(frozen=True)
class Sent:
    """n raw values each (objects, None where nothing was sent): the answer, its score, the version that gave it."""

    answer: np.ndarray
    score: np.ndarray
    version: np.ndarray


class RecordReader:
    """Records with their labels and predictions, read from the segments that a time range touches."""

    def __init__(self, database: Database, archive: Archive, resolve: Resolve = lambda stream, raw: raw) -> None:
        self._database = database
        self._archive = archive
        self._resolve = resolve

    def read(
        self,
        stream: StreamSettings,
        *,
        as_of: datetime,
        after: datetime | None = None,
        version: int | None = None,
        ids_in_arrow: bool = False,
    ) -> Rows:
        """Records with after < time ≤ as_of, in (time, seq) order.

        Of a record that was changed it is the newest revision known by as_of. Labels are raw values, those known by
        as_of: an audit's before feedback's before the record's own, the latest of each. `version` fills in that model
        version's predictions. With `ids_in_arrow` ids are no objects but pandas' "string[pyarrow]": a million take a
        fourth of the memory, where few of them will be named.
        """
        segments = self._segments(stream, after, as_of)
        room, count = sum(rows for _, rows in segments), 0
        whole: dict[str, np.ndarray] = {}
        ids: list[pa.Array] = []
        for name, _ in segments:  # each into its place, since parts put together later are held twice
            part, own = self._segment(stream, name, after, as_of)
            if ids_in_arrow:
                ids += own.chunks
            else:
                part["__id"] = objects(own, alike=False)
            start, count = count, count + len(part["__time"])
            if not whole and count:
                whole = {column: np.empty(room, values.dtype) for column, values in part.items()}
            for column, values in whole.items():
                values[start:count] = part[column]
        held: dict[str, Any] = {column: values[:count] for column, values in whole.items()}
        if held and ids_in_arrow:
            held["__id"] = pd.array(pa.chunked_array(ids), dtype="string[pyarrow]")
        rows = in_order(held, stream.columns)
        rows = with_revisions(self._database, self._archive, stream, rows, as_of)
        rows = self._with_predictions(stream, self.labelled(stream, rows, as_of), version)
        release_memory()
        return rows

    def _segments(self, stream: StreamSettings, after: datetime | None, as_of: datetime) -> list[tuple[str, int]]:
        """Name and size of the segments that hold rows of the time range, by time."""
        s = t.segments.c
        query = sa.select(s.name, s.rows).where(s.stream == stream.name, s.first_time <= as_of)
        if after is not None:
            query = query.where(s.last_time > after)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(s.last_time, s.first_seq)).all()
        return [(name, rows) for name, rows in found]

    def _segment(
        self, stream: StreamSettings, name: str, after: datetime | None, as_of: datetime
    ) -> tuple[dict[str, np.ndarray], pa.ChunkedArray]:
        """The segment's rows of the time range by column, our own with two underscores in front, and their ids."""
        wanted = [*stream.columns, *(f"__{c}" for c in _OWN)]
        table = self._archive.read_table(name, wanted, dictionaries=True)
        times = table.column("__time").to_numpy().astype("datetime64[us]")
        keep = times <= _stamp(as_of)
        if after is not None:
            keep &= times > _stamp(after)
        if not keep.all():
            table = table.filter(keep)
        part = {"__time": times[keep]}
        part |= {f"__{c}": table.column(f"__{c}").to_numpy() for c in _OWN if c not in ("id", "time")}
        for column in stream.columns:
            values = table.column(column) if column in table.column_names else pa.chunked_array([pa.nulls(len(table))])
            alike = column not in stream.text
            part[column] = numeric(values) if column in stream.numeric else objects(values, alike=alike)
        return part, table.column("__id")

    def labelled(self, stream: StreamSettings, rows: Rows, as_of: datetime) -> Rows:
        """Rows in (time, seq) order with the label of each that counts, as `read` gives it."""
        seq, given_by, value, known_at = self._labels(stream, rows, as_of)
        if stream.feedback.several == "majority":
            given = self._given(stream, rows, as_of)
            seq, given_by, value, known_at = settled(
                (seq, given_by, value, known_at), given, self._resolve(stream, given[2])
            )
        # Later ones overwrite earlier ones: by rank of provenance, then by the time at which it was known.
        rank = np.select([given_by == "audit", given_by == "feedback"], [2, 1], 0)
        order = np.lexsort((known_at, rank))
        place, there = places_of(rows, seq[order])
        place, order = place[there], order[there]
        label, provenance = np.full(len(rows), None, object), np.full(len(rows), None, object)
        known = np.full(len(rows), np.datetime64("NaT", "us"))
        label[place], provenance[place] = value[order], given_by[order]
        known[place] = known_at[order].view("datetime64[us]")
        return rows.with_meta(label=label, provenance=provenance, known_at=known)

    def _labels(self, stream: StreamSettings, rows: Rows, as_of: datetime) -> list[np.ndarray]:
        """All labels of these rows known at as_of: place in intake order, provenance, raw value, and since when."""
        r, c = t.records.c, t.labels.c
        query = sa.select(r.seq, r.label, sa.type_coerce(r.label_known_at, sa.BigInteger))
        seq, value, known_at = self._beside(
            rows, query.where(r.stream == numbered(stream.name), r.label_known_at <= as_of), r, (int, object, int)
        )
        query = sa.select(c.seq, c.provenance, c.value, sa.type_coerce(c.known_at, sa.BigInteger))
        query = query.where(c.stream == numbered(stream.name), c.known_at <= as_of).order_by(self._as_stored())
        others = self._beside(rows, query, c, (int, object, object, int))
        own = (seq, np.full(len(seq), "record", object), value, known_at)
        return [np.concatenate(both) for both in zip(own, others, strict=True)]

    def _with_predictions(self, stream: StreamSettings, rows: Rows, version: int | None) -> Rows:
        if version is None or not len(rows):
            return rows
        c = t.predictions.c
        query = sa.select(c.seq, c.predicted, c.score).where(
            c.stream == numbered(stream.name), c.version == version
        )
        first, last = (utc(rows.meta["time"].iloc[k].to_pydatetime()) for k in (0, -1))
        with self._database.scan() as connection:
            standing = self._columns(query.where(c.time >= first, c.time <= last), (int, object, float), connection)
            files = files_between(connection, stream.name, version, first, last)
        moved = (read_predictions(self._archive, file, first - TICK, last) for file in files)
        predicted, score = np.full(len(rows), None, object), np.full(len(rows), np.nan)
        for seq, answer, chance in (standing, *((part.seq, part.predicted, part.score) for part in moved)):
            place, there = places_of(rows, seq)
            answer = answer[there]
            predicted[place[there]] = answer.astype(np.float64).astype(object) if stream.is_regression else answer
            score[place[there]] = chance[there]
        return rows.with_meta(predicted=predicted, score=score)

    def sent(self, stream: StreamSettings, rows: Rows) -> Sent:
        """What another service answered to these rows, raw, as it came with them."""
        place = stream.prediction
        found = Sent(*(np.full(len(rows), None, object) for _ in range(3)))
        if not len(rows) or not place.column:
            return found
        times = rows.meta["time"]
        first, last = (utc(times.iloc[k].to_pydatetime()) for k in (0, -1))
        for name, _ in self._segments(stream, first - TICK, last):
            table = self._archive.read_table(name, [*place.columns, "__seq"])
            where, there = places_of(rows, table.column("__seq").to_numpy())
            for values, column in ((found.answer, place.column), (found.score, place.score),
                                   (found.version, place.version)):
                if column in table.column_names:
                    values[where[there]] = objects(table.column(column))[there]
        return found

    def users(self, stream: StreamSettings, rows: Rows, as_of: datetime) -> np.ndarray:
        """Who alone gave the label of each row whose label is feedback's; None elsewhere, and where nobody is named.

        Of several users it is the newest, or none where their majority counts.
        """
        seq, user, _, known_at = self._given(stream, rows, as_of)
        order = np.argsort(known_at, kind="stable")
        place, there = places_of(rows, seq[order])
        named = np.full(len(rows), None, object)
        named[place[there]] = user[order][there]
        if stream.feedback.several == "majority":
            named[shared_by_users(place[there], user[order][there], len(rows))] = None
        named[(rows.meta["provenance"] != "feedback").to_numpy() | (named == "")] = None
        return named

    def _given(self, stream: StreamSettings, rows: Rows, as_of: datetime) -> list[np.ndarray]:
        """The labels that feedback gave these rows: place in intake order, user, raw value, and since when known."""
        c, f = t.labels.c, t.feedback.c
        given = t.labels.join(t.feedback, sa.and_(f.stream == c.stream, f.id == c.source))
        query = sa.select(c.seq, f.user, c.value, sa.type_coerce(c.known_at, sa.BigInteger)).select_from(given)
        query = query.where(
            c.stream == numbered(stream.name), c.provenance == "feedback", c.known_at <= as_of
        ).order_by(self._as_stored())
        return self._beside(rows, query, c, (int, object, object, int))

    def _as_stored(self) -> sa.ColumnElement[Any]:
        return sa.literal_column(_STORED[self._database.engine.dialect.name])

    def _beside(
        self, rows: Rows, query: sa.Select[Any], columns: Any, kinds: tuple[type, ...]
    ) -> list[np.ndarray]:
        """The columns of what a query finds, within the places of these rows in intake order or within their times.

        By place where they stand close together there: the times of a batch may reach over the whole history.
        """
        if not len(rows):
            return [np.empty(0, kind) for kind in kinds]
        column, values = columns.seq, rows.meta["seq"].to_numpy()
        if np.ptp(values) >= _CLOSE * len(rows):
            column, values = columns.time, rows.meta["time"].to_numpy().astype("datetime64[us]").astype(np.int64)
        return self._columns(query.where(column >= int(values.min()), column <= int(values.max())), kinds)

    def _columns(
        self, query: sa.Select[Any], kinds: tuple[type, ...], connection: Connection | None = None
    ) -> list[np.ndarray]:
        """The columns that a query finds: int64, float64 (NaN where null), or objects, of which equal ones are one.

        Straight from the driver's cursor: a Row object each takes longer than all else that is done with the values.
        """
        parts: list[list[np.ndarray]] = [[np.empty(0, kind) for kind in kinds]]
        with nullcontext(connection) if connection is not None else self._database.scan() as held:
            cursor: Any = held.execute(query).cursor
            while some := cursor.fetchmany(_BATCH):
                columns = zip(*some, strict=True)
                parts.append([_shared(np.array(values, kind)) for values, kind in zip(columns, kinds, strict=True)])
        return [_shared(np.concatenate(column)) for column in zip(*parts, strict=True)]

    def times(self, stream: StreamSettings, as_of: datetime) -> np.ndarray:
        """Event times of all records known at as_of, ascending."""
        return record_times(self._database, stream, as_of)

    def label_times(
        self, stream: StreamSettings, arrived: np.ndarray, *, after: datetime, as_of: datetime
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of the records with after < time ≤ as_of their times, ascending, and when the first label of each was known
        (datetime64[us]; NaT: none was by as_of). arrived: as `times` gives them for as_of."""
        return first_labels(self._database, stream, arrived, after=after, as_of=as_of)

    def received(self, stream: StreamSettings, as_of: datetime) -> tuple[np.ndarray, np.ndarray]:
        """When records were accepted and when rows were refused, none after as_of, ascending (datetime64[us]).

        What came in later and happened by then, as all does where time is replayed, counts with what happened on the
        same day, as if each day's had come in together.
        """
        return receipts(self._database, stream, as_of)

    def batches(self, stream: StreamSettings, as_of: datetime) -> np.ndarray:
        """When batches of records were received, none after as_of, ascending (datetime64[us])."""
        return batch_times(self._database, stream, as_of)


def _shared(values: np.ndarray) -> np.ndarray:
    if values.dtype != object:
        return values
    codes, distinct = pd.factorize(values)
    return np.asarray(distinct[codes]) if len(distinct) else values


def _stamp(moment: datetime) -> np.datetime64:
    return np.datetime64(utc(moment).replace(tzinfo=None), "us")
