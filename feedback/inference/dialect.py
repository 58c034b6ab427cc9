"""What stands between the fields of a CSV file, and where its header is: judged over all of its lines. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from trueup.feedback.formats.csv_records import Record, csv_records

DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_TITLES = 50             # records among which the header is looked for
_CELLS = 20_000          # cells that are looked at more closely
_RIVAL = 0.9             # of the best score: from here on another delimiter may as well be meant
_CONSISTENT = 0.5        # of the records: with fewer of one width a delimiter is none
_DATA = re.compile(r"[+-]?\d[\d.,:/ -]*(?:[eE][+-]?\d+)?")
_PLAIN = re.compile(r"[^\s,;|]*|[+-]?[\d.,' \u00a0\u202f]+[%€$£]?|[\d.:/ TZ+-]+")


@dataclass(frozen=True)
class Dialect:
    """delimiter: "" where none fits. skip_lines: title lines before the header. rivals: delimiters that fit as well.

    header: the cells of the header. rows: records below it, as cells. data_header: whether the header looks like data.
    """

    delimiter: str
    skip_lines: int = 0
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    consistent: float = 0.0
    data_header: bool = False
    rivals: tuple[str, ...] = ()


def find_dialect(lines: Sequence[str]) -> Dialect:
    """Judge physical lines, without a `sep=` line: most records of one width, a header as wide, cells that are values.

    A delimiter under which the header or most records are one field is none.
    """
    found = [(score, dialect) for sign in DELIMITERS if (judged := _judged(lines, sign)) for score, dialect in [judged]]
    if not found:
        return Dialect("")
    found.sort(key=lambda pair: -pair[0])
    best, dialect = found[0]
    rivals = tuple(other.delimiter for score, other in found[1:] if score >= _RIVAL * best)
    return Dialect(**{**vars(dialect), "rivals": rivals})


def _judged(lines: Sequence[str], delimiter: str) -> tuple[float, Dialect] | None:
    first = lines[:1000]
    rare = sum(delimiter in line for line in first) < _CONSISTENT * len(first)
    if rare and not any(line.count('"') % 2 for line in first):  # fields of many lines have few delimiters a line
        return None
    records = list(csv_records(lines, 0, 1, delimiter))
    widths = Counter(len(r.fields) for r in records if not r.fault)
    width = max((w for w in widths if w > 1), key=lambda w: (widths[w], w), default=0)
    used = _used([r for r in records if not r.fault and len(r.fields) == width])
    places = range(_comments(records), min(_TITLES, len(records)))
    at = next((k for k in places if _is_header(records[k], width, used)), None)
    if not width or at is None:
        return None
    body = records[at + 1 :]
    rows = tuple(tuple(r.fields) for r in body if not r.fault and len(r.fields) == width)
    consistent = len(rows) / len(body) if body else 1.0
    if consistent < _CONSISTENT or (at and not rows):
        return None
    header = tuple(records[at].fields)
    before = [r for r in records[:at] if r.fields]
    dialect = Dialect(
        delimiter, records[at].line - 1 if before else 0, header, rows, consistent, looks_like_data(header, rows)
    )
    return consistent * (0.5 + 0.5 * _clean_share(header, rows, delimiter)), dialect


def _comments(records: Sequence[Record]) -> int:
    """How many records of `#` a file begins with; a single one may be its header."""
    marked = [record.text.lstrip('"').startswith("#") for record in records[:_TITLES]]
    count = marked.index(False) if False in marked else 0
    return count if count > 1 else 0


def _used(records: Sequence[Record]) -> int:
    """How many columns hold something in more than a few rows."""
    columns = zip(*(r.fields for r in records[:1000]), strict=True)
    return sum(sum(map(bool, cells)) > 0.1 * len(cells) for cells in columns)


def _is_header(record: Record, width: int, used: int) -> bool:
    filled = sum(bool(cell.strip()) for cell in record.fields)
    return len(record.fields) == width and filled >= max(1, used / 2)


def _clean_share(header: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str) -> float:
    """The share of cells that look like one value: no other delimiter is in them, or they are a text with blanks."""
    step = max(1, len(rows) * max(1, len(header)) // _CELLS)
    cells = [cell.strip() for row in [header, *rows[::step]] for cell in row]
    others = [sign for sign in DELIMITERS if sign not in (delimiter, ",")]
    clean = sum(
        _PLAIN.fullmatch(cell) is not None or (" " in cell and not any(sign in cell for sign in others))
        for cell in cells
    )
    return clean / max(1, len(cells))


def looks_like_data(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a first row is a record like the others: its numbers and times stand above numbers and times."""
    sample = rows[:200]
    numbered = [
        k for k in range(len(header))
        if sum(_DATA.fullmatch(row[k].strip()) is not None for row in sample) > len(sample) / 2
    ]  # fmt: skip
    return bool(numbered) and all(_DATA.fullmatch(header[k].strip()) for k in numbered)


def table_header(rows: Sequence[Sequence[str | None]]) -> int | None:
    """The position of the header among rows of cells (a sheet): the first that is about as full as most rows are."""
    filled = [sum(bool(cell) for cell in row) for row in rows]
    widest = max(filled, default=0)
    usual = Counter(n for n in filled if n > 1).most_common(1)
    wanted = max(2, min(widest, usual[0][0] if usual else 0) * 0.6)
    return next((k for k, n in enumerate(filled) if n >= wanted), next((k for k, n in enumerate(filled) if n), None))
