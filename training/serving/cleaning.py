"""From columns as they arrive to columns that no estimator chokes on; part of every pipeline, so of every answer."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Every sign that is no white space is a word: stars of emoji and exclamation marks carry sentiment, and a text without
# letters still has words.
WORD = r"(?u)\w+|[^\w\s]"
NO_TEXT = "emptytext"  # a word of its own: a vectoriser fails where no text holds any word
MISSING = "missing"  # a level of its own
_HUGE = 1e12  # its square still fits a float64, so scaling cannot overflow


def plain_text(columns: pd.DataFrame) -> np.ndarray:
    """One text column (n × 1) as n texts with at least one word each; missing and blank become NO_TEXT."""
    column = columns.iloc[:, 0]
    texts = column.where(column.notna(), "").astype(str)
    return np.asarray(texts.where(texts.str.strip() != "", NO_TEXT), dtype=object)


def plain_numbers(columns: pd.DataFrame) -> np.ndarray:
    """Numeric columns (n × k) as finite float64 or NaN; no number is missing, beyond 1e12 is cut."""
    numbers = columns.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.clip(np.where(np.isinf(numbers), np.nan, numbers), -_HUGE, _HUGE)


def plain_levels(columns: pd.DataFrame) -> np.ndarray:
    """Categorical columns (n × k) as text; missing is a level of its own."""
    return np.asarray(columns.where(columns.notna(), MISSING).astype(str), dtype=object)
