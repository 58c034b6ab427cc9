"""The figures of a model on labelled rows: what candidates are compared by, and what MLflow holds of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def score(
    task: str, truth: np.ndarray, predicted: np.ndarray, score: np.ndarray, classes: Sequence[str]
) -> dict[str, float]:
    """The figures of n answers, NaN where one is undefined (no rows, one class, more than two for roc_auc).

    Args:
        task: "classification" or "regression".
        truth, predicted: n labels (classes as text; numbers for regression).
        score: n probabilities of the last of `classes`, where there are two.
        classes: in the declared or sorted order; f1_score is that of the last.

    Returns:
        accuracy, f1_score, f1_macro, roc_auc; for regression mae, rmse, r2, in the unit of the label (r2: a share).
    """
    from sklearn import metrics

    if task == "regression":
        if not len(truth):
            return dict.fromkeys(("mae", "rmse", "r2"), float("nan"))
        true, answered = truth.astype(np.float64), predicted.astype(np.float64)
        with np.errstate(over="ignore"):  # an answer far beyond all labels scores infinitely bad
            return {
                "mae": float(np.mean(np.abs(true - answered))),
                "rmse": float(np.sqrt(np.mean((true - answered) ** 2))),
                "r2": float(metrics.r2_score(true, answered)) if len(true) > 1 else float("nan"),
            }
    if not len(truth):
        return dict.fromkeys(("accuracy", "f1_score", "f1_macro", "roc_auc"), float("nan"))
    true, answered = truth.astype(str), predicted.astype(str)
    last = true == classes[-1]
    ranked = len(classes) == 2 and 0 < last.sum() < len(last) and bool(np.isfinite(score.astype(np.float64)).all())
    return {
        "accuracy": float(np.mean(true == answered)),
        "f1_score": float(metrics.f1_score(last, answered == classes[-1], zero_division=0.0)),
        "f1_macro": float(metrics.f1_score(true, answered, average="macro", zero_division=0.0)),
        "roc_auc": float(metrics.roc_auc_score(last, score.astype(np.float64))) if ranked else float("nan"),
    }
