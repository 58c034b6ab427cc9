"""Columns as numbers, by how the file writes them: decimal point or comma, marks for thousands, marks for missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from trueup.feedback.inference.summary import ColumnSummary
from trueup.feedback.number_notation import with_point
from trueup.feedback.values import MISSING_NUMBER, number
from trueup.storage.file_format import FileFormat


@dataclass(frozen=True)
class Writing:
    """How a file writes numbers, and what it writes for missing values. marks: column → values that mean missing."""

    format: FileFormat = field(default_factory=FileFormat)
    marks: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def number(self, text: str) -> float | None:
        """The number that a cell writes, or None."""
        return number(text if self.format.plain_numbers else with_point(text, self.format))

    def filled(self, column: ColumnSummary) -> dict[str, int]:
        """Values that are not missing with their cells: of the file where all are counted, else of the sample."""
        marks = self.marks.get(column.name, frozenset())
        return {value: cells for value, cells in counted(column).items() if value not in marks}

    def numbers(self, column: ColumnSummary) -> np.ndarray:
        """The sample as float64 of shape (n,), NaN where it is missing or no number."""
        marks, known = self.marks.get(column.name, frozenset()), dict[str, float]()
        for value in set(column.values) - marks:
            found = self.number(value)
            known[value] = np.nan if found is None else found
        return np.array([np.nan if v is None else known.get(v, np.nan) for v in column.sample], dtype=float)

    def number_share(self, column: ColumnSummary) -> tuple[float, tuple[tuple[str, int], ...]]:
        """Of the cells that are filled and no usual mark of a missing number: the share of numbers, and the others."""
        values = {v: n for v, n in self.filled(column).items() if v.lower() not in MISSING_NUMBER}
        others = {v: n for v, n in values.items() if self.number(v) is None}
        cells = sum(values.values())
        told = tuple(sorted(others.items(), key=lambda pair: -pair[1]))
        return (1 - sum(others.values()) / cells if cells else 0.0), told


def counted(column: ColumnSummary) -> dict[str, int]:
    """Each value with its cells: of the whole file where all values are counted, else of the sample."""
    if column.counted_all:
        return dict(column.counts)
    values, cells = np.unique(np.array(column.values, dtype=object), return_counts=True)
    return dict(zip(values.tolist(), cells.tolist(), strict=True))
