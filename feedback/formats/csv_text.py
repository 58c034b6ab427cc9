"""CSV files as rows: a header, perhaps below title rows and a `sep=` line, and records with their line numbers."""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from collections.abc import Iterator, Sequence

import numpy as np

from trueup.feedback.chunks import Chunk, RawRows, object_array
from trueup.feedback.columns.plain_chunk import PlainChunk
from trueup.feedback.formats.contents import Contents, Place, column_names, doubled
from trueup.feedback.formats.csv_blocks import CsvBlocks
from trueup.feedback.formats.csv_records import Record, csv_records, repeated_header
from trueup.feedback.formats.encodings import check_encoding, ends_in_cr, text_lines
from trueup.feedback.text_table import TextTable
from trueup.feedback.values import escaped
from trueup.storage.errors import InputError
from trueup.storage.file_format import ADVICE
from trueup.storage.incoming import Refused

SEP_LINE = re.compile(r'"?sep=(.)"?,*\s*', re.IGNORECASE | re.DOTALL)  # Excel's own way of naming the delimiter
_HEADER_LINES = 100
_USUAL = (",", ";", "\t", "|")


def read_csv(place: Place) -> Contents:
    """The header, checked; its rows are read by `chunks`.

    Raises:
        InputError: no text in the declared encoding, no header, or another delimiter named by the file itself.
    """
    check_encoding(place)
    cells, start = _header(place)
    names = column_names(cells)
    told = doubled(place, cells)
    return Contents(
        names,
        lambda size, only: _chunks(place, cells, names, start, size, only),
        told,
        lambda: _fitting(place),
        (lambda only: _parts(place, cells, names, start, only)) if _in_blocks(place, names) else None,
    )


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
                    f"{place.name}: line 1 names {said[1]!r} as the delimiter, and format.delimiter is "
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
    skipped, settings = place.format.skip_lines, _fitting(place)
    advice = f" But format.skip_lines is {skipped}: set {settings} {ADVICE}." if skipped and settings else ""
    raise InputError(f"{place.name}: no header found; nothing was stored.{advice}")


def _quoted(sign: str) -> str:
    return '"\\t"' if sign == "\t" else f'"{sign}"'


def _check_control(place: Place, line: str) -> None:
    if any(sign < " " and sign not in "\t\n\r" for sign in line):
        raise InputError(
            f"{place.name}: this is not text: its first line holds control characters. Nothing was stored."
        )


def _fitting(place: Place) -> str:
    """The settings with which one of the first lines names every required column, or with which the header is no
    single column; "" where there are none."""
    declared, lines = place.format, list(itertools.islice(text_lines(place), _HEADER_LINES))
    if lines and SEP_LINE.fullmatch(lines[0]):
        lines = lines[1:]
    for sign in dict.fromkeys((declared.delimiter, *_USUAL)):
        for number, line in enumerate(lines):
            if set(place.required) <= set(_cells(line, sign)):
                titled = any(map(str.strip, lines[:number])) or declared.skip_lines > number
                told = [f"delimiter = {_quoted(sign)}"] if sign != declared.delimiter else []
                told += [f"skip_lines = {number}"] if titled and number != declared.skip_lines else []
                return " and ".join(told)
    header = "".join(lines[declared.skip_lines : declared.skip_lines + 1])
    if declared.delimiter in header:
        return ""
    sign = max(_USUAL, key=header.count)
    return f"delimiter = {_quoted(sign)}" if sign in header else ""


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], strict=True, delimiter=delimiter), [])]
    except csv.Error:
        return []


def _chunks(
    place: Place, cells: list[str], names: tuple[str, ...], start: int, size: int, only: Sequence[str] | None
) -> Iterator[Chunk]:
    body = itertools.islice(text_lines(place), start - 1, None)
    kept = [k for k, c in enumerate(names) if only is None or c in only]
    records = csv_records(body, len(names), start, place.format.delimiter)
    while batch := list(itertools.islice(records, size)):
        yield _chunk_of(batch, cells, names, kept)


def _chunk_of(batch: list[Record], cells: list[str], names: tuple[str, ...], kept: Sequence[int]) -> Chunk:
    broken = [Refused(r.line, "broken_line", r.fault, escaped(r.text)) for r in batch if r.fault]
    good = [r for r in batch if not r.fault and any(r.fields)]  # a row of delimiters alone is none, as in a sheet
    if any(r.fields[0] == cells[0] and r.fields == cells for r in good):
        broken += [repeated_header(r.line, r.text) for r in good if r.fields == cells]
        good = [r for r in good if r.fields != cells]
    by_column = list(zip(*(r.fields for r in good), strict=True)) or [()] * len(names)
    table = TextTable({names[k]: object_array([v or None for v in by_column[k]]) for k in kept}, len(good))
    lines = np.array([r.line for r in good], dtype=np.int64)
    return Chunk(table, lines, RawRows(table), tuple(sorted(broken, key=lambda r: r.line)))


def _parts(
    place: Place, cells: list[str], names: tuple[str, ...], start: int, only: Sequence[str] | None
) -> Iterator[Chunk | PlainChunk]:
    kept = [k for k, c in enumerate(names) if only is None or c in only]
    for part in CsvBlocks(place, start, names, kept, cells).parts():
        yield part if isinstance(part, PlainChunk) else _chunk_of(part, cells, names, kept)


def _in_blocks(place: Place, names: tuple[str, ...]) -> bool:
    """Whether the text is of a sort of which parts can be proved to be plain."""
    utf8 = codecs.lookup(place.format.encoding).name == "utf-8"
    return utf8 and len(names) > 1 and place.format.delimiter.isascii() and not ends_in_cr(place)
