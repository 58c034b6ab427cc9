"""What a whole file says of each of its columns, in bounded memory: the values that conclusions are drawn from.

A file is read once from end to end. Counts hold for all of its rows; `sample` is every k-th row, in file order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from trueup.feedback.chunks import Chunk
from trueup.feedback.values import number
from trueup.storage.incoming import Refused

SAMPLE = 50_000        # rows at most; a file up to here is its own sample
COUNTED = 5_000        # distinct values up to which each is counted; of more, the commonest so far
FORMS = 500            # distinct forms that are counted
_LONG = 40             # characters: a longer value has no form, it is a text
_FAULTS = 20           # broken lines that are kept
_DIGITS = str.maketrans("0123456789", "9999999999")
_LETTERS = re.compile(r"[^\W\d_]+")
OTHER_FORM = "…"       # the form of a value that is too long to have one, or of a form that came too late to be counted


@dataclass(frozen=True)
class ColumnSummary:
    """One column. Values are the file's own text without surrounding white space; empty cells are no values.

    rows: cells of the column. empty: cells without a value. distinct: different values, exact up to hash collisions.
    counts: value → cells, of every value where `counted_all`, else of common ones (a lower bound each).
    forms: form → cells, over the whole file: digits as 9, runs of letters as a ("9999-99-99 99:99", "-9.9", "a").
    numbers: cells that are numbers with a decimal point. sample: of the sampled rows, None where empty.
    typed: what the file itself says ("time", or "" where it only has text).
    """

    name: str
    rows: int
    empty: int
    distinct: int
    counts: Mapping[str, int]
    counted_all: bool
    forms: Mapping[str, int]
    numbers: int
    sample: tuple[str | None, ...]
    typed: str = ""

    @property
    def filled(self) -> int:
        """Cells with a value."""
        return self.rows - self.empty

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The sample without its empty cells."""
        return tuple(v for v in self.sample if v is not None)

    @cached_property
    def cells(self) -> Mapping[str, int]:
        """Each value with its cells: of the whole file where all are counted, else of the sample."""
        return self.counts if self.counted_all else Counter(self.values)

    @cached_property
    def quantities(self) -> np.ndarray:
        """The sample as float64 of shape (n sampled,), NaN where it is no number or empty."""
        return np.array([np.nan if v is None or (x := number(v)) is None else x for v in self.sample], dtype=float)

    @cached_property
    def words(self) -> float:
        """Words of a value, on average over the sample; 0 where it has none."""
        return float(np.mean([len(v.split()) for v in self.values[:5000]])) if self.values else 0.0

    def commonest(self, n: int = 3) -> tuple[tuple[str, int], ...]:
        """The n most frequent values with their cells, most frequent first."""
        return tuple(sorted(self.counts.items(), key=lambda pair: -pair[1])[:n])


@dataclass(frozen=True)
class TableSummary:
    """A file: its columns in order, its rows, and the lines that are no rows.

    sample: the sampled rows as text, missing as None, a column a name. lines: (n sampled,), counted from 1.
    """

    columns: tuple[ColumnSummary, ...]
    rows: int
    sample: pd.DataFrame
    lines: np.ndarray
    broken: int = 0
    faults: tuple[Refused, ...] = ()

    @property
    def sampled(self) -> bool:
        """Whether `sample` is less than the file."""
        return len(self.sample) < self.rows

    def column(self, name: str) -> ColumnSummary:
        """The column of a name; KeyError where there is none."""
        for one in self.columns:
            if one.name == name:
                return one
        raise KeyError(name)


def form_of(value: str) -> str:
    """How a value is written: "2024-05-03" is "9999-99-99", "v1.10b" is "a9.99a"; OTHER_FORM for long ones."""
    if len(value) > _LONG:
        return OTHER_FORM
    return _LETTERS.sub("a", value.translate(_DIGITS))


def summary_of(names: Sequence[str], chunks: Iterable[Chunk]) -> TableSummary:
    """The summary of a file whose columns are `names`, from its chunks in file order."""
    columns = {name: _Column(name) for name in names}
    kept, rows, broken, faults, typed = _Sample(), 0, 0, list[Refused](), frozenset[str]()
    for chunk in chunks:
        table = chunk.table
        cleaned = pd.DataFrame(
            {c: _stripped(table[c]) if c in table else None for c in names}, dtype="object", index=range(len(table))
        )
        for name, column in columns.items():
            column.add(cleaned[name].to_numpy())
        kept.add(cleaned, chunk.lines)
        rows += len(chunk)
        broken += len(chunk.broken)
        faults += chunk.broken[: max(0, _FAULTS - len(faults))]
        typed |= chunk.typed
    sample, lines = kept.table(names)
    done = tuple(
        column.summary(tuple(sample[name]), "time" if name in typed else "") for name, column in columns.items()
    )
    return TableSummary(done, rows, sample, lines, broken, tuple(faults))


def _stripped(values: np.ndarray) -> list[str | None]:
    return [None if v is None else (v.strip() or None) for v in values]


@dataclass
class _Column:
    """The counters of one column."""

    name: str
    rows: int = 0
    empty: int = 0
    numbers: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    counted_all: bool = True
    forms: Counter[str] = field(default_factory=Counter)
    hashes: list[np.ndarray] = field(default_factory=list)
    waiting: int = 0  # hashes since they were last made distinct

    def add(self, values: np.ndarray) -> None:
        counted = Counter(values.tolist())
        self.rows += len(values)
        self.empty += counted.pop(None, 0)
        for value, times in counted.items():
            form = form_of(value)
            if form not in self.forms and len(self.forms) >= FORMS:
                form = OTHER_FORM
            self.forms[form] += times
            if value[0] in "0123456789.+-" and number(value) is not None:
                self.numbers += times
        self._count(counted)
        self.hashes.append(np.fromiter(map(hash, counted), dtype=np.int64, count=len(counted)))
        self.waiting += len(counted)
        if self.waiting > 1 << 20:
            self.hashes, self.waiting = [_different(self.hashes)], 0

    def _count(self, counted: Counter[str]) -> None:
        if not self.counted_all:
            counted = Counter({v: n for v, n in counted.items() if v in self.counts})
        self.counts.update(counted)
        if len(self.counts) > COUNTED:
            self.counts, self.counted_all = Counter(dict(self.counts.most_common(COUNTED // 2))), False

    def summary(self, sample: tuple[str | None, ...], typed: str) -> ColumnSummary:
        distinct = len(_different(self.hashes)) if self.hashes else 0
        return ColumnSummary(
            self.name, self.rows, self.empty, distinct, dict(self.counts), self.counted_all, dict(self.forms),
            self.numbers, sample, typed,
        )  # fmt: skip


def _different(hashes: list[np.ndarray]) -> np.ndarray:
    """The different ones; by sorting, which is several times faster here than the hash table of `np.unique`."""
    ordered = np.sort(np.concatenate(hashes))
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


@dataclass
class _Sample:
    """Every `step`-th row; where they become too many, every second of them is let go."""

    step: int = 1
    seen: int = 0
    parts: list[pd.DataFrame] = field(default_factory=list)
    lines: list[np.ndarray] = field(default_factory=list)

    def add(self, table: pd.DataFrame, lines: np.ndarray) -> None:
        first = -self.seen % self.step
        self.parts.append(table.iloc[first :: self.step])
        self.lines.append(np.asarray(lines)[first :: self.step])
        self.seen += len(table)
        while sum(map(len, self.parts)) > SAMPLE:
            whole, numbers = pd.concat(self.parts, ignore_index=True), np.concatenate(self.lines)
            self.step *= 2
            self.parts, self.lines = [whole.iloc[::2]], [numbers[::2]]

    def table(self, names: Sequence[str]) -> tuple[pd.DataFrame, np.ndarray]:
        if not self.parts:
            return pd.DataFrame(columns=list(names), dtype="object"), np.empty(0, dtype=np.int64)
        return pd.concat(self.parts, ignore_index=True), np.concatenate(self.lines)
