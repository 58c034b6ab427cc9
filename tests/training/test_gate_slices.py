"""No declared slice pays for a gain of the whole."""

from __future__ import annotations

import numpy as np

from trueup.storage.policy import Policy
from trueup.storage.stream import StreamSettings
from trueup.training.evaluation.paired import Paired
from trueup.training.gate.result import GateTest
from trueup.training.gate.slices import slice_tests


def _stream(metric: str = "accuracy", **kinds: tuple[str, ...]) -> StreamSettings:
    task = "regression" if metric == "mae" else "classification"
    declared = {"slices": ("shop",), "text": ("content",), **kinds}
    return StreamSettings(name="made", time="at", task=task, policy=Policy(metric=metric), **declared)


def _paired(worse: np.ndarray, better: np.ndarray, shop: np.ndarray) -> Paired:
    """Rows of two classes that only the champion (`worse`) or only the challenger (`better`) answers rightly."""
    n = len(shop)
    truth = np.where(np.arange(n) % 2 == 0, "no", "yes").astype(object)
    other = np.where(truth == "no", "yes", "no").astype(object)
    return Paired(
        opponent="champion",
        truth=truth, opponent_predicted=np.where(better, other, truth),
        challenger_predicted=np.where(worse, other, truth),
        opponent_score=np.full(n, np.nan), challenger_score=np.full(n, np.nan), unit=np.arange(n),
        evaluation=np.zeros(n, bool), classes=("no", "yes"), slices={"shop": shop},
    )


def _shops(rows: int, shops: int = 4) -> np.ndarray:
    return np.array([f"shop {k % shops}" for k in range(rows)], dtype=object)


def _judged(paired: Paired, stream: StreamSettings | None = None) -> GateTest:
    (test,) = slice_tests(stream or _stream(), paired, 0.05, 1)
    return test


def test_a_gain_that_one_slice_pays_for_is_refused() -> None:
    """Better by eight points over all, and in one shop of four worse by a third: that shop and its loss are named."""
    shop, rng = _shops(800), np.random.default_rng(0)
    hurt = shop == "shop 2"
    test = _judged(_paired(hurt & (rng.random(800) < 0.33), ~hurt & (rng.random(800) < 0.2), shop))
    assert not test.passed
    assert test.code == "GATE-SLICE-shop"
    assert test.value is not None
    assert test.value > 0.2
    assert "'shop 2'" in test.said


def test_a_gain_everywhere_passes() -> None:
    """Where each slice is better none is in the way."""
    rng = np.random.default_rng(0)
    better, worse = rng.random(800) < 0.1, rng.random(800) < 0.02
    assert _judged(_paired(worse & ~better, better & ~worse, _shops(800))).passed


def test_a_loss_that_few_rows_show_is_no_loss_yet() -> None:
    """Three answers of thirty are beyond the margin and may be chance: told, and let through."""
    worse = np.zeros(120, bool)
    worse[[0, 4, 8]] = True
    test = _judged(_paired(worse, np.zeros(120, bool), _shops(120)))
    assert test.passed
    assert test.value is not None
    assert test.value > 0.05
    assert "refused from 98.8 %" in test.said


def test_equal_models_are_hardly_ever_refused() -> None:
    """Ten values of a hundred rows, a tenth answered otherwise by luck: at most one in twenty gates is refused."""
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(60):
        luck = rng.random(1000)
        refused += not _judged(_paired(luck < 0.05, luck > 0.95, _shops(1000, 10))).passed
    assert refused <= 4


def test_slices_of_few_rows_are_not_judged() -> None:
    """Under thirty rows a value nothing is said of it, and the test says that it does not apply."""
    test = _judged(_paired(np.ones(80, bool), np.zeros(80, bool), _shops(80)))
    assert test.passed
    assert test.value is None
    assert test.said.startswith("Not applied: ")


def test_without_declared_slices_there_is_no_test() -> None:
    """Nothing declared, nothing asked."""
    assert slice_tests(_stream(slices=()), _paired(np.ones(80, bool), np.zeros(80, bool), _shops(80)), 0.05, 1) == ()


def test_many_numbers_are_cut_in_thirds_and_errors_are_relative() -> None:
    """A numeric slice of a regression: the upper third is judged by itself, its error as a share of the champion's."""
    rng = np.random.default_rng(0)
    size, truth = rng.normal(size=600), rng.normal(size=600)
    paired = Paired(
        opponent="champion",
        truth=truth, opponent_predicted=truth + 1,
        challenger_predicted=truth + np.where(size > np.quantile(size, 2 / 3), 1.5, 0.5),
        opponent_score=np.full(600, np.nan), challenger_score=np.full(600, np.nan), unit=np.arange(600),
        evaluation=np.zeros(600, bool), classes=(), slices={"size": size},
    )
    test = _judged(paired, _stream("mae", slices=("size",), numeric=("size",)))
    assert not test.passed
    assert test.value is not None
    assert abs(test.value - 0.5) < 1e-9
    assert "above" in test.said
