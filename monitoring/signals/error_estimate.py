"""The size of a model's errors, predicted from its inputs: direct loss estimation (NannyML's DLE; Lahiri et al. 2007).

A second model learns on labelled rows how large the error was, from the features and the answer. Where the window holds
inputs on which errors used to be large, its mean rises before any label has come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trueup.monitoring.stats.columns import as_numbers, levels, numbers, texts
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

FOLDS = 20  # parts of the labelled rows, each left out once
_MOST_ROWS = 5_000  # newest labelled rows that are learnt from
_LEVELS = 50  # kept of a categorical column


def losses(name: str, rows: Rows) -> np.ndarray:
    """The absolute (mae) or squared (rmse) error of each row that has label and answer."""
    errors = np.abs(as_numbers(rows.meta["predicted"]) - as_numbers(rows.meta["label"]))
    return errors if name == "mae" else errors**2


def as_metric(name: str, mean_loss: float) -> float:
    """The metric that a mean loss is."""
    return max(0.0, mean_loss) ** (1.0 if name == "mae" else 0.5)


def predicted_error(stream: StreamSettings, known: Rows) -> Callable[[Rows], np.ndarray]:
    """A function that predicts the loss of each row, learnt from rows with label and answer.

    Gradient-boosted trees: they take numbers and levels as they are, missing ones too, and never go beyond the losses
    that were seen, so that an input far from all known ones costs no more than the worst of them.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.preprocessing import OrdinalEncoder
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    known = known.newest(_MOST_ROWS)
    coded: Any = OrdinalEncoder(
        max_categories=_LEVELS, handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan
    )
    trees = HistGradientBoostingRegressor(max_iter=60, max_leaf_nodes=15, early_stopping=False, random_state=0)

    def matrix(rows: Rows, *, learn: bool = False) -> np.ndarray:
        parts = [as_numbers(rows.meta["predicted"]), *(numbers(rows, column) for column in stream.numeric)]
        if stream.text:
            parts.append(np.array([len(text or "") for text in texts(rows, stream.text)], dtype=float))
        if stream.categorical:
            named = np.column_stack([levels(rows, column) for column in stream.categorical])
            parts.append(coded.fit_transform(named) if learn else coded.transform(named))
        return np.column_stack(parts)

    with threadpool_limits(1):
        trees.fit(matrix(known, learn=True), losses(stream.metric, known))

    def predict(rows: Rows) -> np.ndarray:
        with threadpool_limits(1):
            return np.asarray(trees.predict(matrix(rows)))

    return predict


def error_increase(stream: StreamSettings, known: Rows, current: Rows, seed: int) -> tuple[float, float, float]:
    """The metric on the labelled rows, the one predicted for the window, and the standard error of their log ratio.

    The error holds that of the window's rows, and by leaving out each of FOLDS parts of the labelled rows once
    (delete-a-group jackknife, Kott 2001) those of the labelled rows and of what was learnt from them.
    """
    name = stream.metric
    known = known.newest(_MOST_ROWS)
    measured, predicted = losses(name, known), predicted_error(stream, known)(current)
    fold = np.random.default_rng(seed).permutation(len(known)) % FOLDS
    ratios = []
    for out in range(FOLDS):
        kept = fold != out
        now = predicted_error(stream, known.take(kept))(current).mean()
        ratios.append(_log(as_metric(name, now)) - _log(as_metric(name, float(measured[kept].mean()))))
    spread = np.array(ratios)
    learnt = (FOLDS - 1) / FOLDS * float(((spread - spread.mean()) ** 2).sum())
    power = 1.0 if name == "mae" else 0.25
    drawn = float(predicted.var()) / len(predicted) / max(1e-300, float(predicted.mean()) ** 2) * power
    error = float(np.sqrt(learnt + drawn))
    return as_metric(name, float(measured.mean())), as_metric(name, float(predicted.mean())), error


def _log(value: float) -> float:
    return float(np.log(max(value, 1e-300)))
