"""Parts of a file kept from when it was looked through, so that one that memory has room for is read once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from trueup.feedback.chunks import Chunk
from trueup.feedback.columns.plain_chunk import PlainChunk

_OBJECT = 60  # bytes of a text beside its characters, and of the place that it has in a column


class HeldParts:
    """The parts of one file, as long as they take no more than `room` bytes; after that none of them."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._parts: deque[Chunk | PlainChunk] | None = deque() if room else None

    @property
    def wanted(self) -> bool:
        """Whether a part would still be kept."""
        return self._parts is not None

    def keep(self, part: Chunk | PlainChunk) -> None:
        """Keep the next part of the file, where there is room."""
        if self._parts is None:
            return
        self._room -= _bytes_of(part)
        self._parts.append(part)
        if self._room < 0:
            self._parts = None

    def taken(self) -> Iterator[Chunk | PlainChunk] | None:
        """All parts of a file whose parts were all kept, each let go of as it is given; else None."""
        return None if self._parts is None else self._given(self._parts)

    def _given(self, parts: deque[Chunk | PlainChunk]) -> Iterator[Chunk | PlainChunk]:
        while parts:
            yield parts.popleft()


def _bytes_of(part: Chunk | PlainChunk) -> int:
    broken = sum(len(r.raw) + 8 * _OBJECT for r in part.broken)
    if isinstance(part, PlainChunk):
        return broken + int(part.table.nbytes) + int(part.lines.nbytes)
    cells = (value for column in part.table.columns.values() for value in column)
    return broken + sum(_OBJECT if value is None else _OBJECT + len(value) for value in cells)
