"""The smooth rank test of numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp, mannwhitneyu

from tests.many import examples
from trueup.monitoring.stats.ranks import rank_test

pytestmark = pytest.mark.long

LEVEL = 0.001


def _p(before: np.ndarray, now: np.ndarray) -> float:
    return rank_test(before, now, level=LEVEL, seed=7).p_value


@pytest.mark.parametrize(
    ("n", "draw"),
    [
        (30, "tied"), (200, "normal"),
        *(pytest.param(n, draw, marks=pytest.mark.slow)
          for n, draw in ((30, "normal"), (30, "heavy"), (200, "tied"), (200, "heavy"))),
    ],
)  # fmt: skip
def test_false_alarms_stay_at_the_level(draw: str, n: int) -> None:
    """On exchangeable numbers, tied and heavy-tailed ones too, p <= .05 and p <= .01 come as often as they say."""
    rng = np.random.default_rng(n)
    make = {
        "normal": lambda k: rng.normal(size=k),
        "tied": lambda k: rng.poisson(9, k).astype(float),
        "heavy": lambda k: rng.exponential(size=k) ** 3,
    }[draw]
    p_values = np.array([_p(make(800), make(n)) for _ in range(600)])
    assert (p_values <= 0.05).mean() <= 0.082  # 99.9 % of binomial draws
    assert (p_values <= 0.01).mean() <= 0.027


@pytest.mark.parametrize(
    ("change", "least"),
    [
        (lambda x: x + 0.3, 0.9),
        (lambda x: x * 1.3, 0.9),
        (lambda x: np.where(np.arange(len(x)) % 10 == 0, x + 4, x), 0.9),
        (lambda x: np.where(np.arange(len(x)) % 2 == 0, 1.0, -1.0) * (1 + x / 4), 0.9),
    ],
    ids=["shift", "scale", "outliers", "humps"],
)
def test_power_against_every_shape_of_change(change, least: float) -> None:  # type: ignore[no-untyped-def]
    """A window of 500 shows a shift, a wider spread, outliers and two humps at level .001."""
    rng = np.random.default_rng(3)
    found = [_p(rng.normal(size=5000), change(rng.normal(size=500))) <= LEVEL for _ in range(40)]
    assert np.mean(found) >= least


@settings(max_examples=examples(60), deadline=None)
@pytest.mark.filterwarnings("ignore:ks_2samp")
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60),
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60),
)
def test_agrees_with_known_statistics(before: list[float], now: list[float]) -> None:
    """The effect is Mann-Whitney's and the distance Kolmogorov's, and ranks alone decide."""
    b, n = np.array(before), np.array(now)
    found = rank_test(b, n, level=LEVEL, seed=1)
    area = mannwhitneyu(n, b).statistic / len(n) / len(b)
    assert found.above == pytest.approx(area - 0.5, abs=1e-9)
    assert found.moved == pytest.approx(ks_2samp(b, n).statistic, abs=1e-9)
    ranks = np.unique(np.concatenate([b, n]), return_inverse=True)[1].astype(float)  # increasing, and exact
    again = rank_test(ranks[: len(b)], ranks[len(b) :], level=LEVEL, seed=1)
    assert found.p_value == pytest.approx(again.p_value, abs=1e-6)
    assert 0 <= found.p_value <= 1


def test_constants_and_infinities_are_numbers_like_others() -> None:
    """One value everywhere shows no change; infinities rank at the ends."""
    assert _p(np.ones(50), np.ones(40)) == 1.0
    assert _p(np.zeros(500), np.full(40, np.inf)) <= LEVEL
