"""Which values of a file mean that there is none: marks such as NA and ?, and numbers far outside, such as -200."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from trueup.feedback.inference.conclusion import Undecided
from trueup.feedback.inference.label_words import MARKS
from trueup.feedback.inference.names import said_in, vocabulary
from trueup.feedback.inference.quantities import Writing
from trueup.feedback.inference.summary import ColumnSummary, TableSummary
from trueup.feedback.values import MISSING_NUMBER, plain
from trueup.storage.formatting import counted_noun

_SOFT = vocabulary(
    "unknown, none, not available, undefined, unbekannt, keine angabe, inconnu, desconocido, sin datos, sconosciuto",
    "не указано, нет данных, неизвестно, 不明, 未知, n.d., s/d, no data, not set, (not set), unspecified",
)
_NUMERIC = 0.8       # of a column's other values: so many numbers make it one of numbers
_FEWEST = 3          # cells of a sentinel
_VARIES = 5          # numbers beside it that differ, and their least spread below which -1 may be one of them
_NEAR = 0.3          # of the spread of the others: so far away a usual sentinel stands apart, any other as far as all
_SHOWN = 5           # columns that a sentence names
_CODES = re.compile(r"[A-Z]{2,3}")
_PLACES = vocabulary("country, state, region, land, pais, pays, staat, iso, nation, страна, 国")
_NINES = re.compile(r"-?(?:9{2,}|9+\.9+|9{2,}\.0+)")
_KNOWN = frozenset({-1.0, -200.0, -32768.0, 32767.0, 65535.0, -9.0})


@dataclass(frozen=True)
class Missing:
    """What means missing: marks (column → values) as the file itself shows, why, and what only a person can say.

    everywhere: whether those marks mean missing in each column of the file.
    """

    marks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    why: str = ""
    everywhere: bool = True
    undecided: tuple[Undecided, ...] = ()

    @property
    def setting(self) -> str:
        """The line of trueup.toml for the marks; "" where there are none."""
        every = sorted({mark for own in self.marks.values() for mark in own})
        if not every:
            return ""
        return f"missing = {_quoted(every)}" if self.everywhere else f"missing = {_inline(self.marks)}"


def find_missing(table: TableSummary, taken: Collection[str], writing: Writing | None = None) -> Missing:
    """The marks of the columns that are not `taken` (id and times).

    A mark that stands among the numbers of a column means missing in all columns, but where it may be a code (NA is
    Namibia). In a text or category alone it is proposed, and so are numbers that repeat far outside the others.
    """
    writing = writing or Writing()
    columns = [c for c in table.columns if c.name not in taken and c.filled]
    found = {c.name: _marks_in(c) for c in columns}
    numeric = {c.name for c in columns if _mostly_numbers(c, found[c.name], writing)}
    shown = {folded for name in numeric for folded in map(str.lower, found[name])}
    marks: dict[str, tuple[str, ...]] = {}
    open_: dict[str, dict[str, int]] = {}
    for column in columns:
        for mark, cells in found[column.name].items():
            if column.name in numeric and mark.lower() in MISSING_NUMBER:
                continue  # missing among numbers in any case
            if mark.lower() in shown and not _is_code(column, mark):
                marks[column.name] = (*marks.get(column.name, ()), mark)
            else:
                open_.setdefault(mark, {})[column.name] = cells
    said = {mark for own in marks.values() for mark in own}
    if said:
        marks |= {name: own for name in numeric if (own := tuple(mark for mark in found[name] if mark in said))}
    why = f"{', '.join(sorted(said))} is written among the numbers of this file" if said else ""
    for column in columns:
        if column.name in numeric:
            for mark, cells in (*_outside(column, writing).items(), *_words_among_numbers(column, writing, marks)):
                open_.setdefault(mark, {})[column.name] = cells
    return Missing(marks, why, not said & open_.keys(), (_asked(open_, marks, table.rows),) if open_ else ())


def _marks_in(column: ColumnSummary) -> dict[str, int]:
    """The usual marks among a column's values, with their cells."""
    if column.words > 4 and column.distinct > 20:
        return {v: n for v, n in column.cells.items() if v.lower() in MARKS}
    return {v: n for v, n in column.cells.items() if v.lower() in MARKS | _SOFT}


def _mostly_numbers(column: ColumnSummary, marks: Mapping[str, int], writing: Writing) -> bool:
    if writing.format.plain_numbers:
        return column.numbers >= max(_NUMERIC * (column.filled - sum(marks.values())), 1)
    numbers = sum(n for v, n in column.cells.items() if v not in marks and writing.number(v) is not None)
    return numbers >= max(_NUMERIC * (sum(column.cells.values()) - sum(marks.values())), 1)


def _words_among_numbers(
    column: ColumnSummary, writing: Writing, marks: Mapping[str, tuple[str, ...]]
) -> list[tuple[str, int]]:
    """Words that repeat among the numbers of a column, and are no usual marks: "closed", "below limit"."""
    if column.distinct < 2 * _VARIES:
        return []
    known = marks.get(column.name, ())
    others = [(v, n) for v, n in writing.number_share(column)[1] if v not in known and not any(c.isdigit() for c in v)]
    return [(value, cells) for value, cells in others[:_FEWEST] if cells >= _FEWEST and cells >= 0.002 * column.filled]


def _is_code(column: ColumnSummary, mark: str) -> bool:
    """Whether a mark of letters may be one of the column's codes, as NA is Namibia's."""
    others = [v for v in column.cells if v != mark]
    codes = sum(bool(_CODES.fullmatch(v)) and len(v) == len(mark) for v in others)
    return mark.isalpha() and (bool(said_in(column.name, _PLACES)) or (codes >= 5 and codes > 0.8 * len(others)))


def _asked(proposed: Mapping[str, Mapping[str, int]], marks: Mapping[str, tuple[str, ...]], rows: int) -> Undecided:
    """All that may mean missing, mark by mark with its cells, and one line that declares it beside what is certain."""
    told, whole = [], {name: list(own) for name, own in marks.items()}
    for mark, places in proposed.items():
        each = [f"'{name}' ({cells:,})" for name, cells in list(places.items())[:_SHOWN]]
        more = f" and {len(places) - _SHOWN} more columns" if len(places) > _SHOWN else ""
        told.append(f"{mark!r} in {', '.join(each)}{more}")
        for name in places:
            whole.setdefault(name, []).append(mark)
    names = {name for places in proposed.values() for name in places}
    said = f"these values could mean missing: {'; '.join(told)} (of {counted_noun(rows, 'row')})"
    return Undecided("missing", said, (f"missing = {_inline(whole)}",), names.pop() if len(names) == 1 else "")


def _inline(marks: Mapping[str, Sequence[str]]) -> str:
    keys = {name: name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name) for name in marks}
    return "{ " + ", ".join(f"{keys[name]} = {_quoted(list(own))}" for name, own in marks.items()) + " }"


def _quoted(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _outside(column: ColumnSummary, writing: Writing) -> dict[str, int]:
    """The least and the greatest number of a column, each where it repeats and stands apart, with its cells."""
    numbers = writing.numbers(column)
    distinct, cells = np.unique(numbers[np.isfinite(numbers)], return_counts=True)
    found = {}
    for place in (0, -1) if len(distinct) >= _VARIES else ():
        value, rest = float(distinct[place]), np.delete(distinct, place)
        text = plain(column.sample[int(np.argmax(numbers == value))]) or ""
        gap, spread = float(np.abs(rest - value).min()), float(rest[-1] - rest[0])
        known = value in _KNOWN or bool(_NINES.fullmatch(text.replace(",", ".")))
        below = value < 0 <= rest[0] and known and spread >= _VARIES
        apart = gap >= (_NEAR if known else 1) * spread and (known or len(rest) >= 2 * _VARIES)
        often = int(cells[place]) >= (_FEWEST if known else max(2 * _FEWEST, 0.005 * cells.sum()))
        if often and (below or apart):
            found[text] = max(column.counts.get(text, 0), int(cells[place]))
    return found
