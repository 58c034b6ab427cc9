"""The number of a stream, by which the tables of records name it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t


def numbered(stream: str) -> sa.ScalarSelect[int]:
    """A stream's number as a part of a query; null, and so like no row's, where it holds nothing yet."""
    return sa.select(t.streams.c.number).where(t.streams.c.name == stream).scalar_subquery()


def number_of(connection: Connection, stream: str) -> int:
    """The number of a stream that has records."""
    return int(connection.execute(sa.select(t.streams.c.number).where(t.streams.c.name == stream)).scalar_one())
