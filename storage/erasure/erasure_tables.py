"""The store's tables of what was erased."""

from __future__ import annotations

import sqlalchemy as sa

from trueup.storage.instants import Instant
from trueup.storage.tables import table_of, texts


def _stream() -> sa.Column[str]:
    return sa.Column("stream", sa.Text, primary_key=True)


# What was taken away for good, known by the keyed hash of a user or a record's id; nothing of it stands here.
erasures = table_of(
    "erasures",
    sa.Column("id", sa.Text, primary_key=True),
    *texts("stream", "kind", "mark", "who", "why", "state"),
    sa.Column("at", Instant, nullable=False),
    sa.Column("records", sa.Integer, nullable=False),
    *(sa.Column(name, sa.JSON, nullable=False) for name in ("versions", "files", "left")),
    sa.Column("done_at", Instant),
    sa.Index("ix_erasures_stream", "stream", "at"),
)

tombstones = table_of("tombstones", _stream(), sa.Column("mark", sa.Text, primary_key=True))

# A Parquet file that held erased rows, and the one that stands for it.
erased_files = table_of("erased_files", _stream(), sa.Column("former", sa.Text, primary_key=True), *texts("name"))
