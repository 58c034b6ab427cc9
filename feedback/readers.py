"""Files of records as chunks of rows, each with its line number and raw content, whatever their format.

A file is refused whole (InputError) where it is not what it says or lacks a column; a broken line only by itself.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from trueup.feedback.chunks import Chunk
from trueup.feedback.columns.plain_chunk import PlainChunk
from trueup.feedback.formats.containers import UNREADABLE, Opener, opener_of
from trueup.feedback.formats.contents import Contents, Place
from trueup.feedback.formats.kinds import FormatKind, format_kind
from trueup.feedback.formats.parquet_folder import parquet_files
from trueup.feedback.nested import fields_of
from trueup.feedback.values import escaped
from trueup.storage.errors import InputError
from trueup.storage.file_format import ADVICE, FileFormat

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 5000
_Rows = TypeVar("_Rows")
_AS_UTF8 = FileFormat()
# Where each kind is read, imported once a file of it comes: `(Place) -> Contents`.
_READERS = {
    FormatKind.CSV: ("csv_text", "read_csv"), FormatKind.JSONL: ("json_lines", "read_json_lines"),
    FormatKind.JSON: ("json_list", "read_json_list"), FormatKind.EXCEL: ("excel", "read_excel"),
    FormatKind.HTML: ("html_table", "read_html"), FormatKind.PARQUET: ("parquet_table", "read_parquet"),
}  # fmt: skip


@dataclass(frozen=True)
class LocalCopy:
    """A file that lies here for as long as it is read, and by which name people know it."""

    file: Path
    name: str


@dataclass(frozen=True)
class NamedRows:
    """Rows in memory, and by which name people know where they came from."""

    table: pa.Table
    name: str


@dataclass(frozen=True)
class Source:
    """An open file whose header stands and whose columns are known; `chunks` may be called more than once.

    notes: what is to be told of the file before its rows are taken. size: its bytes as it lies there, maybe packed.
    """

    name: str
    kind: FormatKind
    contents: Contents
    size: int

    @property
    def columns(self) -> tuple[str, ...]:
        return self.contents.columns

    @property
    def notes(self) -> tuple[str, ...]:
        return self.contents.notes

    def chunks(self, size: int = CHUNK, only: Sequence[str] | None = None) -> Iterator[Chunk]:
        """The rows in file order, `size` at a time; `only` reads fewer columns where the format allows it.

        Raises:
            InputError: the file ends or breaks off where it should not (a cut .gz, JSON or Parquet file).
        """
        yield from self._read(lambda: self.contents.chunks(size, only))

    def parts(self, size: int = CHUNK, only: Sequence[str] | None = None) -> Iterator[Chunk | PlainChunk]:
        """The same rows, in columns where they are plain; those parts are of any length. Raises as `chunks` does."""
        plain = self.contents.parts
        yield from self._read(lambda: plain(only) if plain else self.contents.chunks(size, only))

    def _read(self, begin: Callable[[], Iterator[_Rows]]) -> Iterator[_Rows]:
        try:
            yield from begin()
        except UNREADABLE as error:
            raise InputError(f"{self.name}: the file cannot be read to its end ({error}). Get it again.") from error


@contextmanager
def opened(
    path: str | LocalCopy | NamedRows | pa.Table,
    required: Sequence[str],
    *,
    format: FileFormat = _AS_UTF8,
    wanted: Sequence[str] | None = None,
    stdin: IO[bytes] | None = None,
) -> Iterator[Source]:
    """A file ready to be read: format, encoding and every required column are checked before the first row.

    Args:
        path: a CSV, JSON Lines, JSON, Excel, HTML or Parquet file (packed as gz, zip, bz2 or zst), a folder of
            partitioned Parquet files, "-" for standard input, a copy of a file, or rows in memory.
        required: columns that must be there.
        format: how the file is written; rows in memory need none.
        wanted: columns that are of use; columns of bytes are read only if they are among them. None: all columns.

    Raises:
        InputError: no file, another format or encoding than is declared, nothing in it, or columns missing (all named).
    """
    with tempfile.TemporaryDirectory(prefix="trueup-") as temporary:
        folder = Path(temporary)
        if path == "-":
            name, file = "standard input", _held(stdin or sys.stdin.buffer, folder)
        elif isinstance(path, LocalCopy):
            name, file = escaped(path.name), path.file
        elif not isinstance(path, str):
            rows, name = (path.table, escaped(path.name)) if isinstance(path, NamedRows) else (path, "rows in memory")
            file, format = folder / "rows.parquet", format.model_copy(update={"kind": ""})
            _write(rows, file)
        else:
            name, file = escaped(path), Path(path)
            if file.is_fifo():  # it can be read only once
                with file.open("rb") as pipe:
                    file = _held(pipe, folder)
        try:
            place, kind, contents = _contents(name, file, folder, format, required, wanted)
            _demand(place, contents)
        except PermissionError:
            raise InputError(f"{name}: no permission to read this file; nothing was stored.") from None
        except UNREADABLE as error:
            raise InputError(f"{name}: the file cannot be read ({error}); nothing was stored.") from error
        yield Source(name, kind, contents, sum(part.stat().st_size for part in _files(file)))


def _files(path: Path) -> Sequence[Path]:
    return parquet_files(path) if path.is_dir() else [path]


def _held(source: IO[bytes], folder: Path) -> Path:
    """What comes in only once, as a file."""
    file = folder / "input"
    with file.open("wb") as target:
        shutil.copyfileobj(source, target)
    return file


def _write(rows: pa.Table, file: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(rows, file)


def _contents(
    name: str, file: Path, folder: Path, format: FileFormat, required: Sequence[str], wanted: Sequence[str] | None
) -> tuple[Place, FormatKind, Contents]:
    parts = parquet_files(file) if file.is_dir() else []
    useful = None if wanted is None else tuple(wanted)
    if parts:
        opener = Opener(lambda: parts[0].open("rb"), False, ".parquet")
        place = Place(name, file, opener, format, folder, tuple(required), useful)
        from trueup.feedback.formats.parquet_table import read_parquet

        return place, FormatKind.PARQUET, read_parquet(place, parts)
    place = located(name, file, folder, format, required, useful)
    kind = format_kind(place)
    module, reader = _READERS[kind]
    contents: Contents = getattr(import_module(f"trueup.feedback.formats.{module}"), reader)(place)
    return place, kind, contents


def located(
    name: str,
    file: Path,
    folder: Path,
    format: FileFormat,
    required: Sequence[str] = (),
    wanted: tuple[str, ...] | None = None,
) -> Place:
    """A file as the formats are given it, unpacked where it is packed.

    Raises:
        InputError: there is no such file, it is a folder or empty, or it cannot be unpacked.
    """
    if file.is_dir():
        raise InputError(f"{name}: this is a folder without Parquet files; nothing was stored. Name the files in it.")
    if not file.exists():
        raise InputError(f"{name}: no such file; nothing was stored.")
    opener = opener_of(name, file)
    place = Place(name, file, opener, format, folder, tuple(required), wanted)
    if not place.head(1):
        raise InputError(f"{name}: the file is empty, without even a header; nothing was stored.")
    return place


def _demand(place: Place, contents: Contents) -> None:
    columns = contents.columns
    missing = [c for c in dict.fromkeys(place.required) if c not in columns]
    if not missing:
        return
    lower = {c.strip().lower(): c for c in columns}
    said, advice = [], ""
    for column in missing:
        fields = fields_of(column, columns)
        near = get_close_matches(column.strip().lower(), list(lower), n=1, cutoff=0.7)
        hint = f" (did you mean '{lower[near[0]]}'?)" if near else ""
        if fields:
            hint = f" (it holds objects; name one of their fields, such as '{fields[0]}')"
        said.append(f"'{column}'" + hint)
    settings = contents.fitting()
    if settings:
        declared = f"format.delimiter is {place.format.delimiter!r} and format.skip_lines {place.format.skip_lines}"
        advice = f" But {declared}: set {settings} {ADVICE}."
    raise InputError(
        f"{place.name}: column{'s' if len(missing) > 1 else ''} {', '.join(said)} missing; it has "
        f"{', '.join(repr(c) for c in columns) or 'no columns'}. Nothing was stored.{advice}"
    )
