"""Numbers that a file writes as text in its own notation (1.234,5) as all of trueup reads them (1234.5). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from trueup.feedback.chunks import Chunk, object_array
from trueup.feedback.class_rules import class_rules
from trueup.feedback.exact import Exact
from trueup.feedback.values import number
from trueup.storage.errors import InputError
from trueup.storage.file_format import ADVICE, FileFormat
from trueup.storage.stream import StreamSettings

_SLIP = 0.01  # of the cells of numbers: up to here another notation costs only its row
_ALIKE = {" ": " \u00a0\u202f\u2009", "'": "'\u2019"}  # signs that stand for one mark between thousands


def number_columns(stream: StreamSettings) -> tuple[str, ...]:
    """The columns whose text is read as numbers: features, scores, a label that is a number or compared with one."""
    label = stream.label.column
    compared = any(number(rule.operand) is not None for rule in class_rules(stream.label))
    named = (*stream.numeric, label if label and (stream.is_regression or compared) else "", stream.prediction.score,
             stream.prediction.column if stream.is_regression else "")  # fmt: skip
    return tuple(dict.fromkeys(c for c in named if c))


def with_point(text: str, format: FileFormat) -> str | None:
    """A number in a file's notation, written with a point and nothing between thousands; None where it is none.

    A minus may follow it, as in lists of SAP.
    """
    match = _pattern(format.decimal, format.thousands).fullmatch(text.strip())
    if match is None or (match["sign"] and match["after"]):
        return None
    whole = re.sub(r"[^\d]", "", match["whole"] or "").lstrip("0") or "0"
    fraction = f".{match['fraction']}" if match["fraction"] else ""
    return f"{'-' if '-' in (match['sign'], match['after']) else ''}{whole}{fraction}{match['power'] or ''}"


@lru_cache(maxsize=16)
def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    mark, point = f"[{re.escape(_ALIKE.get(thousands, thousands))}]", re.escape(decimal)
    thousand, lakh = rf"\d{{1,3}}(?:{mark}\d{{3}})+", rf"\d{{1,2}}(?:{mark}\d{{2}})+{mark}\d{{3}}"  # 12,34,567
    whole = rf"(?P<whole>{thousand}|{lakh}|\d+)?" if thousands else r"(?P<whole>\d+)?"
    fraction, power = rf"(?:{point}(?P<fraction>\d*))?", r"(?P<power>[eE][+-]?\d+)?"
    return re.compile(rf"(?P<sign>[+-])?(?={point}?\d){whole}{fraction}{power}(?P<after>-)?", re.ASCII)


def with_points(format: FileFormat, chunk: Chunk, columns: tuple[str, ...]) -> Chunk:
    """A chunk whose text cells of some columns are `Exact` where they are numbers in the file's notation.

    What is no such number stays as it is, and so do whole numbers without a mark (007 may be a code) and what the file
    itself types as a number. `raw` stays the file's.
    """
    if format.plain_numbers:
        return chunk
    table = chunk.table
    read = {c: object_array([_read(v, format) for v in table[c]]) for c in columns if c in table}
    return replace(chunk, table=table.with_columns(read))


def _read(value: str | None, format: FileFormat) -> str | None:
    if value is None or isinstance(value, Exact) or value.isdecimal():
        return value
    text = with_point(value, format)
    return value if text is None else Exact(text)


@dataclass
class NotationCheck:
    """How many cells of a file's numbers are written in another notation than is declared."""

    format: FileFormat
    columns: tuple[str, ...]
    cells: int = 0
    others: int = 0
    first: tuple[int, str, str] = (0, "", "")

    @property
    def asked(self) -> tuple[str, ...]:
        """The columns that it looks at: none where numbers are written as everywhere."""
        return () if self.format.plain_numbers else self.columns

    def tapped(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The same chunks, each looked at as it passes."""
        for chunk in chunks:
            for column in self.asked:
                if column in chunk.table:
                    self._add(column, chunk.table[column], chunk.lines)
            yield chunk

    def _add(self, column: str, values: np.ndarray, lines: np.ndarray) -> None:
        wrong = otherwise_written(self.format, values)
        self.cells += sum(v is not None for v in values)
        self.others += int(wrong.sum())
        if wrong.any() and not self.first[0]:
            k = int(np.argmax(wrong))
            self.first = (int(lines[k]), column, str(values[k])[:60])

    def judge(self, name: str) -> None:
        """Refuse a file of which more than a slip is written otherwise: the rest could be read as other numbers.

        Raises:
            InputError: with the first such cell.
        """
        if self.others <= _SLIP * self.cells:
            return
        line, column, value = self.first
        marks = f"decimal '{self.format.decimal}' and thousands '{self.format.thousands}'"
        raise InputError(
            f"{name}: {self.others:,} of {self.cells:,} numbers are not written with {marks}, as format says: the "
            f"first is '{value}' in column '{column}', line {line}. Nothing was stored. Set decimal and thousands "
            f"as this file has them, {ADVICE}."
        )


def otherwise_written(format: FileFormat, values: np.ndarray) -> np.ndarray:
    """Where text is a number with a point and none in the file's notation, so it could be two: bool of shape (n,)."""
    if format.plain_numbers:
        return np.zeros(len(values), dtype=bool)
    return np.array([
        v is not None and not isinstance(v, Exact) and number(v) is not None and with_point(v, format) is None
        for v in values
    ], dtype=bool)  # fmt: skip
