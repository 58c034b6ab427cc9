"""The store's tables of what was taken in from sources and files."""

from __future__ import annotations

import sqlalchemy as sa

from trueup.storage.instants import Instant
from trueup.storage.tables import table_of, texts


def _feed() -> list[sa.Column[str]]:
    """feed: records or feedback."""
    return [sa.Column(name, sa.Text, primary_key=True) for name in ("stream", "feed")]


# Every file that was seen, as it was then. version: its mtime in ns, or its ETag. digest, taken_size: of the content
# that was taken in. reading: hash of the settings by which it could not be read. why: what was wrong with it.
source_files = table_of(
    "source_files",
    *_feed(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    *texts("version", "state"),
    *(sa.Column(name, sa.Text) for name in ("digest", "reading", "why")),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("taken_at", Instant),
    sa.Column("taken_size", sa.BigInteger),
)

# How far a query was read. asked: hash of what was asked, so that another query begins anew. mark: the last cursor, in
# the source's own type.
source_marks = table_of(
    "source_marks",
    *_feed(),
    sa.Column("asked", sa.Text, nullable=False),
    sa.Column("mark", sa.JSON),
    sa.Column("pulled_at", Instant, nullable=False),
)

# Files named by hand of which every row is stored. asked: hash of all that bears on what their rows
# come to: the name, the stream's settings, what was erased.
whole_files = table_of(
    "whole_files",
    *(sa.Column(name, sa.Text, primary_key=True) for name in ("stream", "digest")),
    *texts("asked"),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("notes", sa.JSON, nullable=False),
    sa.Column("taken_at", Instant, nullable=False),
)
