"""The paired test that promotions are judged by afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, mean_absolute_error

from benchmarks.promotion.replays import upper
from benchmarks.promotion.worse import compare


def _answers(rng: np.random.Generator, truth: np.ndarray, right: float) -> np.ndarray:
    return np.where(rng.random(len(truth)) < right, truth, np.where(truth == "bad", "good", "bad"))


def test_the_figures_are_the_metrics_own() -> None:
    """Sums over units give scikit-learn's macro-F1 and mean absolute error, the error with its sign turned."""
    rng = np.random.default_rng(0)
    truth = np.where(rng.random(400) < 0.2, "bad", "good").astype(object)
    old, new = _answers(rng, truth, 0.8), _answers(rng, truth, 0.9)
    found = compare("f1_macro", truth, old, new, np.arange(400) // 3, seed=1)
    assert found.old == pytest.approx(f1_score(truth.astype(str), old.astype(str), average="macro"))
    assert found.new == pytest.approx(f1_score(truth.astype(str), new.astype(str), average="macro"))
    numbers = rng.normal(size=300)
    found = compare("mae", numbers, numbers + 1, numbers - 3, np.arange(300), seed=1)
    assert (found.old, found.new) == (pytest.approx(-1), pytest.approx(-3))
    assert mean_absolute_error(numbers, numbers - 3) == pytest.approx(3)
    assert found.p_worse == 1 / 10_000


def test_equal_models_are_seldom_called_worse() -> None:
    """At the level .05 some one in twenty equally good pairs is, also where units hold several alike rows."""
    called = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        unit = np.repeat(np.arange(60), 5)
        truth = np.repeat(np.where(rng.random(60) < 0.3, "bad", "good"), 5).astype(object)
        old, new = (np.repeat(_answers(rng, truth[::5], 0.8), 5) for _ in range(2))
        called += compare("f1_macro", truth, old, new, unit, seed).p_worse <= 0.05
    assert 2 <= called <= 19  # 99.5 % of draws at .05


def test_a_worse_model_is_called_worse_and_its_opposite_better() -> None:
    """Ten points are seen on 500 rows, from either hand."""
    rng = np.random.default_rng(3)
    truth = np.where(rng.random(500) < 0.3, "bad", "good").astype(object)
    good, poor = _answers(rng, truth, 0.9), _answers(rng, truth, 0.8)
    assert compare("f1_macro", truth, good, poor, np.arange(500), 0).p_worse < 0.01
    assert compare("f1_macro", truth, poor, good, np.arange(500), 0).p_better < 0.01


def test_the_upper_limit_is_that_of_a_coin() -> None:
    """None of 99 leaves 3 % possible, by 1 - .05 ** (1/99)."""
    assert upper(0, 99) == pytest.approx(1 - 0.05 ** (1 / 99))
    assert upper(5, 5) == 1.0
