"""How a made shape becomes a file: one small frozen value for each kind of file that people export."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, Protocol

_SAVED = re.compile(rb"\d{4}-\d\d-\d\dT[\d:]+(?=Z</dcterms)")  # when a workbook was saved
Cells = Sequence[tuple[str, Sequence[Any]]]  # columns by name, in order; None is a missing cell


class FileKind(Protocol):
    """Writes columns into a folder."""

    def write(self, folder: Path, name: str, columns: Cells) -> Path: ...


@dataclass(frozen=True)
class Csv:
    """Delimited text as tools write it. title: lines before the header. below: rows between the header and the records.

    footer: lines after the records. tail: what ends each line of records, such as the ";;" of a spreadsheet.
    """

    delimiter: str = ","
    decimal: str = "."
    thousands: str = ""
    encoding: str = "utf-8"
    blank: str = ""
    quoting: int = csv.QUOTE_MINIMAL
    title: tuple[str, ...] = ()
    header: bool = True
    below: tuple[tuple[str, ...], ...] = ()
    footer: tuple[str, ...] = ()
    end: str = "\r\n"
    ending: str = ".csv"
    packed: str = ""

    def write(self, folder: Path, name: str, columns: Cells) -> Path:
        held = io.StringIO()
        sheet = csv.writer(held, delimiter=self.delimiter, quoting=self.quoting, lineterminator=self.end)  # type: ignore[arg-type]
        held.write("".join(line + self.end for line in self.title))
        if self.header:
            sheet.writerow([column for column, _ in columns])
        sheet.writerows(self.below)
        sheet.writerows(zip(*([self._spelt(c) for c in cells] for _, cells in columns), strict=True))
        held.write("".join(line + self.end for line in self.footer))
        return _packed(folder / f"{name}{self.ending}", held.getvalue().encode(self.encoding), self.packed)

    def _spelt(self, cell: Any) -> str:
        if cell is None:
            return self.blank
        if isinstance(cell, float):
            whole, _, part = (f"{cell:,.2f}" if self.thousands else repr(cell)).partition(".")
            return whole.replace(",", self.thousands) + (self.decimal + part if part else "")
        return cell if isinstance(cell, str) else _text(cell)


@dataclass(frozen=True)
class Json:
    """Objects, one a line or as a list under `path`. nested: `a.b` is written as an object within an object."""

    lines: bool = False
    path: str = ""
    beside: tuple[tuple[str, Any], ...] = ()
    nested: bool = True
    absent: bool = False
    ending: str = ".json"
    packed: str = ""

    def write(self, folder: Path, name: str, columns: Cells) -> Path:
        rows = [self._row(dict(zip([c for c, _ in columns], row, strict=True)))
                for row in zip(*(cells for _, cells in columns), strict=True)]
        if self.lines:
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        else:
            whole: Any = rows
            for step in reversed(self.path.split(".") if self.path else ()):
                whole = {**dict(self.beside), step: whole}
            text = json.dumps(whole, ensure_ascii=False, indent=2)
        return _packed(folder / f"{name}{self.ending}", text.encode("utf-8"), self.packed)

    def _row(self, cells: dict[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for column, cell in cells.items():
            if cell is None and self.absent:
                continue
            at, steps = row, column.split(".") if self.nested else [column]
            for step in steps[:-1]:
                at = at.setdefault(step, {})
            at[steps[-1]] = cell.isoformat() if isinstance(cell, datetime) else cell
        return row


@dataclass(frozen=True)
class Excel:
    """A workbook with typed cells, with rows of a title above the header and sheets before the one with the records."""

    title: tuple[tuple[str, ...], ...] = ()
    sheet: str = "Sheet1"
    before: tuple[str, ...] = ()

    def write(self, folder: Path, name: str, columns: Cells) -> Path:
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        for other in self.before:
            book.create_sheet(other).append(["Exported by the shop's back office"])
        sheet = book.create_sheet(self.sheet)
        for row in (*self.title, [column for column, _ in columns]):
            sheet.append(row)
        for cells in zip(*(cells for _, cells in columns), strict=True):
            sheet.append(cells)
        held, path = io.BytesIO(), folder / f"{name}.xlsx"
        book.save(held)
        with zipfile.ZipFile(held) as parts:
            undated = {part: _SAVED.sub(b"2024-01-01T00:00:00", parts.read(part)) for part in parts.namelist()}
        path.write_bytes(_zipped(undated))
        return path


@dataclass(frozen=True)
class Parquet:
    """A Parquet file; columns keep the types of their cells."""

    def write(self, folder: Path, name: str, columns: Cells) -> Path:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = folder / f"{name}.parquet"
        pq.write_table(pa.table({column: pa.array(cells) for column, cells in columns}), path)
        return path


@dataclass(frozen=True)
class HtmlTable:
    """A table of a web page that is called an Excel file, as many consoles export it."""

    def write(self, folder: Path, name: str, columns: Cells) -> Path:
        rows = [[column for column, _ in columns], *zip(*(cells for _, cells in columns), strict=True)]
        spelt = [[f"<td>{escape('' if cell is None else _text(cell))}</td>" for cell in row] for row in rows]
        body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in spelt)
        path = folder / f"{name}.xls"
        path.write_text(f'<html><meta charset="utf-8"><body><table border="1">{body}</table></body></html>', "utf-8")
        return path


def _text(cell: Any) -> str:
    return json.dumps(cell, ensure_ascii=False) if isinstance(cell, list | dict) else str(cell)


def _packed(path: Path, content: bytes, packed: str) -> Path:
    if packed == "gz":
        path = path.with_name(f"{path.name}.gz")
        content = gzip.compress(content, mtime=0)
    elif packed == "zip":
        inner, path = path.name, path.with_name(f"{path.name}.zip")
        content = _zipped({f"__MACOSX/._{inner}": b"\x00\x05\x16\x07", inner: content})
    path.write_bytes(content)
    return path


def _zipped(parts: Mapping[str, bytes]) -> bytes:
    """An archive that is the same at every run: its parts bear one date."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return held.getvalue()
