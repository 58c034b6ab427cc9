"""Rows in columns as they were read, beside the same rows one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from trueup.feedback.chunks import Chunk, RawRows
from trueup.storage.incoming import Refused

MOST = 64  # parts that are held at once: each is of a block of bytes, so memory stays bounded


@dataclass(frozen=True)
class PlainChunk:
    """n rows of a file that types nothing: `table` holds text, null where a cell is empty; `lines` (n,) from 1.

    `broken` are lines between them that are no rows.
    """

    table: pa.Table
    lines: np.ndarray
    broken: tuple[Refused, ...] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def sliced(self, start: int, count: int) -> PlainChunk:
        """Some neighbouring rows; the broken lines go with the first."""
        lines = self.lines[start : start + count]
        return PlainChunk(self.table.slice(start, count), lines, () if start else self.broken)

    def rows(self, positions: np.ndarray | None = None) -> Chunk:
        """Some of the rows, or all, as they are read one by one, without what is no row."""
        table, lines = self.table, self.lines
        if positions is not None:
            table, lines = table.take(pa.array(positions, pa.int64())), lines[positions]
        frame = pd.DataFrame(
            {name: _objects(table.column(name)) for name in table.column_names}, index=range(len(lines)), dtype="object"
        )
        return Chunk(frame, lines, RawRows(frame), () if positions is not None else self.broken)


def batches(parts: Iterable[Chunk | PlainChunk], size: int) -> Iterator[list[Chunk | PlainChunk]]:
    """Neighbouring parts of a file, of `size` rows or a part more together, in MOST parts at most."""
    held: list[Chunk | PlainChunk] = []
    for part in parts:
        for start in range(0, len(part), size) if isinstance(part, PlainChunk) and len(part) > size else (0,):
            held.append(part.sliced(start, size) if isinstance(part, PlainChunk) else part)
            if sum(map(len, held)) >= size or len(held) >= MOST:
                yield held
                held = []
    if held:
        yield held


def _objects(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)
