"""Rows of cells as chunks: what a worksheet and an HTML table have in common."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from trueup.feedback.chunks import Chunk, RawRows, object_array
from trueup.feedback.formats.contents import Contents, Place, column_names, doubled
from trueup.feedback.text_table import TextTable
from trueup.storage.errors import InputError
from trueup.storage.incoming import Refused

_HEADER_ROWS = 100
CellRows = Iterable[Sequence[str | None]]


def read_rows(place: Place, rows: Callable[[], CellRows], typed: frozenset[str] = frozenset()) -> Contents:
    """Rows of text, numbered from 1, as the contents of a file: below title rows the first that holds something names
    the columns.

    Rows that are wholly empty are none. `typed` names the columns that the file says are times.

    Raises:
        InputError: there is no header.
    """
    found = next(_header(place, rows), None)
    if found is None:
        raise InputError(f"{place.name}: no header found; nothing was stored.")
    number, cells = found
    names = column_names(cells)
    told = doubled(place, cells)
    return Contents(
        names, lambda size, only: _chunks(rows(), number, cells, names, typed, size, only), told,
        lambda: _fitting(place, rows()),
    )  # fmt: skip


def _fitting(place: Place, rows: CellRows) -> str:
    for number, row in enumerate(itertools.islice(rows, _HEADER_ROWS)):
        if set(place.required) <= {(cell or "").strip() for cell in row}:
            return f"skip_lines = {number}"
    return ""


def _header(place: Place, rows: Callable[[], CellRows]) -> Iterator[tuple[int, list[str | None]]]:
    for number, row in enumerate(rows(), start=1):
        if number > place.format.skip_lines and any(row):
            while row and not row[-1]:
                row = row[:-1]
            yield number, list(row)


def _chunks(
    rows: CellRows, start: int, cells: list[str | None], names: tuple[str, ...], typed: frozenset[str], size: int,
    only: Sequence[str] | None,
) -> Iterator[Chunk]:  # fmt: skip
    body = ((k, row) for k, row in enumerate(rows, start=1) if k > start and any(row))
    kept = [k for k, c in enumerate(names) if only is None or c in only]
    while batch := list(itertools.islice(body, size)):
        good, broken = [], []
        for number, row in batch:
            fault = _fault(row, cells)
            if fault:
                broken.append(Refused(number, "broken_line", fault, "\t".join(cell or "" for cell in row)))
            else:
                good.append((number, row))
        columns = {
            names[k]: object_array([row[k] if k < len(row) else None for _, row in good]) for k in kept
        }
        table = TextTable(columns, len(good))
        lines = np.array([number for number, _ in good], dtype=np.int64)
        yield Chunk(table, lines, RawRows(table), tuple(broken), typed & set(names))


def _fault(row: Sequence[str | None], cells: Sequence[str | None]) -> str:
    if any(row[len(cells) :]):
        return f"{len(row)} cells, and the header has {len(cells)}"
    if list(row[: len(cells)]) == list(cells):
        return "this repeats the header (probably joined files); it is not a record"
    return ""
