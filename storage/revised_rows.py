"""Records as their revisions have them, as known at a time."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import sqlalchemy as sa

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.database import Database
from trueup.storage.row_values import numeric, objects
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.stream_numbers import numbered


def with_revisions(
    database: Database, archive: Archive, stream: StreamSettings, rows: Rows, as_of: datetime
) -> Rows:
    """Rows as their newest revision of those known at as_of has them; their time and side stay."""
    if not len(rows):
        return rows
    r, times = t.revisions.c, rows.meta["time"].to_numpy().astype("datetime64[us]").astype(np.int64)
    query = sa.select(r.seq, r.segment, r.place).where(
        r.stream == numbered(stream.name), r.time >= int(times[0]), r.time <= int(times[-1]), r.known_at <= as_of
    )
    with database.read() as connection:
        newest = {row.seq: row for row in connection.execute(query.order_by(r.seq, r.number))}
    if not newest:
        return rows
    place = {int(seq): k for k, seq in enumerate(rows.meta["seq"].to_numpy())}
    features = {column: rows.features[column].to_numpy(copy=True) for column in rows.features}
    content = rows.meta["content"].to_numpy(copy=True)
    for name in {row.segment for row in newest.values()}:
        own = [row for row in newest.values() if row.segment == name and row.seq in place]
        table = archive.read_table(name, [*features, "__content"]).take([row.place for row in own])
        at = [place[row.seq] for row in own]
        content[at] = table.column("__content").to_numpy()
        for column, values in features.items():
            if column in table.column_names:
                new = table.column(column)
                values[at] = numeric(new) if column in stream.numeric else objects(new)
    changed = rows.features.assign(**features)
    return Rows(changed, rows.with_meta(content=content).meta)
