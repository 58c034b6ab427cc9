"""Calibrated chances are frequencies, and the decision serves the stream's metric."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from trueup_model.calibration import Calibrated, best_threshold, folds_of


def _rare(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A class of one in eight, and two columns that tell of it."""
    rng = np.random.default_rng(seed)
    rare = rng.random(n) < 0.125
    return rng.normal(0, 1, (n, 2)) + 1.2 * rare[:, None], np.where(rare, "b", "a")


@pytest.mark.parametrize("metric", ["f1_macro", "accuracy"])
def test_chances_are_frequencies_and_the_decision_serves_the_metric(metric: str) -> None:
    """Fitted with classes that weigh the same, the chances still say how often; the threshold differs by metric."""
    columns, target = _rare(6000, 0)
    even = np.where(target == "b", 4.0, 0.571)
    model = Calibrated(LogisticRegression(), decides_by=metric).fit(columns, target, sample_weight=even)
    later, truth = _rare(6000, 1)
    chances = model.predict_proba(later)[:, 1]
    for part in np.array_split(np.argsort(chances), 5):
        assert abs(chances[part].mean() - np.mean(truth[part] == "b")) < 0.04
    thresholds = np.linspace(0.05, 0.95, 91)
    average = "macro" if metric == "f1_macro" else "micro"
    figures = [f1_score(truth, np.where(chances >= t, "b", "a"), average=average) for t in thresholds]
    assert f1_score(truth, model.predict(later), average=average) > max(figures) - 0.01


def test_three_classes_are_calibrated_too() -> None:
    """Chances of more classes add up to one, and the rare one is named."""
    rng = np.random.default_rng(0)
    target = rng.choice(["a", "b", "c"], 3000, p=[0.7, 0.2, 0.1])
    columns = np.stack([target == name for name in "abc"], axis=1) + rng.normal(0, 0.7, (3000, 3))
    model = Calibrated(LogisticRegression(), decides_by="f1_macro").fit(columns, target)
    chances = model.predict_proba(columns)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    np.testing.assert_allclose(chances.mean(axis=0), [np.mean(target == name) for name in "abc"], atol=0.01)
    assert np.mean(model.predict(columns)[target == "c"] == "c") > 0.6


def test_the_threshold_has_the_greatest_expected_figure() -> None:
    """No other threshold among the chances has a greater expected macro-F1."""
    chances = np.random.default_rng(0).beta(1, 4, 400)

    def expected(threshold: float) -> float:
        named = chances >= threshold
        second = 2 * chances[named].sum() / (named.sum() + chances.sum())
        first = 2 * (1 - chances[~named]).sum() / ((~named).sum() + (1 - chances).sum())
        return float(first + second)

    found = best_threshold(chances, np.ones(400), np.ones(2, dtype=bool))
    assert expected(found) == pytest.approx(max(expected(t) for t in chances), abs=1e-9)


def test_folds_keep_groups_whole_and_hold_every_class() -> None:
    """A group stands in one fold, each fold leaves out none of the classes, and a fold is a span of time."""
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(100), 3))
    target = np.where(groups % 20 == 0, "rare", "usual")
    folds = folds_of(target, groups)
    for group in np.unique(groups):
        assert len(set(folds[groups == group])) == 1
    for fold in range(3):
        assert set(target[folds == fold]) == set(target[folds != fold]) == {"rare", "usual"}
    alone = folds_of(np.repeat("one", 9), np.arange(9))
    assert alone.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
