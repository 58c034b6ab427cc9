"""Rows as they were read: text, line numbers and raw content, from whatever source."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trueup.feedback.exact import KEPT_DIGITS, Exact, Ruined
from trueup.feedback.nested import Nested, flat
from trueup.feedback.text_table import TextTable
from trueup.feedback.typed_values import written
from trueup.feedback.values import encodable
from trueup.storage.incoming import Refused


class RawRows(Sequence[str]):
    """The raw content of rows, made when it is asked for: a JSON object of the columns that are not missing.

    A number that the file types is a JSON number in it, text is a JSON string; `row_of` reads the row back as it came.
    """

    def __init__(self, table: TextTable, positions: np.ndarray | None = None) -> None:
        self._table = table
        self._positions = np.arange(len(table)) if positions is None else positions

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, k: Any) -> Any:
        if isinstance(k, slice):
            return [self[j] for j in range(*k.indices(len(self)))]
        row = self._table.row(int(self._positions[k]))
        held = {name: value for name, value in row.items() if value is not None}
        text = _object(held, ascii_only=False)
        # What is no Unicode text is written in JSON's own escapes, so that it reads back as it was.
        return text if encodable(text) else _object(held, ascii_only=True)

    def take(self, positions: np.ndarray) -> RawRows:
        """The raw content of some of the rows."""
        return RawRows(self._table, self._positions[positions])


def _object(held: Mapping[str, str], *, ascii_only: bool) -> str:
    inner = tuple(f"{name}." for name, value in held.items() if isinstance(value, Nested))
    parts = (
        f"{json.dumps(name, ensure_ascii=ascii_only)}: {_json(value, ascii_only)}"
        for name, value in held.items()
        if not name.startswith(inner)  # a field of an object that is written whole
    )
    return "{" + ", ".join(parts) + "}"


def _json(value: str, ascii_only: bool) -> str:
    if isinstance(value, Nested):
        return json.dumps(json.loads(value), ensure_ascii=ascii_only)
    if isinstance(value, Ruined):
        return f"{float(value):.16e}"
    return value if isinstance(value, Exact) else json.dumps(value, ensure_ascii=ascii_only)


def row_of(raw: str) -> dict[str, object]:
    """The row that the raw content is of; whole numbers in powers of ten are those that Excel cut."""
    held: dict[str, object] = json.loads(raw, parse_int=Exact, parse_float=_fraction)
    return held


def _fraction(text: str) -> Exact:
    value = float(text)
    return Ruined(f"{value:.0f}") if "e" in text and value.is_integer() and abs(value) >= KEPT_DIGITS else Exact(text)


@dataclass(frozen=True)
class Chunk:
    """n rows as they were read: `table` (n × columns) of str or None, `lines` (n,) counted from 1, `raw` (n,).

    A cell is `Exact` where the file itself types a number, and `Nested` where it holds an object.

    `broken` are lines that are no rows. `typed` names the columns that the file itself says are times.
    """

    table: TextTable
    lines: np.ndarray
    raw: RawRows
    broken: tuple[Refused, ...] = ()
    typed: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.lines)


def chunk_of(
    rows: Sequence[Mapping[str, object]], lines: Sequence[int] | None = None, broken: Sequence[Refused] = ()
) -> Chunk:
    """Rows that came as objects (JSON Lines, HTTP) as a chunk; a key that is absent is missing.

    Raises:
        NameClash: a row has two fields of one name.
    """
    rows = [flat(row) for row in rows]
    names = list(dict.fromkeys(str(name) for row in rows for name in row))
    columns = {name: object_array([written(row.get(name)) for row in rows]) for name in names}
    table = TextTable(columns, len(rows))
    numbers = np.arange(1, len(rows) + 1) if lines is None else np.asarray(lines, dtype=np.int64)
    return Chunk(table, numbers, RawRows(table), tuple(broken))


def object_array(values: Sequence[object]) -> np.ndarray:
    """Texts, or other values, as an object array of shape (n,)."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
