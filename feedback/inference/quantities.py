"""Columns as numbers, by how the file writes them: decimal point or comma, marks for thousands, marks for missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from trueup.feedback.inference.summary import ColumnSummary
from trueup.feedback.number_notation import with_point
from trueup.feedback.values import MISSING_NUMBER, number
from trueup.storage.file_format import FileFormat

_FEW = 100  # distinct values up to which each is looked at


@dataclass(frozen=True)
class Writing:
    """How a file writes numbers, and what it writes for missing values. marks: column → values that mean missing."""

    format: FileFormat = field(default_factory=FileFormat)
    marks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _known: dict[str, np.ndarray] = field(default_factory=dict, compare=False, repr=False)  # numbers that were read

    def number(self, text: str) -> float | None:
        """The number that a cell writes, or None."""
        return number(text if self.format.plain_numbers else with_point(text, self.format))

    def numbers(self, column: ColumnSummary) -> np.ndarray:
        """The sample as float64 of shape (n,), NaN where it is missing or no number."""
        if column.name not in self._known:
            self._known[column.name] = self._read(column)
        return self._known[column.name]

    def _read(self, column: ColumnSummary) -> np.ndarray:
        marks = self.marks.get(column.name, frozenset())
        if self.format.plain_numbers:
            if not marks:
                return column.quantities
            return np.where([v in marks for v in column.sample], np.nan, column.quantities)
        known = {v: self.number(v) for v in column.cells if v not in marks}
        return np.array([np.nan if v is None or (x := known.get(v)) is None else x for v in column.sample], dtype=float)

    def number_share(self, column: ColumnSummary) -> tuple[float, tuple[tuple[str, int], ...]]:
        """Of the cells that are filled and no usual mark of a missing number: the share of numbers, and the others.

        Of columns that hold hardly a number, or nothing else, the others are not counted.
        """
        if self.format.plain_numbers and column.name not in self.marks:
            if column.numbers == column.filled:
                return float(column.filled > 0), ()
            if column.numbers < 0.1 * column.filled and column.distinct > _FEW:
                return 0.0, ()
        marks = self.marks.get(column.name, frozenset())
        values = {v: n for v, n in column.cells.items() if v not in marks and v.lower() not in MISSING_NUMBER}
        others = {v: n for v, n in values.items() if self.number(v) is None}
        cells = sum(values.values())
        told = tuple(sorted(others.items(), key=lambda pair: -pair[1]))
        return (1 - sum(others.values()) / cells if cells else 0.0), told
