"""Exported files, written batch by batch: Parquet in row groups of one size, or CSV that no spreadsheet obeys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from trueup.storage.errors import InputError
from trueup.storage.escaping import FORMULA, for_spreadsheet

ExportKind = Literal["parquet", "csv"]

_GROUP = 50_000  # rows of a row group: what is held in memory at a time


class _Writer(Protocol):
    def write_table(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


def write_batches(file: Path, kind: ExportKind, layout: pa.Schema, batches: Iterable[pa.Table]) -> int:
    """Write tables of one layout one after the other; how many rows they have."""
    writer, rows, waiting = _opened(file, kind, layout), 0, list[pa.Table]()
    try:
        for batch in batches:
            waiting.append(batch.select(layout.names).cast(layout))
            if sum(map(len, waiting)) >= _GROUP:
                rows += _written(writer, waiting)
        return rows + _written(writer, waiting)
    finally:
        writer.close()


def _written(writer: _Writer, waiting: list[pa.Table]) -> int:
    if not waiting:
        return 0
    table = pa.concat_tables(waiting)
    waiting.clear()
    writer.write_table(table)
    return len(table)


def _opened(file: Path, kind: ExportKind, layout: pa.Schema) -> _Writer:
    if kind == "parquet":
        import pyarrow.parquet as pq

        return pq.ParquetWriter(file, layout, compression="zstd")
    return _SpreadsheetFile(file, layout)


class _SpreadsheetFile:
    """A CSV file with a header: times ISO 8601 with Z, yes and no as true and false, nothing as nothing.

    A text that a spreadsheet would take for a formula begins with an apostrophe; of several in a cell the first does.
    """

    def __init__(self, file: Path, layout: pa.Schema) -> None:
        from pyarrow import csv

        self._names = [str(for_spreadsheet(name)) for name in layout.names]
        kinds = [pa.float64() if pa.types.is_floating(f.type) else f.type for f in layout]
        shown = [kind if pa.types.is_primitive(kind) and not pa.types.is_timestamp(kind) else pa.string()
                 for kind in kinds]  # fmt: skip
        self._layout = pa.schema(list(zip(self._names, shown, strict=True)))
        self._writer = csv.CSVWriter(str(file), self._layout)

    def write_table(self, table: pa.Table) -> None:
        cells = [_cells(column) for column in table.columns]
        self._writer.write_table(pa.table(cells, schema=self._layout))

    def close(self) -> None:
        self._writer.close()


def _cells(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_list(column.type):
        column = pc.binary_join(column, " ")
    if not pa.types.is_string(column.type):
        return column
    formula = pc.match_substring_regex(column, FORMULA)
    return pc.if_else(formula, pc.binary_join_element_wise("'", column, ""), column)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Where to write what then becomes the folder at once; what was begun and not ended leaves nothing behind.

    Raises:
        InputError: the folder holds something already, or cannot be written.
    """
    import shutil

    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(
                f"'{folder}' is there already and is not an empty folder. Nothing was written. Name a new one."
            )
        folder = folder.absolute()
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.part")
        part.mkdir()
        try:
            yield part
            part.replace(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        said = f"'{folder}' cannot be written: {error.strerror}. Name a folder on a disk with room."
        raise InputError(said) from error
