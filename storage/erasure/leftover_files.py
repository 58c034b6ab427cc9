"""Files of rows that no table names, since their writer was killed first, and that hold what is erased."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.arrow_columns import as_text
from trueup.storage.errors import StoreUnusable
from trueup.storage.history.prediction_files import lock_stream
from trueup.storage.stream import StreamSettings
from trueup.storage.stream_numbers import numbered

_FOLDERS = ("records", "revisions", "snapshots", "predictions")


def forgotten_files(
    connection: Connection, archive: Archive, stream: StreamSettings, ids: Collection[str], users: Collection[str]
) -> Iterator[str]:
    """The names of these files, and of those that a writer left unfinished.

    No writer needs an intent before its file for this to be safe. Records, changes and answers are written in the
    transaction that names them, which locks the stream as this one does; snapshots and moved answers under the
    stream's lease, which the erasure holds. So no writer is between a file and its row now. One that comes later, also
    before the files are removed, names a file that lies there only where it would write the same bytes, as a file's
    name is their hash; it reads the tombstones in its own transaction and leaves the erased rows out, so it never
    would write a file that is taken here.
    """
    lock_stream(connection, stream.name)
    named = _named(connection, stream.name)
    for folder in _FOLDERS:
        for name in archive.names(f"{folder}/{stream.name}"):
            if name.endswith(".part") or (name not in named and _holds(archive, name, stream, ids, users)):
                yield name


def _named(connection: Connection, stream: str) -> set[str]:
    """Every file of the stream's rows that a table names."""
    s, r, v, p = t.segments.c, t.revisions.c, t.versions.c, t.prediction_files.c
    queries = [
        sa.select(s.name).where(s.stream == stream),
        sa.select(r.segment).where(r.stream == numbered(stream)).distinct(),
        *(sa.select(v[column]).where(v.stream == stream) for column in ("snapshot", "reference", "quality")),
        sa.select(p.name).where(p.stream == stream),
    ]
    return {name for query in queries for name in connection.execute(query).scalars() if name}


def _holds(
    archive: Archive, name: str, stream: StreamSettings, ids: Collection[str], users: Collection[str]
) -> bool:
    """Whether a file holds rows of these ids or users; one that cannot be read may."""
    try:
        table = archive.read_table(name, ["__id", stream.user])
    except StoreUnusable:
        return True
    looked = {"__id": ids, stream.user: users}
    return any(
        not set(looked[column]).isdisjoint(pc.unique(as_text(table.column(column))).to_pylist())
        for column in table.column_names
    )
