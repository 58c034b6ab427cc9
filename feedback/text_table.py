"""Rows of text in columns, as they are read: no more than arrays by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TextTable:
    """`rows` rows of str or None: an object array of shape (rows,) for each name, in the order of the file.

    Never changed in place: tables made of others share columns.
    """

    columns: Mapping[str, np.ndarray]
    rows: int

    def __len__(self) -> int:
        return self.rows

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def row(self, k: int) -> dict[str, str | None]:
        """The values of one row by column."""
        return {name: values[k] for name, values in self.columns.items()}

    def records(self) -> Iterator[dict[str, str | None]]:
        """Every row by column, in their order."""
        return map(self.row, range(self.rows))

    def part(self, rows: slice) -> TextTable:
        """Some rows that follow one another."""
        return TextTable({name: values[rows] for name, values in self.columns.items()}, len(range(self.rows)[rows]))

    def with_columns(self, columns: Mapping[str, np.ndarray]) -> TextTable:
        """The same rows with some columns replaced, or added."""
        return TextTable({**self.columns, **columns}, self.rows)
