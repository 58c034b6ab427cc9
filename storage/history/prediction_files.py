"""Predictions as Parquet: which file holds those of which version and time is said by a table, and by nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.instants import microseconds
from trueup.storage.row_values import objects

ROWS_OF_A_FILE = 500_000  # predictions of one file, so that memory does not grow with a month
_FOLDER = "predictions"


@dataclass(frozen=True)
class Answers:
    """n predictions of one version: places in intake order (int64), event times (datetime64[us]), answers as the store
    writes them (objects of str), scores (float64, NaN: none)."""

    seq: np.ndarray
    time: np.ndarray
    predicted: np.ndarray
    score: np.ndarray

    def __len__(self) -> int:
        return len(self.seq)

    def take(self, which: np.ndarray | slice) -> Answers:
        """Those that a mask, positions or a slice name."""
        return Answers(self.seq[which], self.time[which], self.predicted[which], self.score[which])


@dataclass(frozen=True)
class PredictionFile:
    """A file of `rows` predictions of one version, of records from first_time to last_time."""

    name: str
    rows: int
    first_time: datetime
    last_time: datetime


def write_predictions(archive: Archive, stream: str, version: int, answers: Answers) -> str:
    """Keep at least one prediction as a file, which counts once the table names it; its name."""
    table = pa.table({
        "seq": answers.seq,
        "time": answers.time.astype("datetime64[us]"),
        "predicted": pa.array(answers.predicted, pa.string()).dictionary_encode(),
        "score": pa.array(answers.score, from_pandas=True),
    })  # fmt: skip
    return archive.write_table(f"{_FOLDER}/{stream}/v{version}", table)


def lock_stream(connection: Connection, stream: str) -> None:
    """Keep others from changing where the stream's predictions stand until the transaction ends."""
    connection.execute(sa.select(t.streams.c.name).where(t.streams.c.name == stream).with_for_update())


def add_file(connection: Connection, stream: str, version: int, name: str, answers: Answers) -> None:
    """From this transaction on the file is read; what it holds must stand nowhere else."""
    stamps = answers.time.astype("datetime64[us]").astype(np.int64)
    connection.execute(
        sa.insert(t.prediction_files),
        {
            "stream": stream, "version": version, "name": name, "rows": len(answers),
            "first_time": int(stamps.min()), "last_time": int(stamps.max()),
        },
    )  # fmt: skip


def files_between(
    connection: Connection, stream: str, version: int, first: datetime | int, last: datetime | int
) -> list[PredictionFile]:
    """The files of a version that may hold predictions of records with first ≤ time ≤ last, oldest first."""
    f = t.prediction_files.c
    query = sa.select(f.name, f.rows, f.first_time, f.last_time).where(
        f.stream == stream, f.version == version, f.last_time >= first, f.first_time <= last
    )
    return [PredictionFile(*row) for row in connection.execute(query.order_by(f.first_time, f.name))]


def files_of_all_versions(connection: Connection, stream: str) -> list[tuple[int, PredictionFile]]:
    """All files of a stream, each with the version whose predictions it holds, by version and time."""
    f = t.prediction_files.c
    query = sa.select(f.version, f.name, f.rows, f.first_time, f.last_time).where(f.stream == stream)
    found = connection.execute(query.order_by(f.version, f.first_time, f.name))
    return [(version, PredictionFile(*row)) for version, *row in found]


def read_predictions(archive: Archive, file: PredictionFile, after: datetime, as_of: datetime) -> Answers:
    """The predictions of a file for records with after < time ≤ as_of."""
    table = archive.read_table(file.name)
    times = table.column("time").to_numpy().astype("datetime64[us]")
    stamps = times.astype(np.int64)
    keep = (stamps > microseconds(after)) & (stamps <= microseconds(as_of))
    if not keep.all():
        table = table.filter(pa.array(keep))
    score = table.column("score").cast(pa.float64()).to_numpy()
    return Answers(table.column("seq").to_numpy(), times[keep], objects(table.column("predicted")), score)


def count_predictions(archive: Archive, file: PredictionFile, after: datetime, as_of: datetime) -> int:
    """How many predictions of a file are for records with after < time ≤ as_of."""
    if file.first_time > after and file.last_time <= as_of:
        return file.rows
    stamps = archive.read_table(file.name, ["time"]).column("time").to_numpy().astype("datetime64[us]").astype(np.int64)
    return int(((stamps > microseconds(after)) & (stamps <= microseconds(as_of))).sum())


def places_in(archive: Archive, files: Sequence[PredictionFile]) -> np.ndarray:
    """The places in intake order of all that files hold."""
    parts = [archive.read_table(file.name, ["seq"]).column("seq").to_numpy() for file in files]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def without(archive: Archive, name: str, column: str, places: np.ndarray) -> tuple[str | None, int]:
    """A file of the archive written anew without the rows whose `column` holds one of these places in intake order.

    Returns:
        the new file's name, which counts once a table names it (None: nothing is left), and how many rows it has. The
        old file stays as it is; where it held none of them, it is the new one.
    """
    table = archive.read_table(name)
    keep = ~np.isin(table.column(column).to_numpy(), places)
    if keep.all():
        return name, len(table)
    if not keep.any():
        return None, 0
    return archive.write_table(name.rsplit("/", 1)[0], table.filter(pa.array(keep))), int(keep.sum())
