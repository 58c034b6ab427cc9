"""Excel workbooks (.xlsx, .xls, .xlsb, .ods) by python-calamine: cells as Excel types them, one sheet a file."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from trueup.feedback.exact import KEPT_DIGITS, Ruined
from trueup.feedback.formats.contents import Contents, Place
from trueup.feedback.formats.sheet_rows import read_rows
from trueup.feedback.typed_values import written
from trueup.storage.errors import InputError
from trueup.storage.file_format import ADVICE

_CELL = re.compile(rb"<c\b([^>]*?)(?:/>|>(.*?)</c>)", re.DOTALL)
_SHEET = re.compile(rb"<sheet\b[^>]*?\bname=\"([^\"]*)\"[^>]*?\br:id=\"([^\"]*)\"")
_BLOCK = 1 << 20


def read_excel(place: Place) -> Contents:
    """One sheet of a workbook: the one that `format.sheet` names, or the only one.

    Raises:
        InputError: python-calamine is not installed, the file is no workbook, or which sheet is meant is not said.
    """
    book = _book(place)
    wanted = place.format.sheet if place.format.sheet in book.sheet_names else _only_sheet(place)
    sheet = _sheet(place, book, wanted)

    moments: set[int] = set()

    def rows() -> Iterator[list[str | None]]:
        return ([_text(_at_midnight(cell) if k in moments else cell) for k, cell in enumerate(row)]
                for row in sheet.iter_rows())  # fmt: skip

    contents = read_rows(place, rows)
    kinds = _kinds(sheet, len(contents.columns), place)
    typed = frozenset(
        name for name, found in zip(contents.columns, kinds, strict=True) if found and found <= {datetime, date}
    )
    moments |= {k for k, found in enumerate(kinds) if found >= {datetime, date}}
    if typed or moments:
        contents = read_rows(place, rows, typed)
    return replace(contents, notes=(*contents.notes, *_lacking(place, wanted)))


def _only_sheet(place: Place) -> str:
    names, declared = sheets_with_cells(place), place.format.sheet
    if not names:
        raise InputError(f"{place.name}: every sheet of the workbook is empty; nothing was stored.")
    if declared or len(names) > 1:
        told = " or ".join(f'sheet = "{name}"' for name in names)
        said = f"has no sheet '{declared}', which format.sheet names" if declared else f"has {len(names)} sheets"
        raise InputError(
            f"{place.name}: the workbook {said}. Nothing was stored. Set {told} {ADVICE}."
        )
    return names[0]


def sheets_with_cells(place: Place) -> tuple[str, ...]:
    """The names of the sheets that hold something, in the workbook's order; hidden ones too."""
    book = _book(place)
    return tuple(name for name in book.sheet_names if _sheet(place, book, name).start is not None)


def sheet_rows(place: Place, name: str) -> Iterator[list[str | None]]:
    """The cells of a sheet as text, row by row."""
    return ([_text(cell) for cell in row] for row in _sheet(place, _book(place), name).iter_rows())


def _book(place: Place) -> Any:
    try:
        import python_calamine
    except ImportError:
        raise InputError(
            f"{place.name}: reading an Excel workbook needs a package that is not installed; nothing was stored. "
            "Install it: pip install 'trueup[excel]'"
        ) from None
    try:
        with place.unpacked().open("rb") as handle:  # by content: an ending may say .xls of an .xlsx
            return python_calamine.CalamineWorkbook.from_filelike(handle)
    except python_calamine.PasswordError:
        raise InputError(f"{place.name}: the workbook has a password; nothing was stored. Remove it first.") from None
    except (python_calamine.CalamineError, OSError) as error:
        raise InputError(f"{place.name}: the Excel workbook is damaged ({error}). Nothing was stored.") from None


def _sheet(place: Place, book: Any, name: str) -> Any:
    """A sheet; its rows are those from the first of the sheet on, so that a row has the number that Excel shows."""
    import python_calamine

    try:
        return book.get_sheet_by_name(name)
    except (python_calamine.CalamineError, OSError) as error:
        raise InputError(f"{place.name}: sheet '{name}' cannot be read ({error}). Nothing was stored.") from None


def _text(cell: Any) -> str | None:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) >= KEPT_DIGITS:
        return Ruined(format(cell, ".0f"))
    if isinstance(cell, timedelta):
        return written(cell.total_seconds() / 86400)  # as Excel counts it: in days
    if isinstance(cell, time):
        return cell.isoformat()
    return written(cell)


def _at_midnight(cell: Any) -> Any:
    """A moment for a day: in a column of moments a day without an hour is one at midnight, not the whole day."""
    return datetime(cell.year, cell.month, cell.day) if type(cell) is date else cell


def _kinds(sheet: Any, columns: int, place: Place) -> list[set[type]]:
    """The types of each column's cells that are not empty, below the header."""
    kinds: list[set[type]] = [set() for _ in range(columns)]
    seen = False
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if number <= place.format.skip_lines or not any(cell != "" for cell in row):
            continue
        if not seen:
            seen = True  # the header
            continue
        for found, cell in zip(kinds, row, strict=False):
            if cell != "":
                found.add(type(cell))
    return kinds


# ---- what a workbook does not keep: results of formulas, and errors ----


def _lacking(place: Place, sheet: str) -> Sequence[str]:
    """What is to be told of cells that come out empty: formulas that were never computed, and errors."""
    formulas, errors = _counted(place.unpacked(), sheet)
    notes = []
    if formulas:
        notes.append(
            f"{place.name}: {formulas:,} formulas of sheet '{sheet}' have no stored result and are read as empty. To "
            "store their results, open the workbook in Excel and save it."
        )
    if errors:
        notes.append(f"{place.name}: {errors:,} cells of sheet '{sheet}' hold an error (#N/A) and are read as empty.")
    return notes


def _counted(file: Path, sheet: str) -> tuple[int, int]:
    if not zipfile.is_zipfile(file):
        return 0, 0
    with zipfile.ZipFile(file) as archive:
        part = _part(archive, sheet)
        if part is None:
            return 0, 0
        formulas = errors = 0
        with archive.open(part) as handle:
            held = b""
            while block := handle.read(_BLOCK):
                held += block
                end = held.rfind(b"</c>") + 4
                if end < 4:
                    continue
                for attributes, inner in _CELL.findall(held[:end]):
                    formulas += b"<f" in inner and b"<v>" not in inner and b"<is>" not in inner
                    errors += b't="e"' in attributes
                held = held[end:]
        return formulas, errors


def _part(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The part of the archive that holds a sheet."""
    import html

    try:
        book, links = archive.read("xl/workbook.xml"), archive.read("xl/_rels/workbook.xml.rels")
    except KeyError:
        return None
    key = next((k for name, k in _SHEET.findall(book) if html.unescape(name.decode()) == sheet), None)
    for link in re.findall(rb"<Relationship\b[^>]*>", links):
        if key and b'Id="' + key + b'"' in link and (target := re.search(rb'Target="([^"]*)"', link)):
            path = target[1].decode().lstrip("/")
            path = path if path.startswith("xl/") else f"xl/{path}"
            return path if path in archive.namelist() else None
    return None
