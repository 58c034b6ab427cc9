"""How a stranger's file is written, for `init`: a FileFormat with its reasons, and what the file does not decide."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from trueup.feedback.formats.containers import UNREADABLE
from trueup.feedback.formats.contents import Place, column_names, doubled
from trueup.feedback.formats.csv_text import SEP_LINE
from trueup.feedback.formats.encoding_guess import guessed_encoding
from trueup.feedback.formats.encodings import text_lines
from trueup.feedback.formats.excel import sheet_rows, sheets_with_cells
from trueup.feedback.formats.html_table import html_rows, table_sizes
from trueup.feedback.formats.json_list import list_paths
from trueup.feedback.formats.kinds import FormatKind, format_kind
from trueup.feedback.inference.conclusion import Undecided
from trueup.feedback.inference.dialect import DELIMITERS, NAMES, find_dialect, looks_like_data, table_header
from trueup.feedback.inference.notation import find_notation
from trueup.feedback.readers import located
from trueup.feedback.values import escaped
from trueup.storage.errors import InputError
from trueup.storage.file_format import FileFormat
from trueup.storage.formatting import counted_noun, percent

_WHOLE = 16 << 20        # characters up to which every line is judged; of larger files evenly spread stretches
_STRETCH = 1 << 18
_PACKED = 6              # how much larger a file is than its packed form, about
_SHEET_ROWS = 5000


@dataclass(frozen=True)
class Detected:
    """The format taken (where undecided, the likeliest), why, and what the file alone does not say."""

    format: FileFormat
    why: tuple[str, ...] = ()
    undecided: tuple[Undecided, ...] = ()


@dataclass
class _Findings:
    changes: dict[str, object] = field(default_factory=dict)
    why: list[str] = field(default_factory=list)
    undecided: list[Undecided] = field(default_factory=list)

    def open(self, said: str, *settings: str) -> None:
        self.undecided.append(Undecided("format", said, settings))


def detect(path: str) -> Detected:
    """How a file is written. Only settings that differ from the defaults are in the format.

    Raises:
        InputError: no file, an empty one, or one of a kind that is not read.
    """
    found = _Findings()
    with tempfile.TemporaryDirectory(prefix="trueup-") as folder:
        if Path(path).is_dir():
            return Detected(FileFormat())  # of Parquet files, or refused when it is opened
        try:
            place = located(escaped(path), Path(path), Path(folder), FileFormat())
            kind = format_kind(place)
            if kind not in (FormatKind.EXCEL, FormatKind.PARQUET):
                place = _with_encoding(place, found)
            if kind is FormatKind.CSV:
                _csv(place, found)
            elif kind is FormatKind.JSON:
                _json(place, found)
            elif kind is FormatKind.EXCEL:
                _excel(place, found)
            elif kind is FormatKind.HTML:
                _html(place, found)
        except UNREADABLE as error:
            raise InputError(f"{escaped(path)}: the file cannot be read ({error}); nothing was written.") from error
    return Detected(FileFormat().changed(found.changes), tuple(found.why), tuple(found.undecided))


def _changed(place: Place, **given: object) -> Place:
    return replace(place, format=place.format.changed(given))


def _with_encoding(place: Place, found: _Findings) -> Place:
    guess = guessed_encoding(place)
    if guess.why:
        found.why.append(guess.why)
    if guess.others:
        found.open(
            f"the encoding could be {' or '.join(guess.others)}: {guess.why}",
            *(f'encoding = "{name}"' for name in guess.others),
        )
    if guess.encoding != "utf-8":
        found.changes["encoding"] = guess.encoding
    return _changed(place, encoding=guess.encoding)


# ---- CSV ----


def _csv(place: Place, found: _Findings) -> None:
    lines, sampled = _stretches(place)
    if sampled:
        found.why.append(f"judged by {len(lines):,} lines, spread evenly over the file")
    said = SEP_LINE.fullmatch(lines[0]) if lines else None
    if said:
        lines = lines[1:]
    dialect = find_dialect(lines)
    delimiter = said[1] if said else dialect.delimiter
    if said and dialect.delimiter != said[1]:
        if dialect.delimiter:
            told = f"line 1 names {_shown(said[1])} as the delimiter, the other lines use {_shown(dialect.delimiter)}"
            found.open(told, *(_setting(sign) for sign in (said[1], dialect.delimiter)))
    elif not dialect.delimiter:
        _no_delimiter(lines, found)
        return
    elif dialect.rivals and not said:
        signs = (dialect.delimiter, *dialect.rivals)
        told = f"its fields could be separated by {' or '.join(NAMES[sign] for sign in signs)}"
        found.open(told, *map(_setting, signs))
    if delimiter != ",":
        found.changes["delimiter"] = delimiter
        found.why.append(f"fields are separated by {_shown(delimiter)} in {percent(dialect.consistent)} of rows")
    if dialect.skip_lines:
        found.changes["skip_lines"] = dialect.skip_lines
        found.why.append(f"{dialect.skip_lines} title lines before the header")
    _header(place, dialect.header, found, data=dialect.data_header)
    _numbers(dialect.header, dialect.rows, delimiter, found)


def _no_delimiter(lines: list[str], found: _Findings) -> None:
    left = [sign for sign in DELIMITERS if any(sign in line for line in lines)]
    if left:
        held = ", ".join(NAMES[sign] for sign in left)
        found.open(f"no delimiter splits all lines into equally many fields; they hold {held}", *map(_setting, left))


def _setting(delimiter: str) -> str:
    return 'delimiter = "\\t"' if delimiter == "\t" else f'delimiter = "{delimiter}"'


def _shown(delimiter: str) -> str:
    return NAMES.get(delimiter, f"'{delimiter}'")


def _header(place: Place, cells: Iterable[str | None], found: _Findings, *, data: bool) -> None:
    found.why.extend(doubled(place, list(cells)))
    if data:
        raise InputError(
            f"{place.name}: its first row is probably a record, so the file has no header with the columns' "
            "names. Nothing was written. Add it as the first line; if that row is the header, rename the columns whose "
            "names are numbers or times."
        )


def _numbers(header: Iterable[str | None], rows: Iterable[tuple[str | None, ...]], sign: str, found: _Findings) -> None:
    notation = find_notation(column_names(list(header)), rows, sign)
    if notation.choices:
        found.open(notation.why, *notation.choices)
    elif notation.why:
        found.why.append(notation.why)
    if notation.decimal != ".":
        found.changes["decimal"] = notation.decimal
    if notation.thousands:
        found.changes["thousands"] = notation.thousands


def _stretches(place: Place) -> tuple[list[str], bool]:
    """All lines of a file, or those of evenly spread stretches of a large one; whether it is not all."""
    size = place.file.stat().st_size * (_PACKED if place.opener.packed else 1)
    every = max(1, round(size / _WHOLE))
    kept, at, sampled = list[str](), 0, False
    for line in text_lines(place):
        if at // _STRETCH % every == 0 and at < _WHOLE * every * 2:
            kept.append(line)
        else:
            sampled = True
        at += len(line)
    return kept, sampled


# ---- the other kinds ----


def _json(place: Place, found: _Findings) -> None:
    paths = list_paths(place)
    if not paths:
        raise InputError(f"{place.name}: the document holds no list of objects. Export it as CSV or JSON Lines.")
    largest = max(paths, key=lambda path: paths[path])
    if largest:
        found.changes["path"] = largest
    if len(paths) > 1:
        told = " or ".join(f"'{path}' ({count:,} objects)" for path, count in paths.items())
        found.open(f"its records could be in the list {told}", *(f'path = "{path}"' for path in paths))
    elif largest:
        found.why.append(f"its only list of objects is '{largest}'")


def _excel(place: Place, found: _Findings) -> None:
    names = sheets_with_cells(place)
    if not names:
        raise InputError(f"{place.name}: every sheet of the workbook is empty.")
    rows = {name: list(islice(sheet_rows(place, name), _SHEET_ROWS)) for name in names}
    tables = [name for name in names if sum(sum(map(bool, row)) > 1 for row in rows[name]) > 1]
    largest = max(tables or names, key=lambda name: sum(map(any, rows[name])))
    if len(names) > 1:
        found.changes["sheet"] = largest
        if len(tables) == 1:
            found.why.append(f"of {len(names)} sheets only '{largest}' holds a table")
        else:
            told = " or ".join(f"'{name}'" for name in names)
            found.open(f"its records could be on sheet {told}", *(f'sheet = "{name}"' for name in names))
    _titles(place, rows[largest], found)


def _html(place: Place, found: _Findings) -> None:
    tables = table_sizes(place)
    if not tables:
        raise InputError(f"{place.name}: the page holds no table with rows.")
    largest = max(tables, key=lambda number: tables[number])
    if len(tables) > 1:
        found.changes["sheet"] = str(largest)
        told = " or ".join(f"{number} ({counted_noun(count, 'row')})" for number, count in tables.items())
        found.open(f"its records could be in table {told}", *(f'sheet = "{number}"' for number in tables))
    rows = list(islice(_cells(place, largest), _SHEET_ROWS))
    at = _titles(place, rows, found)
    if at is not None:
        _numbers(rows[at], (tuple(row) for row in rows[at + 1 :]), "", found)


def _cells(place: Place, table: int) -> Iterator[list[str | None]]:
    return (row.cells for row in html_rows(place) if row.table == table)


def _titles(place: Place, rows: list[list[str | None]], found: _Findings) -> int | None:
    at = table_header(rows)
    if at is None:
        return None
    if any(map(any, rows[:at])):
        found.changes["skip_lines"] = at
        found.why.append(f"{at} title rows before the header")
    body = [[cell or "" for cell in row] for row in rows[at + 1 :] if len(row) >= len(rows[at])]
    _header(place, rows[at], found, data=looks_like_data([cell or "" for cell in rows[at]], body))
    return at
