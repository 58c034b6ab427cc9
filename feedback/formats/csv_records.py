"""CSV as records with line numbers, where a broken record costs only itself.

The csv module reads an unclosed quote to the end of the file and takes every later row with it. Here a record that
does not close, or closes with the wrong number of fields, gives up its first line only; reading goes on at the next.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from trueup.feedback.values import escaped
from trueup.storage.incoming import Refused

MAX_LINES = 1000         # a record of more physical lines than this is an unclosed quote
MAX_CHARACTERS = 1_000_000


@dataclass(frozen=True)
class Record:
    """One record: its fields, or why it has none (`fault`); `line` counts from 1, `text` is the file's own.

    lines: how many physical lines it takes.
    """

    line: int
    text: str
    fields: list[str]
    fault: str = ""
    lines: int = 1


def repeated_header(line: int, text: str) -> Refused:
    """What becomes of a record that is the header once more."""
    said = "this repeats the header (probably joined files); it is not a record"
    return Refused(line, "broken_line", said, escaped(text))


def csv_records(lines: Iterable[str], width: int, first_line: int, delimiter: str = ",") -> Iterator[Record]:
    """The records of a CSV body: RFC 4180, quoted fields may hold line ends.

    Args:
        lines: physical lines with their line ends.
        width: number of fields that a record must have; 0: any.
        first_line: line number of the first of `lines`.
    """
    source = iter(lines)
    ahead: deque[str] = deque()
    number = first_line
    while True:
        line = ahead.popleft() if ahead else next(source, None)
        if line is None:
            return
        if not line.strip():
            number += 1
            continue
        fields, fault = _parse([line], width, delimiter)
        held = [line]
        if fault and _open(line, delimiter):
            held, fields, fault = _grow(line, ahead, source, width, delimiter)
            if fault:
                fault = f"a quoted field opens here and is not closed properly ({fault})"
                ahead.extendleft(reversed(held[1:]))
                held = held[:1]
        yield Record(number, "".join(held).rstrip("\r\n"), fields, fault, len(held))
        number += len(held)


def _grow(
    line: str, ahead: deque[str], source: Iterator[str], width: int, delimiter: str
) -> tuple[list[str], list[str], str]:
    """Lines added to a record until its quotes close: the lines taken, its fields, its fault."""
    held, size = [line], len(line)
    while len(held) < MAX_LINES and size < MAX_CHARACTERS:
        more = ahead.popleft() if ahead else next(source, None)
        if more is None:
            return held, [], "the file ends first"
        held.append(more)
        size += len(more)
        if more.count('"') % 2:  # within quotes only an odd number of them can close the field
            fields, fault = _parse(held, width, delimiter)
            if not fault or not _open("".join(held), delimiter):
                return held, fields, fault
    return held, [], f"not within {len(held)} lines"


def _parse(lines: list[str], width: int, delimiter: str) -> tuple[list[str], str]:
    try:
        fields = next(csv.reader(lines, strict=True, delimiter=delimiter), [])
    except csv.Error as error:
        if "field larger" in str(error):
            return [], f"a field is longer than {csv.field_size_limit():,} characters"
        if "unexpected end of data" in str(error):
            return [], "the text ends within quotes"
        return [], f"not CSV: {error}"
    if width and len(fields) != width:
        return [], f"{len(fields)} fields, and the header has {width}"
    return fields, ""


def _open(text: str, delimiter: str) -> bool:
    """Whether a quoted field is still open at the end of the text."""
    try:
        next(csv.reader([text], strict=True, delimiter=delimiter), [])
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False
