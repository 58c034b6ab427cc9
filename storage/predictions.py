"""The answers of model versions to stored records."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import sqlalchemy as sa

from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.leases import Lease
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.stream_numbers import number_of, numbered


class PredictionLog:
    """Predictions in the store; what stands there once stays. `RecordReader.read` fills them in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def missing(self, stream: StreamSettings, version: int, *, after: datetime, as_of: datetime) -> int:
        """How many records with after < time ≤ as_of lack an answer of a version."""
        r, p = t.records.c, t.predictions.c
        own = numbered(stream.name)
        records = sa.select(sa.func.count()).where(r.stream == own, r.time > after, r.time <= as_of)
        answers = sa.select(sa.func.count()).where(
            p.stream == own, p.version == version, p.time > after, p.time <= as_of
        )
        with self._database.read() as connection:
            return int(connection.execute(records).scalar_one()) - int(connection.execute(answers).scalar_one())

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
        stamps = rows.meta["time"].to_numpy().astype("datetime64[us]").astype(np.int64)
        keys = zip(rows.meta["seq"], stamps, predicted, score, strict=True)
        with self._database.write() as connection:
            if lease is not None:
                lease.assert_held(connection)
            number = number_of(connection, stream.name)
            self._database.insert_new(
                connection,
                t.predictions,
                [
                    {
                        "stream": number, "version": version, "seq": int(s), "time": int(when),
                        "predicted": repr(float(p)) if stream.is_regression else str(p),
                        "score": None if np.isnan(value) else float(value),
                    }
                    for s, when, p, value in keys
                ],
            )
