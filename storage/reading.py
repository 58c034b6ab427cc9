"""Reading the store of records: the world as it was known at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from storage import tables as t
from storage.archive import Archive
from storage.database import Database
from storage.leases import Lease
from storage.rows import META, Rows, stack
from storage.stream import Stream
from storage.timepoints import utc


class RecordReader:
    """Records with their labels and predictions, read from the segments that a time range touches."""

    def __init__(self, database: Database, archive: Archive) -> None:
        self._database = database
        self._archive = archive

    def read(
        self,
        stream: Stream,
        *,
        as_of: datetime,
        after: datetime | None = None,
        newest: int | None = None,
        version: int | None = None,
    ) -> Rows:
        """Records with after < time ≤ as_of, at most the `newest` of them, in (time, seq) order.

        Labels are raw values, those known by as_of: an audit's before feedback's before the record's own, the latest
        of each. `version` fills in that model version's predictions.
        """
        parts: list[Rows] = []
        have = 0
        bound = None
        for name, last_time in self._segments(stream, after, as_of):
            if newest is not None and have >= newest:
                if bound is None:
                    bound = np.sort(np.concatenate([p.meta["time"].to_numpy() for p in parts]))[-newest]
                if last_time < bound:
                    break
            part = self._segment(stream, name, after, as_of)
            have += len(part)
            bound = None
            parts.append(part)
        rows = stack(parts, stream.columns)
        if newest is not None:
            rows = rows.newest(newest)
        return self._with_predictions(stream, self._with_labels(stream, rows, as_of), version)

    def _segments(
        self, stream: Stream, after: datetime | None, as_of: datetime
    ) -> list[tuple[str, np.datetime64]]:
        s = t.segments.c
        query = sa.select(s.name, sa.type_coerce(s.last_time, sa.BigInteger)).where(
            s.stream == stream.name, s.first_time <= as_of
        )
        if after is not None:
            query = query.where(s.last_time > after)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(s.last_time.desc(), s.first_seq.desc())).all()
        return [(name, np.datetime64(last, "us")) for name, last in found]

    def _segment(self, stream: Stream, name: str, after: datetime | None, as_of: datetime) -> Rows:
        own = ("id", "time", "seq", "evaluation", "content", "group")
        table = self._archive.read_table(name, [*stream.columns, *(f"__{c}" for c in own)])
        frame = table.to_pandas(date_as_object=False)
        times = frame["__time"].to_numpy().astype("datetime64[us]")
        keep = times <= _stamp(as_of)
        if after is not None:
            keep &= times > _stamp(after)
        frame, count = frame[keep].reset_index(drop=True), int(keep.sum())
        features = pd.DataFrame(index=range(count))
        for column in stream.columns:
            values = frame[column] if column in frame else pd.Series([None] * count, dtype="object")
            features[column] = _plain(values, numeric=column in stream.numeric)
        meta = pd.DataFrame({c: frame[f"__{c}"] for c in own}).assign(
            time=times[keep], label=None, known_at=np.datetime64("NaT", "us"), provenance=None, predicted=None,
            score=np.nan,
        )
        return Rows(features, meta[list(META)].astype(META))

    def _with_labels(self, stream: Stream, rows: Rows, as_of: datetime) -> Rows:
        c = t.labels.c
        found = self._beside(
            rows,
            sa.select(
                c.seq, c.provenance, c.value, sa.type_coerce(c.known_at, sa.BigInteger).label("known")
            ).where(c.stream == stream.name, c.known_at <= as_of),
            c.time,
        )
        # Later rows overwrite earlier ones: by rank of provenance, then by the time at which it was known.
        rank = {"record": 0, "feedback": 1, "audit": 2}
        found.sort(key=lambda row: (rank[row.provenance], row.known))
        place = {seq: k for k, seq in enumerate(rows.meta["seq"].to_numpy())}
        label, provenance = np.full(len(rows), None, object), np.full(len(rows), None, object)
        known = np.full(len(rows), np.datetime64("NaT", "us"))
        for row in found:
            k = place.get(row.seq)
            if k is not None:
                label[k], provenance[k], known[k] = row.value, row.provenance, np.datetime64(row.known, "us")
        return rows.with_meta(label=label, provenance=provenance, known_at=known)

    def _with_predictions(self, stream: Stream, rows: Rows, version: int | None) -> Rows:
        if version is None:
            return rows
        c = t.predictions.c
        query = sa.select(c.seq, c.predicted, c.score).where(c.stream == stream.name, c.version == version)
        place = {seq: k for k, seq in enumerate(rows.meta["seq"].to_numpy())}
        predicted, score = np.full(len(rows), None, object), np.full(len(rows), np.nan)
        for row in self._beside(rows, query, c.time):
            k = place.get(row.seq)
            if k is not None:
                predicted[k] = float(row.predicted) if stream.task == "regression" else row.predicted
                score[k] = np.nan if row.score is None else row.score
        return rows.with_meta(predicted=predicted, score=score)

    def _beside(self, rows: Rows, query: sa.Select[Any], time: Any) -> list[Any]:
        """What a query finds within the time range of these rows."""
        if not len(rows):
            return []
        stamps = rows.meta["time"].to_numpy().astype("datetime64[us]").astype(np.int64)
        with self._database.read() as connection:
            return list(connection.execute(query.where(time >= int(stamps[0]), time <= int(stamps[-1]))))

    def add_predictions(
        self,
        stream: Stream,
        version: int,
        rows: Rows,
        predicted: np.ndarray,
        score: np.ndarray,
        lease: Lease | None = None,
    ) -> None:
        """Keep a version's answers for these rows; an answer that stands there already stays.

        Raises:
            LeaseHeld: a cycle keeps them, and lost the `lease` it has; whoever only looks has none.
        """
        stamps = rows.meta["time"].to_numpy().astype("datetime64[us]").astype(np.int64)
        keys = zip(rows.meta["id"], rows.meta["seq"], stamps, predicted, score, strict=True)
        with self._database.write() as connection:
            if lease is not None:
                lease.assert_held(connection)
            self._database.insert_new(
                connection,
                t.predictions,
                [
                    {
                        "stream": stream.name, "record_id": i, "version": version, "seq": int(s), "time": int(when),
                        "predicted": repr(float(p)) if stream.task == "regression" else str(p),
                        "score": None if np.isnan(value) else float(value),
                    }
                    for i, s, when, p, value in keys
                ],
            )

    def newest_time(self, stream: Stream, as_of: datetime) -> datetime | None:
        """The event time of the newest record known at as_of, or None where there is none."""
        r = t.records.c
        query = sa.select(sa.func.max(r.time)).where(r.stream == stream.name, r.time <= as_of)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def count(self, stream: Stream) -> int:
        """How many records the stream has."""
        query = sa.select(sa.func.count()).where(t.records.c.stream == stream.name)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def first_received(self, stream: Stream) -> datetime | None:
        """When the stream's first record was taken in, or None."""
        query = sa.select(sa.func.min(t.segments.c.received_at)).where(t.segments.c.stream == stream.name)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def times(self, stream: Stream, as_of: datetime) -> np.ndarray:
        """Event times of all records known at as_of, ascending."""
        r = t.records.c
        return self._instants(r.time, r.stream == stream.name, r.time <= as_of)

    def received(self, stream: Stream, as_of: datetime) -> tuple[np.ndarray, np.ndarray]:
        """When records were accepted and when rows were quarantined, up to as_of, ascending."""
        r, q = t.records.c, t.quarantine.c
        return (
            self._instants(r.received_at, r.stream == stream.name, r.received_at <= as_of),
            self._instants(q.received_at, q.stream == stream.name, q.received_at <= as_of),
        )

    def _instants(self, column: Any, *where: Any) -> np.ndarray:
        query = sa.select(sa.type_coerce(column, sa.BigInteger)).where(*where).order_by(column)
        with self._database.read() as connection:
            return np.array(connection.execute(query).scalars().all(), dtype=np.int64).view("datetime64[us]")


def _stamp(moment: datetime) -> np.datetime64:
    return np.datetime64(utc(moment).replace(tzinfo=None), "us")


def _plain(values: pd.Series, *, numeric: bool) -> pd.Series:
    if numeric:
        return pd.to_numeric(values, errors="coerce").astype("float64")
    return values.astype("object").where(values.notna(), None)
