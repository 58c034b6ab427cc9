"""Rows in columns as they were read, beside the same rows one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from trueup.feedback.chunks import Chunk, RawRows, object_array
from trueup.feedback.exact import Exact
from trueup.feedback.text_table import TextTable
from trueup.feedback.times.reading import Times
from trueup.storage.incoming import Refused

_PARTS_AT_ONCE = 64  # parts that are held at once: each is of a block of bytes, so memory stays bounded


@dataclass(frozen=True)
class PlainChunk:
    """n rows in columns: `table` holds text, null where a cell is empty; `lines` (n,) from 1.

    `broken` are lines between them that are no rows. event, arrived: their times, where they were read already. exact,
    typed: the columns that the file itself says are numbers, or times.
    """

    table: pa.Table
    lines: np.ndarray
    broken: tuple[Refused, ...] = ()
    event: Times | None = None
    arrived: Times | None = None
    exact: frozenset[str] = frozenset()
    typed: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.lines)

    def rows(self, positions: np.ndarray | None = None) -> Chunk:
        """Some of the rows, or all, as they are read one by one, without what is no row."""
        table, lines = self.table, self.lines
        if positions is not None:
            table, lines = table.take(pa.array(positions, pa.int64())), lines[positions]
        columns = {name: _objects(table.column(name), exact=name in self.exact) for name in table.column_names}
        texts = TextTable(columns, len(lines))
        return Chunk(texts, lines, RawRows(texts), () if positions is not None else self.broken, self.typed)


def neighbouring(parts: Iterable[Chunk | PlainChunk], size: int) -> Iterator[list[Chunk | PlainChunk]]:
    """Neighbouring parts of a file: `size` rows and broken lines together, or fewer in _PARTS_AT_ONCE parts."""
    held: list[Chunk | PlainChunk] = []
    for part in parts:
        left: Chunk | PlainChunk | None = part
        while left is not None:
            first, left = _split(left, size - sum(map(_count, held)))
            held.append(first)
            if sum(map(_count, held)) >= size or len(held) >= _PARTS_AT_ONCE:
                yield held
                held = []
    if held:
        yield held


def _count(part: Chunk | PlainChunk) -> int:
    return len(part) + len(part.broken)


def _split(part: Chunk | PlainChunk, count: int) -> tuple[Chunk | PlainChunk, Chunk | PlainChunk | None]:
    """A part's first rows and broken lines, so many of them, and the others."""
    if _count(part) <= count:
        return part, None
    cut = np.sort(np.concatenate([part.lines, [r.line for r in part.broken]]))[count]
    here = int(np.searchsorted(part.lines, cut))
    sides: list[Chunk | PlainChunk] = []
    for rows, broken in (
        (slice(0, here), tuple(r for r in part.broken if r.line < cut)),
        (slice(here, len(part)), tuple(r for r in part.broken if r.line >= cut)),
    ):
        lines = part.lines[rows]
        if isinstance(part, PlainChunk):
            event, arrived = (None if found is None else found.of(rows) for found in (part.event, part.arrived))
            table = part.table.slice(rows.start, len(lines))
            sides.append(PlainChunk(table, lines, broken, event, arrived, part.exact, part.typed))
        else:
            raw = part.raw.take(np.arange(rows.start, rows.start + len(lines)))
            sides.append(Chunk(part.table.part(rows), lines, raw, broken, part.typed))
    return sides[0], sides[1]


def _objects(column: pa.ChunkedArray, *, exact: bool) -> np.ndarray:
    values = np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)
    return object_array([None if v is None else Exact(v) for v in values]) if exact else values
