"""Columns of rows as plain arrays, whatever dirt they hold; what cannot be read counts as missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trueup.storage.rows import Rows

FEW_VALUES = 20  # distinct numbers up to which a column is compared as counts
ONE_VALUE = 0.9  # share of one number above which it is
_FIRST = 1_000  # numbers that mostly tell already that there are many


@dataclass(frozen=True)
class LevelCodes:
    """Levels (n,) as places in `names`, str as objects, all different; -1 where missing."""

    codes: np.ndarray
    names: np.ndarray

    @property
    def blank(self) -> np.ndarray:
        """bool (n,): missing, or a text of white space only."""
        none = np.array([not name.strip() for name in self.names] + [True])  # the last one: code -1
        gone = none[self.codes]
        return gone if gone.any() else np.broadcast_to(False, len(gone))

    def equal(self, name: str) -> np.ndarray:
        """bool (n,): which levels are that one."""
        return np.asarray(np.append(self.names == name, False)[self.codes])


def numbers(rows: Rows, column: str) -> np.ndarray:
    """float64 (n,), NaN where missing, infinite or no number."""
    return as_numbers(_column(rows, column))


def as_numbers(values: pd.Series) -> np.ndarray:
    """float64 (n,), NaN where missing, infinite or no number."""
    if not pd.api.types.is_numeric_dtype(values.dtype):
        values = pd.to_numeric(values.astype(object), errors="coerce")
    read = values.to_numpy() if values.dtype == np.float64 else values.to_numpy(dtype=float, na_value=np.nan)
    finite = np.isfinite(read) | np.isnan(read)
    return read if finite.all() else np.where(finite, read, np.nan)


def levels(rows: Rows, column: str) -> np.ndarray:
    """str (n,) as objects, None where missing."""
    return as_levels(_column(rows, column))


def as_levels(values: pd.Series) -> np.ndarray:
    """str (n,) as objects, None where missing; 1, 1.0 and True stay the different things they are written as."""
    held = values.to_numpy(dtype=object)
    gone = pd.isna(held)
    if not _is_text(held):
        held = np.array([str(value) for value in held], dtype=object)
    return np.asarray(np.where(gone, None, held) if gone.any() else held)


def texts(rows: Rows, columns: Sequence[str]) -> np.ndarray:
    """The text columns joined by a space: str (n,) as objects, None where all are empty."""
    parts = [np.where(missing(rows, c), "", levels(rows, c)) for c in columns]
    rows_of_parts = zip(*parts, strict=True)
    return np.array([" ".join(filter(None, row)) or None for row in rows_of_parts] or [], dtype=object)


def level_codes(rows: Rows, column: str) -> LevelCodes:
    """The levels of a column as numbers."""
    return as_level_codes(_column(rows, column))


def as_level_codes(values: pd.Series) -> LevelCodes:
    """The levels that `as_levels` gives, as numbers: of millions, each is compared once and not for every question."""
    held = values.to_numpy(dtype=object)
    return _small(*pd.factorize(held if _is_text(held) else as_levels(values)))


def number_codes(values: np.ndarray) -> LevelCodes:
    """Numbers (NaN: missing) as levels: '3', '2.5'."""
    codes, distinct = pd.factorize(values)
    names, merged = np.array([f"{value + 0.0:.12g}" for value in distinct], dtype=object), np.arange(len(distinct))
    if len(set(names)) < len(names):  # told apart by less than the digits that are shown
        merged, names = pd.factorize(names)
    return _small(np.append(merged, -1)[codes], names)


def _small(codes: np.ndarray, names: np.ndarray) -> LevelCodes:
    """In as few bytes as the names need: mostly one for a record, where an integer takes eight."""
    return LevelCodes(codes.astype(np.min_scalar_type(-len(names) - 1)), names)


def missing(rows: Rows, column: str) -> np.ndarray:
    """bool (n,): None, no finite number, or a text of white space only; all of them where the column is not there."""
    values = _column(rows, column)
    if pd.api.types.is_numeric_dtype(values.dtype):
        gone = np.isnan(as_numbers(values))
        return gone if gone.any() else np.broadcast_to(False, len(gone))  # takes no memory
    return as_level_codes(values).blank


def _is_text(held: np.ndarray) -> bool:
    """Whether objects are str, or missing."""
    return pd.api.types.infer_dtype(held, skipna=True) in ("string", "empty")


def present(values: np.ndarray) -> np.ndarray:
    """bool (n,): which values are there."""
    return np.asarray(~pd.isna(values))


def is_discrete(reference: np.ndarray, current: np.ndarray) -> bool:
    """Whether numbers (NaN: missing) are so few or so alike that they are counts rather than measures."""
    sides = [held for held in map(_known, (reference, current)) if len(held)]
    if not sides:
        return False
    few = all(
        len(np.unique(np.concatenate([pd.unique(values[:most]) for values in sides]))) <= FEW_VALUES
        for most in (_FIRST, None)
    )
    return few or _share_of_commonest(sides) > ONE_VALUE


def _known(values: np.ndarray) -> np.ndarray:
    gone = np.isnan(values)
    return values[~gone] if gone.any() else values


def _share_of_commonest(sides: Sequence[np.ndarray]) -> float:
    """The share of the value that more than half of all are; at most a half where there is none.

    Such a value is more than half of one side at least, and so the middle of that.
    """
    middles = [np.partition(values, len(values) // 2)[len(values) // 2] for values in sides]
    return max(sum(np.count_nonzero(values == middle) for values in sides) for middle in middles) / sum(map(len, sides))


def one_row_per_group(rows: Rows, size: int, seed: int) -> Rows:
    """One random row of each group in each stretch of `size` neighbouring rows, in their order.

    The reference is cut like the window, since one row a group over a longer time would thin busy groups more.
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    stretch = (len(rows) - 1 - np.arange(len(rows))) // max(1, size)
    keys = pd.DataFrame({"stretch": stretch[order], "group": rows.meta["group"].to_numpy()[order]})
    return rows.take(np.sort(order[~keys.duplicated().to_numpy()]))


def _column(rows: Rows, column: str) -> pd.Series:
    if column in rows.features.columns:
        return rows.features[column]
    return pd.Series([None] * len(rows), dtype=object)
