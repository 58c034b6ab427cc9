"""What of a batch is stored: looked up together, since a statement for each takes longer than all else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine import Connection

_WANTED = "r.seq, r.fingerprint, r.label, r.time"
_LISTED = {
    "sqlite": f"SELECT w.key, {_WANTED} FROM json_each(?) w CROSS JOIN records r ON r.stream = ? AND r.id = w.value",
    "postgresql": f"SELECT w.place - 1, {_WANTED} FROM unnest(%s::text[]) WITH ORDINALITY w(id, place) "
    "JOIN records r ON r.id = w.id AND r.stream = %s",
}
# Of rows written as a fingerprint, filled up with spaces, and an id: how many are stored so, with a label if given.
_ALIKE = (
    "SELECT count(*) FROM json_each(:said) w CROSS JOIN records r ON r.stream = :stream AND r.id = substr(w.value, 22) "
    "WHERE r.fingerprint = CAST(w.value AS INTEGER) AND (:label IS NULL OR r.label = :label)"
)
_HIGHEST = "SELECT max(id) FROM records WHERE stream = ?"
_BETWEEN = "SELECT id, fingerprint, label FROM records WHERE stream = ? AND seq BETWEEN ? AND ? ORDER BY seq"
_MARK = 21  # characters: the longest fingerprint has 20, and a space ends it
_LABELS = 50  # different ones in a batch: each takes a statement
_AT_ONCE = 500  # values in one statement; SQLite allows 32,766, PostgreSQL 65,535


@dataclass(frozen=True)
class KnownIds:
    """Of a batch the m rows whose id is stored, with what is stored of each; arrays of shape (m,).

    row: its place in the batch. seq: of the record. time: microseconds. label: the record's own, or None.
    """

    row: np.ndarray
    seq: np.ndarray
    fingerprint: np.ndarray
    label: np.ndarray
    time: np.ndarray


def known_ids(connection: Connection, stream: int | None, ids: list[str]) -> KnownIds:
    """What is stored of these ids in a stream, by its number (null: the stream holds nothing)."""
    found = _rows(connection, stream, ids) if ids and stream is not None else []
    row, seq, fingerprint, label, time = zip(*found, strict=True) if found else ([],) * 5
    numbers = [np.array(values, np.int64) for values in (row, seq, fingerprint, time)]
    return KnownIds(numbers[0], numbers[1], numbers[2], np.array(label, object), numbers[3])


def _rows(connection: Connection, stream: int, ids: list[str]) -> list[Any]:
    """Straight from the driver: a Row object each takes longer than the search."""
    cursor: Any = connection.connection.cursor()
    listed: Any = ids
    if connection.dialect.name == "sqlite":
        if _all_behind(cursor, stream, ids):
            return []
        listed = _as_json(ids)
    cursor.execute(_LISTED[connection.dialect.name], (listed, stream))
    return list(cursor.fetchall())


def _all_behind(cursor: Any, stream: int, ids: list[str]) -> bool:
    """Whether each id sorts behind all stored ones, as if counted up; SQLite sorts by code points, as Python does."""
    (highest,) = cursor.execute(_HIGHEST, (stream,)).fetchone()
    return bool(highest is None or (ids[0] > highest and min(ids) > highest))


def all_stored(connection: Connection, stream: int, ids: np.ndarray, marks: np.ndarray, labels: np.ndarray) -> bool:
    """Whether all n rows are surely stored as they are: each id with this fingerprint, and this label where it has one.

    On SQLite, where an answer of a row each costs as much again as the search: of records sent again it is one number.
    """
    if connection.dialect.name != "sqlite" or not len(ids):
        return False
    ends = known_ids(connection, stream, [ids[0], ids[-1]])
    if len(ends.row) < len(ids[:2]):
        return False
    if _as_they_came(connection, stream, (int(ends.seq[0]), int(ends.seq[-1])), ids, marks, labels):
        return True
    given = pa.array(ids, pa.string())
    order = pc.sort_indices(given)  # searched for in turn, neighbours are found on one page
    coded = pa.array(labels, pa.string(), from_pandas=True).take(order).dictionary_encode()
    if len(coded.dictionary) > _LABELS:
        return False
    cursor: Any = connection.connection.cursor()
    fingerprints = pc.ascii_rpad(pa.array(marks).cast(pa.string()), _MARK)
    said = pc.binary_join_element_wise(fingerprints, given, "").take(order)
    for group, label in enumerate([*coded.dictionary.to_pylist(), None]):
        rows = said.filter(coded.is_null() if label is None else pc.equal(coded.indices, group)).to_pylist()
        (stored,) = cursor.execute(_ALIKE, {"said": _as_json(rows), "stream": stream, "label": label}).fetchone()
        if stored < len(rows):
            return False
    return True


def _as_they_came(
    connection: Connection, stream: int, ends: tuple[int, int], ids: np.ndarray, marks: np.ndarray, labels: np.ndarray
) -> bool:
    """Whether these are all records between two places in intake order, stored as they are and in their order.

    A file that comes again mostly holds what came together, from either end; reading that takes a sixth of looking up
    each id.
    """
    first, last = sorted(ends)
    if last - first != len(ids) - 1:
        return False
    cursor: Any = connection.connection.cursor()
    stored = cursor.execute(_BETWEEN, (stream, first, last)).fetchall()
    held, mark, label = zip(*(stored if ends[0] == first else reversed(stored)), strict=True)
    if list(held) != ids.tolist() or not np.array_equal(np.array(mark, np.int64), marks):
        return False
    return bool(((labels == None) | (labels == np.array(label, object))).all())  # noqa: E711  elementwise


def _as_json(ids: list[str]) -> str:
    listed = json.dumps(ids)
    if "\\u0000" not in listed:
        return listed
    return json.dumps([None if "\0" in one else one for one in ids])  # a NUL ends a text in SQLite's JSON


def among(connection: Connection, column: sa.Column[Any], values: list[Any], *where: Any) -> set[Any]:
    """Which of these values a column holds."""
    found: set[Any] = set()
    for start in range(0, len(values), _AT_ONCE):
        some = column.in_(values[start : start + _AT_ONCE])
        found |= set(connection.execute(sa.select(column).where(*where, some)).scalars())
    return found
