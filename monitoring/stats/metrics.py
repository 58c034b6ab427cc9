"""The metrics a model is judged by, on plain arrays.

Class metrics are functions of the counts of (truth, answer) pairs, so that thousands of resamples are one array;
the others are functions of rows, with the influence of each row, whose spread gives the standard error
(Hampel 1974, JASA 69; for the area under the curve: DeLong et al. 1988, Biometrics 44).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

CLASS_METRICS = ("accuracy", "f1_macro", "f1_score")


def metric(
    name: str, truth: np.ndarray, predicted: np.ndarray, score: np.ndarray, classes: Sequence[str]
) -> float | None:
    """One metric of n rows, None where it is not defined on them.

    Args:
        name: accuracy, f1_macro, f1_score (F1 of the last class), roc_auc (of the last of two classes), mae, rmse, r2.
        truth, predicted: class names, or numbers for the last three.
        score: probability of the last class (roc_auc only).
        classes: all class names in declared or sorted order.
    """
    if not len(truth):
        return None
    if name in CLASS_METRICS:
        return float(of_cells(name, cells(truth, predicted, classes)[None])[0])
    found = of_rows(name, truth, predicted, score, classes)
    return None if found is None else found[0]


def cells(truth: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Counts (k × k) of truth (rows) against answer (columns)."""
    rows, columns = (pd.Categorical(side, categories=list(classes)).codes for side in (truth, predicted))
    pairs = rows.astype(np.int64) * len(classes) + columns
    return np.bincount(pairs, minlength=len(classes) ** 2).reshape(len(classes), len(classes))


def of_cells(name: str, counts: np.ndarray) -> np.ndarray:
    """A class metric of each of draws × k × k counts.

    A class that stands in neither truth nor answers has no F1 and is left out of the mean, as scikit-learn does.
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1).astype(float)
    if name == "accuracy":
        return np.asarray(hits.sum(axis=-1) / np.maximum(counts.sum(axis=(-2, -1)), 1))
    asked = counts.sum(axis=-1) + counts.sum(axis=-2)
    f1 = 2.0 * hits / np.maximum(asked, 1)
    if name == "f1_score":
        return np.asarray(f1[..., -1])
    return np.asarray(f1.sum(axis=-1) / np.maximum((asked > 0).sum(axis=-1), 1))


def of_rows(
    name: str, truth: np.ndarray, predicted: np.ndarray, score: np.ndarray, classes: Sequence[str]
) -> tuple[float, np.ndarray] | None:
    """A row metric and the influence of each row on it (n,); None where it is not defined."""
    if name == "roc_auc":
        return _roc_auc(truth == classes[-1], score) if len(classes) == 2 else None
    return _ERRORS[name](truth.astype(float), predicted.astype(float))


def _roc_auc(positive: np.ndarray, score: np.ndarray) -> tuple[float, np.ndarray] | None:
    n, ones = len(score), int(positive.sum())
    if ones in (0, n):
        return None
    overall = rankdata(score)
    placement = np.empty(n)  # P(the row is on the right side of a random row of the other class)
    placement[positive] = (overall[positive] - rankdata(score[positive])) / (n - ones)
    placement[~positive] = 1.0 - (overall[~positive] - rankdata(score[~positive])) / ones
    area = float(placement[positive].mean())
    return area, (placement - area) * np.where(positive, n / ones, n / (n - ones))


def _mae(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, np.ndarray]:
    errors = np.abs(predicted - truth)
    return float(errors.mean()), errors - errors.mean()


def _rmse(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, np.ndarray]:
    squares = (predicted - truth) ** 2
    root = float(np.sqrt(squares.mean()))
    return root, (squares - root**2) / (2.0 * root) if root else np.zeros(len(squares))


def _r2(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, np.ndarray] | None:
    spread = (truth - truth.mean()) ** 2
    if not spread.any():
        return None
    squares = (predicted - truth) ** 2
    unexplained = float(squares.mean() / spread.mean())
    return 1.0 - unexplained, -(squares - unexplained * spread) / spread.mean()


_ERRORS: dict[str, Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray] | None]] = {
    "mae": _mae,
    "rmse": _rmse,
    "r2": _r2,
}
