"""What came in last, in the order in which it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import sqlalchemy as sa

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.database import Database
from trueup.storage.instants import microseconds
from trueup.storage.row_values import objects
from trueup.storage.stream import StreamSettings

_INSTANT = np.dtype("datetime64[us]")


@dataclass(frozen=True)
class Arrivals:
    """n records in the order they came.

    columns: values as objects, None where missing. times: of the records, datetime64[us]. receipt: a number for each
    ingest that brought some. known: the newest time of any record, once that ingest was done, datetime64[us].
    """

    columns: Mapping[str, np.ndarray]
    times: np.ndarray
    receipt: np.ndarray
    known: np.ndarray


def newest_arrivals(
    database: Database, archive: Archive, stream: StreamSettings, columns: Sequence[str], *, as_of: datetime, count: int
) -> Arrivals:
    """The newest `count` records by arrival, or a few more, of those with time ≤ as_of."""
    s = t.segments.c
    query = sa.select(s.name, s.rows, s.received_at, s.last_time).where(s.stream == stream.name, s.first_time <= as_of)
    with database.read() as connection:
        batches = connection.execute(query.order_by(s.first_seq)).all()
    received = np.array([microseconds(batch.received_at) for batch in batches], dtype=np.int64)
    newest = np.array([microseconds(min(batch.last_time, as_of)) for batch in batches], dtype=np.int64)
    known = np.maximum.accumulate(newest)[np.searchsorted(received, received, side="right") - 1]
    rows = np.array([batch.rows for batch in batches], dtype=np.int64)
    start = max(0, len(rows) - 1 - int(np.searchsorted(np.cumsum(rows[::-1]), count)))
    parts = [_part(archive, batch.name, columns, as_of) for batch in batches[start:]]
    sizes = [len(times) for _, times in parts]
    return Arrivals(
        {column: np.concatenate([held[column] for held, _ in parts] or [np.empty(0, object)]) for column in columns},
        np.concatenate([times for _, times in parts] or [np.empty(0, _INSTANT)]),
        np.repeat(received[start:], sizes),
        np.repeat(known[start:], sizes).view(_INSTANT),
    )


def _part(
    archive: Archive, name: str, columns: Sequence[str], as_of: datetime
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Columns and times of a batch; a column that its file lacked is missing in its records."""
    table = archive.read_table(name, [*columns, "__time"])
    times = table.column("__time").to_numpy().astype(_INSTANT)
    keep = times.astype(np.int64) <= microseconds(as_of)
    nothing = np.full(len(times), None, object)
    held = {c: (objects(table.column(c)) if c in table.column_names else nothing)[keep] for c in columns}
    return held, times[keep]
