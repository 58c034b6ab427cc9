"""Predictions that lie in files of closed months, as batches of the layout."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.database import Database
from trueup.storage.history.prediction_files import Answers, files_of_all_versions, read_predictions
from trueup.storage.stream import StreamSettings
from trueup.storage.stream_numbers import numbered

_AT_ONCE = 50_000
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


class Taken:
    """Which predictions were taken out of SQL: what moves to a file meanwhile is not taken twice."""

    def __init__(self) -> None:
        self._places: dict[int, list[np.ndarray]] = {}

    def add(self, version: np.ndarray, seq: np.ndarray) -> None:
        """Predictions of versions (n,) for records by their place in intake order (n,)."""
        for one in np.unique(version):
            self._places.setdefault(int(one), []).append(seq[version == one])

    def among(self, version: int, seq: np.ndarray) -> np.ndarray:
        """Which of a version's were taken (n,)."""
        return np.isin(seq, np.concatenate(self._places.get(version, [np.empty(0, np.int64)])))


def tables_of_files(
    database: Database,
    archive: Archive,
    stream: StreamSettings,
    after: datetime | None,
    until: datetime,
    taken: Taken,
    layout: pa.Schema,
) -> Iterator[pa.Table]:
    """What the files hold for records with after < time ≤ until, but for what was taken, by version and time."""
    with database.read() as connection:
        files = files_of_all_versions(connection, stream.name)
    for version, file in files:
        found = read_predictions(archive, file, after or _BEFORE_ALL, until)
        found = found.take(~taken.among(version, found.seq))
        found = found.take(np.argsort(found.seq))
        for start in range(0, len(found), _AT_ONCE):
            part = found.take(slice(start, start + _AT_ONCE))
            answers = part.predicted.astype(float) if stream.is_regression else part.predicted
            yield pa.table(
                {
                    "id": _ids(database, stream, part), "seq": part.seq,
                    "time": pa.array(part.time).cast(layout.field("time").type),
                    "version": np.full(len(part), version), "predicted": answers,
                    "score": pa.array(part.score, from_pandas=True),
                }
            ).cast(layout)  # fmt: skip


def _ids(database: Database, stream: StreamSettings, part: Answers) -> np.ndarray:
    r = t.records.c
    query = sa.select(r.seq, r.id).where(
        r.stream == numbered(stream.name), r.seq >= int(part.seq[0]), r.seq <= int(part.seq[-1])
    )
    with database.read() as connection:
        known = dict(row._tuple() for row in connection.execute(query))
    return np.array([known[seq] for seq in part.seq.tolist()], object)
