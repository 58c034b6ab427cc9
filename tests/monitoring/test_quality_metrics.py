"""The metrics of the checks are those of scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn import metrics

from trueup.monitoring.stats.metrics import cells, metric, of_cells

pytestmark = pytest.mark.long


@pytest.mark.parametrize("known", [1, 2, 3, 5])
def test_class_metrics_are_those_of_scikit_learn(known: int) -> None:
    """Macro-F1 averages over the classes in truth or answers, F1 and accuracy agree; also where one class is all."""
    rng = np.random.default_rng(known)
    names = np.array([f"c{i}" for i in range(known)], dtype=object)
    for _ in range(300):
        n = int(rng.integers(1, 40))
        truth = rng.choice(rng.choice(names, rng.integers(1, known + 1), replace=False), n)
        answers = rng.choice(rng.choice(names, rng.integers(1, known + 1), replace=False), n)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of classes without an answer, which is what is asked about
            wanted = {
                "accuracy": metrics.accuracy_score(truth, answers),
                "f1_macro": metrics.f1_score(truth, answers, average="macro"),
                "f1_score": metrics.f1_score(truth == names[-1], answers == names[-1], zero_division=0.0),
            }
        found = {name: metric(name, truth, answers, np.full(n, np.nan), list(names)) for name in wanted}
        assert found == pytest.approx(wanted)


def test_resamples_are_counted_as_the_rows_are() -> None:
    """A stack of counts gives the metric of each of its layers, of one with a single class too."""
    names = ["no", "yes"]
    truth = np.array(["no", "no", "yes", "yes"], dtype=object)
    answers = np.array(["no", "yes", "yes", "yes"], dtype=object)
    stacked = np.stack([cells(truth, answers, names), cells(truth[:1], answers[:1], names)])
    assert of_cells("f1_macro", stacked) == pytest.approx([(2 / 3 + 4 / 5) / 2, 1.0])


def test_row_metrics_are_those_of_scikit_learn() -> None:
    """The area under the curve (with ties), MAE, RMSE and R2 agree; without both classes there is no area."""
    rng = np.random.default_rng(3)
    positive = rng.random(200) < 0.3
    score = np.round(np.where(positive, rng.beta(3, 2, 200), rng.beta(2, 3, 200)), 1)
    truth, names = np.where(positive, "yes", "no").astype(object), ["no", "yes"]
    assert metric("roc_auc", truth, truth, score, names) == pytest.approx(metrics.roc_auc_score(positive, score))
    assert metric("roc_auc", truth[positive], truth[positive], score[positive], names) is None
    numbers = rng.normal(size=200)
    guessed = numbers + rng.normal(size=200)
    wanted = {
        "mae": metrics.mean_absolute_error(numbers, guessed),
        "rmse": metrics.root_mean_squared_error(numbers, guessed),
        "r2": metrics.r2_score(numbers, guessed),
    }
    assert {name: metric(name, numbers, guessed, numbers, ()) for name in wanted} == pytest.approx(wanted)
