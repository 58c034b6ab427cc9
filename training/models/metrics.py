"""The metrics of a model on labelled rows: what candidates are compared by, and what MLflow holds of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CLASSIFICATION_METRICS = ("accuracy", "f1_score", "f1_macro", "roc_auc")
REGRESSION_METRICS = ("mae", "rmse", "r2")


def all_metrics(
    task: str, truth: np.ndarray, predicted: np.ndarray, score: np.ndarray, classes: Sequence[str]
) -> dict[str, float]:
    """All metrics of n predictions, by name, of a task: "classification" or "regression".

    Args: as of `metric_value`.
    """
    names = REGRESSION_METRICS if task == "regression" else CLASSIFICATION_METRICS
    return {name: metric_value(name, truth, predicted, score, classes) for name in names}


def metric_value(
    name: str, truth: np.ndarray, predicted: np.ndarray, score: np.ndarray, classes: Sequence[str]
) -> float:
    """One metric of n predictions, NaN where it is undefined (no rows, one class, more than two for roc_auc).

    Args:
        name: one of `CLASSIFICATION_METRICS`, or of `REGRESSION_METRICS` (in the unit of the label; r2: a share).
        truth, predicted: n labels (classes as text; numbers for regression).
        score: n probabilities of the last of `classes`, where there are two.
        classes: in the declared or sorted order; f1_score is that of the last.
    """
    if not len(truth):
        return float("nan")
    if name in REGRESSION_METRICS:
        return _of_numbers(name, truth.astype(np.float64), predicted.astype(np.float64))
    return _of_classes(name, truth.astype(str), predicted.astype(str), score.astype(np.float64), classes)


def _of_numbers(name: str, true: np.ndarray, answered: np.ndarray) -> float:
    from sklearn import metrics

    with np.errstate(over="ignore"):  # an answer far beyond all labels scores infinitely bad
        if name == "mae":
            return float(np.mean(np.abs(true - answered)))
        if name == "rmse":
            return float(np.sqrt(np.mean((true - answered) ** 2)))
        return float(metrics.r2_score(true, answered)) if len(true) > 1 else float("nan")


def _of_classes(
    name: str, true: np.ndarray, answered: np.ndarray, score: np.ndarray, classes: Sequence[str]
) -> float:
    from sklearn import metrics

    if name == "accuracy":
        return float(np.mean(true == answered))
    if name == "f1_macro":
        return float(metrics.f1_score(true, answered, average="macro", zero_division=0.0))
    last = true == classes[-1]
    if name == "f1_score":
        return float(metrics.f1_score(last, answered == classes[-1], zero_division=0.0))
    ranked = len(classes) == 2 and 0 < last.sum() < len(last) and bool(np.isfinite(score).all())
    return float(metrics.roc_auc_score(last, score)) if ranked else float("nan")
