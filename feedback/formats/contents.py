"""What every format is given and gives back: a place to read from, and columns with their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from trueup.feedback.chunks import Chunk
from trueup.feedback.columns.plain_chunk import PlainChunk
from trueup.feedback.formats.containers import Opener
from trueup.storage.file_format import FileFormat

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Place:
    """A file that is read as `format` says.

    folder: where a copy may lie for as long as the file is open. required: the columns that it must have. wanted: those
    that are of use, the required ones among them; None: all that there are.
    """

    name: str
    file: Path
    opener: Opener
    format: FileFormat
    folder: Path
    required: tuple[str, ...] = ()
    wanted: tuple[str, ...] | None = None

    def open(self) -> IO[bytes]:
        """Begin to read it, unpacked."""
        return self.opener.open()

    @property
    def ending(self) -> str:
        """The ending of its unpacked name."""
        return self.opener.ending

    def head(self, size: int = 1 << 16) -> bytes:
        """Its first bytes."""
        with self.open() as handle:
            return handle.read(size)

    def unpacked(self) -> Path:
        """The file itself where it is not packed, else an unpacked copy that lies in `folder`."""
        if not self.opener.packed:
            return self.file
        target = self.folder / "unpacked"
        if not target.exists():
            with self.open() as source, target.open("wb") as copy:
                while block := source.read(_BLOCK):
                    copy.write(block)
        return target


@dataclass(frozen=True)
class Contents:
    """The columns of a file, and its rows in chunks of a size as often as they are asked for.

    `chunks` takes the number of rows of a chunk, and the columns that are wanted (None: all). notes: what is to be told
    of the file before its rows are taken. fitting: the settings with which it has the required columns; "": none known.
    parts: the same rows in columns as far as they are plain, in parts of any length; None: nothing of it is.
    """

    columns: tuple[str, ...]
    chunks: Callable[[int, Sequence[str] | None], Iterator[Chunk]]
    notes: tuple[str, ...] = ()
    fitting: Callable[[], str] = lambda: ""
    parts: Callable[[Sequence[str] | None], Iterator[Chunk | PlainChunk]] | None = None


def column_names(cells: Sequence[str | None]) -> tuple[str, ...]:
    """The names that a header gives its columns: an empty cell is `unnamed_3`, a name that stands twice `a_1`, `a_2`.

    No two are alike.
    """
    plain = [(cell or "").strip() or f"unnamed_{k}" for k, cell in enumerate(cells, start=1)]
    taken = {name for name in plain if plain.count(name) == 1}
    names, seen = list[str](), dict[str, int]()
    for name in plain:
        if name not in taken or names.count(name):
            count = seen.get(name, 0) + 1
            while f"{name}_{count}" in taken or f"{name}_{count}" in names:
                count += 1
            seen[name], name = count, f"{name}_{count}"
        names.append(name)
    return tuple(names)


def doubled(place: Place, cells: Sequence[str | None]) -> tuple[str, ...]:
    """What is to be told of names that a header has more than once."""
    plain = [(cell or "").strip() for cell in cells]
    twice = sorted({name for name in plain if name and plain.count(name) > 1})
    return tuple(
        f"{place.name}: the header names '{name}' {plain.count(name)} times; these columns are read as "
        + ", ".join(f"'{new}'" for new, old in zip(column_names(cells), plain, strict=True) if old == name)
        for name in twice
    )
