"""How many records have a label that counts, without their content."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pandas as pd
import sqlalchemy as sa

from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.history.moments import records_by_place
from trueup.storage.reading import RecordReader
from trueup.storage.rows import META, Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.stream_numbers import numbered


def labelled_records(
    database: Database,
    reader: RecordReader,
    stream: StreamSettings,
    resolve: Callable[[StreamSettings, np.ndarray], np.ndarray],
    *,
    after: datetime,
    until: datetime,
    as_of: datetime,
) -> int:
    """How many records with after < time ≤ until have a label by as_of that `resolve` makes a class or number of.

    Those that have their own alone are counted by it; the others are read as a check reads them.
    """
    r, c, own = t.records.c, t.labels.c, numbered(stream.name)
    beside = sa.select(c.seq).where(c.stream == own, c.time > after, c.time <= until, c.known_at <= as_of)
    mine, _ = records_by_place(stream, after, until)
    alone = sa.select(r.label, sa.func.count()).where(*mine, r.label_known_at <= as_of, r.seq.not_in(beside))
    others = sa.select(r.seq, r.time).where(*mine, r.seq.in_(beside)).order_by(r.time, r.seq)
    with database.snapshot() as connection:
        counted = connection.execute(alone.group_by(r.label)).all()
        rows = connection.execute(others).all()
    given = resolve(stream, np.array([value for value, _ in counted], object))
    count = sum(int(number) for label, (_, number) in zip(given, counted, strict=True) if label is not None)
    if not rows:
        return count
    meta = pd.DataFrame({name: pd.Series([None] * len(rows), dtype=object) for name in META})
    meta["seq"] = np.array([row.seq for row in rows], np.int64)
    meta["time"] = np.array([row.time.replace(tzinfo=None) for row in rows], "datetime64[us]")
    told = reader.labelled(stream, Rows(pd.DataFrame(index=meta.index), meta), as_of)
    return count + int(pd.notna(resolve(stream, told.meta["label"].to_numpy())).sum())
