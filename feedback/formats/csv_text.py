"""CSV files as rows: a header, perhaps below title rows and a `sep=` line, and records with their line numbers."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from trueup.feedback.chunks import Chunk, RawRows, object_array
from trueup.feedback.formats.contents import ADVICE, Contents, Place, column_names, doubled
from trueup.feedback.formats.csv_records import csv_records
from trueup.feedback.formats.encodings import check_encoding, text_lines
from trueup.feedback.values import escaped
from trueup.storage.errors import InputError
from trueup.storage.incoming import Refused

SEP_LINE = re.compile(r'"?sep=(.)"?,*\s*', re.IGNORECASE | re.DOTALL)  # Excel's own way of naming the delimiter
_HEADER_LINES = 100


def read_csv(place: Place) -> Contents:
    """The header, checked; its rows are read by `chunks`.

    Raises:
        InputError: no text in the declared encoding, no header, or another delimiter named by the file itself.
    """
    check_encoding(place)
    cells, start = _header(place)
    names = column_names(cells)
    return Contents(names, lambda size, only: _chunks(place, cells, names, start, size, only), doubled(place, cells))


def title_lines(place: Place) -> int:
    """Lines before which no header is looked for: a `sep=` line and the declared title rows."""
    first = next(text_lines(place), "")
    return place.format.skip_lines + (SEP_LINE.fullmatch(first) is not None)


def _header(place: Place) -> tuple[list[str], int]:
    """The cells of the header, and the number of the first line after it."""
    declared = place.format.delimiter
    before = title_lines(place)
    taken: list[str] = []
    for number, line in enumerate(text_lines(place), start=1):
        if number == 1:
            _check_control(place, line)
            said = SEP_LINE.fullmatch(line)
            if said and said[1] != declared:
                raise InputError(
                    f"{place.name}: line 1 says that {said[1]!r} stands between its fields, and format.delimiter is "
                    f"{declared!r}. Nothing was stored. Set delimiter = {_quoted(said[1])} {ADVICE}."
                )
        if number <= before or (not taken and not line.strip()):
            continue
        taken.append(line)
        try:
            return next(csv.reader(taken, strict=True, delimiter=declared)), number + 1
        except csv.Error as error:
            if "unexpected end of data" in str(error) and len(taken) < _HEADER_LINES:
                continue
            raise InputError(
                f"{place.name}: the header in line {number - len(taken) + 1} is not CSV ({error}). Nothing was stored."
            ) from None
    raise InputError(f"{place.name}: no header is found in it; nothing was stored.")


def _quoted(sign: str) -> str:
    return '"\\t"' if sign == "\t" else f'"{sign}"'


def _check_control(place: Place, line: str) -> None:
    if any(sign < " " and sign not in "\t\n\r" for sign in line):
        raise InputError(
            f"{place.name}: its first line holds control characters, so it is binary. Nothing was stored."
        )


def other_delimiter(header: str, declared: str) -> str:
    """What else may stand between the fields of a header that came out as one column; "" where nothing does."""
    return max((sign for sign in ",;\t|" if sign != declared and sign in header), key=header.count, default="")


def _chunks(
    place: Place, cells: list[str], names: tuple[str, ...], start: int, size: int, only: Sequence[str] | None
) -> Iterator[Chunk]:
    body = itertools.islice(text_lines(place), start - 1, None)
    kept = [k for k, c in enumerate(names) if only is None or c in only]
    records = csv_records(body, len(names), start, place.format.delimiter)
    while batch := list(itertools.islice(records, size)):
        broken = [Refused(r.line, "broken_line", r.fault, escaped(r.text)) for r in batch if r.fault]
        good = [r for r in batch if not r.fault and any(r.fields)]  # a row of delimiters alone is none, as in a sheet
        if any(r.fields[0] == cells[0] and r.fields == cells for r in good):
            again = "the header once more, as where files were joined; it is no row"
            broken += [Refused(r.line, "broken_line", again, escaped(r.text)) for r in good if r.fields == cells]
            good = [r for r in good if r.fields != cells]
        by_column = list(zip(*(r.fields for r in good), strict=True)) or [()] * len(names)
        table = pd.DataFrame({names[k]: object_array([v or None for v in by_column[k]]) for k in kept}, dtype="object")
        lines = np.array([r.line for r in good], dtype=np.int64)
        yield Chunk(table, lines, RawRows(table), tuple(sorted(broken, key=lambda r: r.line)))
