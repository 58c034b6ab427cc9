"""Rows as the plain frames that Evidently can take: float64 and str, with the kind of each column declared.

Evidently fails a whole report on ordinary dirt (Decimals, nullable integers, mixed objects, infinities), so nothing
reaches it but these two types, and missing is always NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from trueup.monitoring.stats.columns import as_levels, as_numbers, levels, numbers, texts
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

MOST_ROWS = 5_000  # drawn for a report, a side
_MOST_LEVELS = 50  # of a categorical column, by name; a page with thousands of bars cannot be read
LONGEST_LEVEL = 100  # characters
LONGEST_TEXT = 2_000  # characters of a text that may be shown as an example
OTHER = "(other values)"

SCORE_COLUMN, PREDICTED, LABEL = "prediction score", "prediction", "label"


class ColumnKind(StrEnum):
    NUMBER = "number"
    LEVEL = "level"
    TEXT = "text"


@dataclass(frozen=True)
class FramePair:
    """Two frames of the same columns, and what kind each column is."""

    reference: pd.DataFrame
    current: pd.DataFrame
    kinds: Mapping[str, ColumnKind]

    def empty_in(self, column: str) -> str:
        """The side or sides on which a column holds no value, in words; "" where both hold some."""
        frames = {"reference": self.reference, "current window": self.current}
        bare = [name for name, frame in frames.items() if not frame[column].notna().any()]
        return " and the ".join(bare)


def sample_rows(rows: Rows, seed: int) -> Rows:
    """At most MOST_ROWS of the rows, drawn with `seed`, in their order."""
    if len(rows) <= MOST_ROWS:
        return rows
    return rows.take(np.sort(np.random.default_rng(seed).choice(len(rows), MOST_ROWS, replace=False)))


def text_column(stream: StreamSettings) -> str:
    """The name under which a stream's texts, joined, stand in a report."""
    return " + ".join(stream.text)


def input_frames(stream: StreamSettings, reference: Rows, current: Rows) -> FramePair:
    """The declared features of both sides; several text columns as one, with its length beside it."""
    columns: dict[str, tuple[pd.Series, pd.Series]] = {}
    kinds: dict[str, ColumnKind] = {}
    for column in stream.numeric:
        columns[column] = (_finite(numbers(reference, column)), _finite(numbers(current, column)))
        kinds[column] = ColumnKind.NUMBER
    for column in stream.categorical:
        columns[column] = _pooled(levels(reference, column), levels(current, column))
        kinds[column] = ColumnKind.LEVEL
    if stream.text:
        name = text_column(stream)
        columns[name] = (_short(texts(reference, stream.text)), _short(texts(current, stream.text)))
        kinds[name] = ColumnKind.TEXT
        length = f"{name}: characters"
        if length not in columns:
            columns[length] = (_length(texts(reference, stream.text)), _length(texts(current, stream.text)))
            kinds[length] = ColumnKind.NUMBER
    return _frame_pair(columns, kinds, len(reference), len(current))


def model_frames(stream: StreamSettings, reference: Rows, current: Rows, labelled: Rows) -> FramePair:
    """What the model said of both sides, and the labels.

    labelled: the window's mature labels, which stand in for those of `current` where there are any.
    """
    current_labels = labelled if len(labelled) else current
    columns: dict[str, tuple[pd.Series, pd.Series]] = {}
    if stream.is_regression:
        kinds = {PREDICTED: ColumnKind.NUMBER, LABEL: ColumnKind.NUMBER}
        columns[PREDICTED] = (_number(reference, "predicted"), _number(current, "predicted"))
        columns[LABEL] = (_number(reference, "label"), _number(current_labels, "label"))
    else:
        kinds = {SCORE_COLUMN: ColumnKind.NUMBER, PREDICTED: ColumnKind.LEVEL, LABEL: ColumnKind.LEVEL}
        columns[SCORE_COLUMN] = (_number(reference, "score"), _number(current, "score"))
        columns[PREDICTED] = _pooled(_level(reference, "predicted"), _level(current, "predicted"))
        columns[LABEL] = _pooled(_level(reference, "label"), _level(current_labels, "label"))
    size = max(len(current), len(current_labels))
    return _frame_pair(columns, kinds, len(reference), size)


def labelled_frame(stream: StreamSettings, rows: Rows) -> pd.DataFrame:
    """The labelled rows that the model answered: LABEL and PREDICTED, with SCORE for classification."""
    if stream.is_regression:
        frame = pd.DataFrame({LABEL: _number(rows, "label"), PREDICTED: _number(rows, "predicted")})
    else:
        frame = pd.DataFrame({
            LABEL: pd.Series(_level(rows, "label"), dtype=object),
            PREDICTED: pd.Series(_level(rows, "predicted"), dtype=object),
            SCORE_COLUMN: _number(rows, "score"),
        })
    return frame[frame[LABEL].notna() & frame[PREDICTED].notna()].reset_index(drop=True)


def _frame_pair(
    columns: Mapping[str, tuple[pd.Series, pd.Series]],
    kinds: Mapping[str, ColumnKind],
    n_reference: int,
    n_current: int,
) -> FramePair:
    reference = pd.DataFrame({name: pair[0] for name, pair in columns.items()}, index=range(n_reference))
    current = pd.DataFrame({name: pair[1] for name, pair in columns.items()}, index=range(n_current))
    return FramePair(reference, current, kinds)


def _finite(values: np.ndarray) -> pd.Series:
    return pd.Series(np.where(np.isfinite(values), values, np.nan), dtype=float)


def _number(rows: Rows, column: str) -> pd.Series:
    return _finite(as_numbers(rows.meta[column]))


def _level(rows: Rows, column: str) -> np.ndarray:
    return as_levels(rows.meta[column])


def _pooled(reference: np.ndarray, current: np.ndarray) -> tuple[pd.Series, pd.Series]:
    """Both sides with all but the commonest levels as one."""
    frames = [
        pd.Series(values, dtype=object).map(lambda v: str(v)[:LONGEST_LEVEL], na_action="ignore").where(
            pd.notna(values), np.nan
        )
        for values in (reference, current)
    ]
    common = pd.concat(frames).value_counts().index[:_MOST_LEVELS]
    first, second = (side.where(side.isin(common) | side.isna(), OTHER) for side in frames)
    return first, second


def _short(values: np.ndarray) -> pd.Series:
    return pd.Series([v[:LONGEST_TEXT] if isinstance(v, str) else np.nan for v in values], dtype=object)


def _length(values: np.ndarray) -> pd.Series:
    return pd.Series([len(v) if isinstance(v, str) else np.nan for v in values], dtype=float)
