"""Files of records: CSV, JSON Lines and Parquet as chunks of rows, each with its line number and raw content.

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
from enum import Enum
from pathlib import Path
from typing import IO, TYPE_CHECKING

from trueup.feedback import file_formats as formats
from trueup.feedback.chunks import Chunk
from trueup.feedback.values import escaped
from trueup.storage.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 5000


class Format(Enum):
    """The formats that are read, by the ending of the file's name."""

    CSV = (".csv",)
    JSONL = (".jsonl", ".ndjson")
    PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class Source:
    """An open file whose header stands and whose columns are known; `chunks` may be called more than once."""

    name: str
    path: Path
    format: Format
    columns: tuple[str, ...]

    def chunks(self, size: int = CHUNK, only: Sequence[str] | None = None) -> Iterator[Chunk]:
        """The rows in file order, `size` at a time; `only` reads fewer columns where the format allows it.

        Raises:
            InputError: the file ends or breaks off where it should not (a cut .gz or Parquet file).
        """
        try:
            yield from _CHUNKS[self.format](self.name, self.path, size, only)
        except (OSError, EOFError) as error:
            raise InputError(f"{self.name}: the file breaks off or cannot be read ({error}). Get it again.") from error


@contextmanager
def opened(path: str | pa.Table, required: Sequence[str], *, stdin: IO[bytes] | None = None) -> Iterator[Source]:
    """A file ready to be read: format, encoding and every required column are checked before the first row.

    Args:
        path: a CSV, JSON Lines or Parquet file (.gz for the first two), "-" for standard input, whose format is
            told by its first bytes, or rows in memory.
        required: columns that must be there.

    Raises:
        InputError: no file, a directory, another format or encoding, nothing in it, or columns missing (all named).
    """
    with tempfile.TemporaryDirectory(prefix="trueup-") as folder:
        if path == "-":
            held = Path(folder) / "input"
            with held.open("wb") as target:
                shutil.copyfileobj(stdin or sys.stdin.buffer, target)
            name, file, kind = "standard input", held, _sniffed(held)
        elif not isinstance(path, str):
            name, file, kind = "rows in memory", Path(folder) / "rows.parquet", Format.PARQUET
            _write(path, file)
        else:
            name, file = escaped(path), Path(path)
            kind = _named(name, file)
        if file.stat().st_size == 0:
            raise InputError(f"{name}: the file is empty, not even a header; nothing was read.")
        try:
            columns = _COLUMNS[kind](name, file, required)
        except PermissionError:
            raise InputError(f"{name}: no permission to read it; nothing was read.") from None
        except (OSError, EOFError) as error:
            raise InputError(f"{name}: it cannot be read ({error}); nothing was stored.") from error
        _demand(name, columns, required)
        yield Source(name, file, kind, columns)


def _write(rows: pa.Table, file: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(rows, file)


# ---- what a file is ----


def _named(name: str, file: Path) -> Format:
    if file.is_dir():
        raise InputError(f"{name}: a directory, not a file; name the files in it.")
    if not file.exists():
        raise InputError(f"{name}: no such file; nothing was read.")
    ending = "".join(file.suffixes[-2:]).lower() if file.suffix.lower() == ".gz" else file.suffix.lower()
    bare = ending.removesuffix(".gz")
    for kind in Format:
        if bare in kind.value and not (kind is Format.PARQUET and ending != bare):
            return kind
    advice = " A .json file with one object a line is JSON Lines: name it .jsonl." if bare == ".json" else ""
    raise InputError(
        f"{name}: the ending '{ending}' says nothing that can be read; use .csv, .jsonl or .parquet "
        f"(.csv.gz, .jsonl.gz).{advice}"
    )


def _sniffed(file: Path) -> Format:
    with file.open("rb") as handle:
        head = handle.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"PAR1"):
        return Format.PARQUET
    return Format.JSONL if head.startswith(b"{") else Format.CSV


def _demand(name: str, columns: Sequence[str], required: Sequence[str]) -> None:
    missing = [c for c in dict.fromkeys(required) if c not in columns]
    if not missing:
        return
    lower = {c.strip().lower(): c for c in columns}
    said = []
    for column in missing:
        near = get_close_matches(column.strip().lower(), list(lower), n=1, cutoff=0.7)
        said.append(f"'{column}'" + (f" (did you mean '{lower[near[0]]}'?)" if near else ""))
    advice = ""
    if len(columns) == 1 and any(sign in columns[0] for sign in ";\t|"):
        advice = " The header is one single column: separate the fields by commas."
    raise InputError(
        f"{name}: column{'s' if len(missing) > 1 else ''} {', '.join(said)} missing; the file has "
        f"{', '.join(repr(c) for c in columns) or 'no columns'}. Nothing was stored.{advice}"
    )


_COLUMNS: dict[Format, Callable[[str, Path, Sequence[str]], tuple[str, ...]]] = {
    Format.CSV: formats.csv_columns, Format.JSONL: formats.jsonl_columns, Format.PARQUET: formats.parquet_columns,
}
_CHUNKS: dict[Format, Callable[[str, Path, int, Sequence[str] | None], Iterator[Chunk]]] = {
    Format.CSV: formats.csv_chunks, Format.JSONL: formats.jsonl_chunks, Format.PARQUET: formats.parquet_chunks,
}
