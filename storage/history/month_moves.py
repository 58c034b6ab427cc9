"""Moving the predictions of closed months from SQL to Parquet: each is read once before, during and after.

A file is written first and counts for nothing. Then one transaction makes sure that its rows are still exactly those of
its time range, names it in the table and deletes them from SQL. Cut short anywhere, the next call begins again; the
same rows make the same file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.database import Database
from trueup.storage.history.prediction_files import ROWS_OF_A_FILE, Answers, add_file, lock_stream, write_predictions
from trueup.storage.instants import microseconds
from trueup.storage.leases import Lease
from trueup.storage.stream_numbers import numbered

FEW_LATER = 1_000  # that came late for a month whose others have moved: fewer stay in SQL
_BATCH = 20_000


def close_months(
    database: Database,
    archive: Archive,
    stream: str,
    lease: Lease,
    *,
    before: datetime,
) -> int:
    """Move all predictions for records of months that were over by `before`; how many were moved.

    Raises:
        LeaseHeld: the stream's lease was lost; what was moved by then is moved.
    """
    count = 0
    month = np.datetime64(microseconds(before), "us").astype("datetime64[M]")
    for version in _versions(database, stream):
        for first, last in _months(database, stream, version, month):
            for part in _parts(database, stream, version, first, last):
                if _move(database, archive, stream, version, lease, part):
                    count += len(part)
    return count


def _versions(database: Database, stream: str) -> list[int]:
    """The versions that have predictions in SQL, oldest first, each found by one look into the index."""
    p, found = t.predictions.c, []
    with database.read() as connection:
        mine = sa.select(sa.func.min(p.version)).where(p.stream == numbered(stream))
        version = connection.execute(mine).scalar()
        while version is not None:
            found.append(int(version))
            version = connection.execute(mine.where(p.version > version)).scalar()
    return found


def _months(database: Database, stream: str, version: int, end: np.datetime64) -> Iterator[tuple[int, int]]:
    """First and last microsecond of each month before `end` whose predictions are to be moved, oldest first."""
    p, f = t.predictions.c, t.prediction_files.c
    mine = sa.and_(p.stream == numbered(stream), p.version == version)
    after = None
    while True:
        with database.read() as connection:
            query = sa.select(sa.func.min(sa.type_coerce(p.time, sa.BigInteger))).where(mine)
            oldest = connection.execute(query if after is None else query.where(p.time > after)).scalar()
            if oldest is None or (month := np.datetime64(oldest, "us").astype("datetime64[M]")) >= end:
                return
            first, last = _bounds(month)
            standing = sa.select(sa.func.count()).where(mine, p.time >= first, p.time <= last)
            moved = sa.select(sa.func.count()).where(
                f.stream == stream, f.version == version, f.first_time >= first, f.last_time <= last
            )
            few = connection.execute(standing).scalar_one() < FEW_LATER and connection.execute(moved).scalar_one() > 0
        if not few:
            yield first, last
        after = last


def _bounds(month: np.datetime64) -> tuple[int, int]:
    first, following = (m.astype("datetime64[us]").astype(np.int64) for m in (month, month + 1))
    return int(first), int(following) - 1


def _parts(database: Database, stream: str, version: int, first: int, last: int) -> Iterator[Answers]:
    """The predictions of a time range in SQL, in order of time, not many more than ROWS_OF_A_FILE at a time."""
    p = t.predictions.c
    mine = (p.stream == numbered(stream), p.version == version, p.time <= last)
    query = sa.select(p.seq, sa.type_coerce(p.time, sa.BigInteger), p.predicted, p.score).where(*mine)
    start = first
    while start <= last:
        with database.read() as connection:
            ahead = sa.select(sa.type_coerce(p.time, sa.BigInteger)).where(*mine, p.time >= start)
            beyond = connection.execute(ahead.order_by(p.time).offset(ROWS_OF_A_FILE).limit(1)).scalar()
            until = last if beyond is None else max(start, beyond - 1)
            part = _read(connection, query.where(p.time >= start, p.time <= until).order_by(p.time, p.seq))
        if len(part):
            yield part
        start = until + 1


def _read(connection: Connection, query: sa.Select[Any]) -> Answers:
    kinds = (np.int64, np.int64, object, np.float64)
    parts: list[list[np.ndarray]] = [[np.empty(0, kind) for kind in kinds]]
    cursor: Any = connection.execute(query).cursor
    while some := cursor.fetchmany(_BATCH):
        parts.append([np.array(values, kind) for values, kind in zip(zip(*some, strict=True), kinds, strict=True)])
    seq, stamps, predicted, score = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Answers(seq, stamps.view("datetime64[us]"), predicted, score)


def _move(database: Database, archive: Archive, stream: str, version: int, lease: Lease, part: Answers) -> bool:
    """Put these predictions, all of their time range, into a file; False: others came meanwhile, the next call's."""
    name = write_predictions(archive, stream, version, part)
    p = t.predictions.c
    stamps = part.time.astype(np.int64)
    own = sa.and_(
        p.stream == numbered(stream), p.version == version, p.time >= int(stamps.min()), p.time <= int(stamps.max())
    )
    with lease.transaction(database) as connection:
        lock_stream(connection, stream)
        standing = connection.execute(sa.select(sa.func.count(), sa.func.sum(p.seq)).where(own)).one()
        if (int(standing[0]), int(standing[1] or 0)) != (len(part), int(part.seq.sum())):
            return False
        add_file(connection, stream, version, name, part)
        connection.execute(sa.delete(t.predictions).where(own))
    return True
