"""What the id of a record without one is a hash of: declared columns, kept as they were when its stream began."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.stream import StreamSettings


@dataclass(frozen=True)
class HashedColumns:
    """names: the columns beside the time; None: every column that a row has, the time's as it is written, as of
    streams that began before declared columns were hashed. numeric: those whose values are numbers."""

    names: tuple[str, ...] | None
    numeric: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {"names": list(self.names or ()), "numeric": list(self.numeric)}


def hashed_columns(stream: StreamSettings) -> HashedColumns:
    """What a stream that begins now hashes: all that it declares of a record.

    Left out are a label that is known later than its record (`arrived`), and what a service answered: both may come
    when the record is stored already.
    """
    label = stream.label.column if not stream.label.arrived else ""
    names = tuple(dict.fromkeys([*stream.columns, *stream.group, *([label] if label else [])]))
    numeric = (*stream.numeric, *([label] if label and stream.is_regression else []))
    return HashedColumns(names, numeric)


def begun_with(connection: Connection, stream: StreamSettings) -> HashedColumns:
    """What the stream's records are hashed by: as it was when it began, or as it is declared where it holds none."""
    own = t.streams.c
    found = connection.execute(sa.select(own.next_seq, own.hashed).where(own.name == stream.name)).one_or_none()
    if found is None or not found.next_seq:
        return hashed_columns(stream)
    if found.hashed is None:
        return HashedColumns(None, stream.numeric)
    return HashedColumns(tuple(found.hashed["names"]), tuple(found.hashed["numeric"]))
