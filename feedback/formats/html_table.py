"""HTML tables as rows: what many systems export under the name .xls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from trueup.feedback.formats.contents import Contents, Place
from trueup.feedback.formats.encodings import check_encoding, text_blocks
from trueup.feedback.formats.sheet_rows import read_rows
from trueup.storage.errors import InputError
from trueup.storage.file_format import ADVICE
from trueup.storage.formatting import counted_noun

_SPACE = re.compile(r"[ \t\n\r\f]+")
_WIDEST = 16_384  # columns of a sheet
_HIDDEN = ("script", "style")


@dataclass(frozen=True)
class HtmlRow:
    """One row of a table; tables are numbered from 1 in the order in which they begin."""

    table: int
    cells: list[str | None]


def read_html(place: Place) -> Contents:
    """One table of a page: the one whose number `format.sheet` is, or the only one with rows.

    Raises:
        InputError: no table with rows is in it, or several, and which is meant is not said.
    """
    check_encoding(place)
    wanted = place.format.sheet
    tables = table_sizes(place)
    if not tables:
        raise InputError(f"{place.name}: the page holds no table with rows; nothing was stored.")
    if wanted not in map(str, tables) and (wanted or len(tables) > 1):
        told = " or ".join(f'sheet = "{number}" ({counted_noun(rows, "row")})' for number, rows in tables.items())
        raise InputError(
            f"{place.name}: the page holds {len(tables)} tables, and format.sheet is '{wanted}', not one of them. "
            f"Nothing was stored. Set {told} {ADVICE}."
        )
    number = int(wanted) if wanted else next(iter(tables))
    return read_rows(place, lambda: (row.cells for row in html_rows(place) if row.table == number))


def table_sizes(place: Place) -> dict[int, int]:
    """The number of each table that has rows with two cells or more, and how many."""
    found: dict[int, int] = {}
    for row in html_rows(place):
        if len(row.cells) > 1:
            found[row.table] = found.get(row.table, 0) + 1
    return found


def html_rows(place: Place) -> Iterator[HtmlRow]:
    """The rows of every table, as they end."""
    parser = _Tables()
    for block in text_blocks(place):
        parser.feed(block)
        yield from parser.taken()
    parser.close()
    parser.end_row()
    yield from parser.taken()


class _Tables(HTMLParser):
    """Rows of the tables of a page. A table within a cell is text of that cell."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._rows: list[HtmlRow] = []
        self._depth = self._number = 0
        self._row: list[str | None] | None = None
        self._cell: list[str] | None = None
        self._span = 1
        self._hidden = False

    def taken(self) -> list[HtmlRow]:
        """The rows that ended since it was last asked."""
        rows, self._rows = self._rows, []
        return rows

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden = True
        elif tag == "table":
            self._depth += 1
            if self._depth == 1:
                self._number += 1
        elif self._depth == 1 and tag == "tr":
            self.end_row()
            self._row = []
        elif self._depth == 1 and tag in ("td", "th"):
            self._end_cell()
            self._row = [] if self._row is None else self._row
            span = dict(attrs).get("colspan") or "1"
            self._cell, self._span = [], min(int(span), _WIDEST) if span.isdecimal() else 1
        elif tag in ("br", "p", "div", "tr") and self._cell:
            self._cell.append("\x00")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = False
        elif tag == "table" and self._depth:
            if self._depth == 1:
                self.end_row()
            self._depth -= 1
        elif self._depth == 1 and tag == "tr":
            self.end_row()
        elif self._depth == 1 and tag in ("td", "th"):
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._hidden:
            self._cell.append(data.replace("\x00", ""))

    def _end_cell(self) -> None:
        if self._cell is not None and self._row is not None:
            text = _SPACE.sub(" ", "".join(self._cell))
            lines = [line.strip(" ") for line in text.split("\x00")]
            self._row += ["\n".join(lines).strip("\n") or None, *[None] * (self._span - 1)]
        self._cell = None

    def end_row(self) -> None:
        """Take the row that is open as whole, which need not be said in HTML."""
        self._end_cell()
        if self._row is not None:
            self._rows.append(HtmlRow(self._number, self._row))
        self._row = None
