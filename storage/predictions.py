"""The answers of model versions to stored records."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.database import Database
from trueup.storage.history.prediction_files import (
    ROWS_OF_A_FILE,
    Answers,
    add_file,
    count_predictions,
    files_between,
    lock_stream,
    places_in,
    write_predictions,
)
from trueup.storage.leases import Lease
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.stream_numbers import number_of, numbered

TO_A_FILE = 20_000  # answers given at once, from which on they go to a file


class PredictionLog:
    """Predictions in the store; what stands there once stays. `RecordReader.read` fills them in."""

    def __init__(self, database: Database, archive: Archive) -> None:
        self._database = database
        self._archive = archive

    def missing(self, stream: StreamSettings, version: int, *, after: datetime, as_of: datetime) -> int:
        """How many records with after < time ≤ as_of lack an answer of a version."""
        r, p = t.records.c, t.predictions.c
        own = numbered(stream.name)
        records = sa.select(sa.func.count()).where(r.stream == own, r.time > after, r.time <= as_of)
        answers = sa.select(sa.func.count()).where(
            p.stream == own, p.version == version, p.time > after, p.time <= as_of
        )
        with self._database.snapshot() as connection:
            lacking = int(connection.execute(records).scalar_one()) - int(connection.execute(answers).scalar_one())
            files = files_between(connection, stream.name, version, after, as_of)
        return lacking - sum(count_predictions(self._archive, file, after, as_of) for file in files)

    def add(
        self,
        stream: StreamSettings,
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
        if not len(rows):
            return
        seq, times = rows.meta["seq"].to_numpy(), rows.meta["time"].to_numpy().astype("datetime64[us]")
        given = Answers(seq, times, _texts(predicted, regression=stream.is_regression), score.astype(np.float64))
        with self._database.write() as connection:
            if lease is not None:
                lease.assert_held(connection)
            lock_stream(connection, stream.name)
            first, last = (int(edge) for edge in (times.min().astype(np.int64), times.max().astype(np.int64)))
            files = files_between(connection, stream.name, version, first, last)
            new = ~np.isin(seq, places_in(self._archive, files))
            if new.sum() >= TO_A_FILE:
                new &= ~np.isin(seq, self._places(connection, stream, version, first, last))
            given = given.take(new)
            if len(given) >= TO_A_FILE:
                self._add_files(connection, stream, version, given)
            else:
                self._add_rows(connection, stream, version, given)

    def _places(
        self, connection: Connection, stream: StreamSettings, version: int, first: int, last: int
    ) -> np.ndarray:
        """Where in intake order the records stand that SQL has answers to, of those with first ≤ time ≤ last."""
        p = t.predictions.c
        query = sa.select(p.seq).where(
            p.stream == numbered(stream.name), p.version == version, p.time >= first, p.time <= last
        )
        return np.fromiter(connection.execute(query).scalars(), np.int64)

    def _add_files(self, connection: Connection, stream: StreamSettings, version: int, given: Answers) -> None:
        """Many at once go where they would go when their month is over: a row of SQL each takes longest of all."""
        given = given.take(np.argsort(given.time, kind="stable"))
        for start in range(0, len(given), ROWS_OF_A_FILE):
            part = given.take(slice(start, start + ROWS_OF_A_FILE))
            name = write_predictions(self._archive, stream.name, version, part)
            add_file(connection, stream.name, version, name, part)

    def _add_rows(self, connection: Connection, stream: StreamSettings, version: int, given: Answers) -> None:
        keys = zip(given.seq.tolist(), given.time.astype(np.int64).tolist(), given.predicted, given.score, strict=True)
        number = number_of(connection, stream.name)
        self._database.insert_new(
            connection,
            t.predictions,
            [
                {
                    "stream": number, "version": version, "seq": s, "time": when, "predicted": p,
                    "score": None if np.isnan(value) else float(value),
                }
                for s, when, p, value in keys
            ],
        )  # fmt: skip


def _texts(predicted: np.ndarray, *, regression: bool) -> np.ndarray:
    """Answers as the store writes them: objects of str."""
    codes, values = pd.factorize(np.asarray(predicted, object))
    written = np.array([repr(float(value)) if regression else str(value) for value in values], object)
    return written[codes]
