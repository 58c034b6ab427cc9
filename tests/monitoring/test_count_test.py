"""Tests on counts, and on shares."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from trueup.monitoring.stats.counts import FEWEST_DRAWS, MOST_LEVELS, count_test, g_statistic, permutation_p
from trueup.monitoring.stats.proportions import mean_test, share_test

pytestmark = pytest.mark.long


@pytest.mark.parametrize("levels", [2, 8, 200])
def test_false_alarms_stay_at_the_level(levels: int) -> None:
    """With two levels as with 200 rare ones, p <= .05 and p <= .01 come no more often than they say."""
    rng = np.random.default_rng(levels)
    shares = rng.dirichlet(np.ones(levels))
    p_values = np.array(
        [
            count_test(rng.multinomial(1000, shares), rng.multinomial(100, shares), level=0.01, seed=i).p_value
            for i in range(600)
        ]
    )
    assert (p_values <= 0.05).mean() <= 0.082
    assert (p_values <= 0.01).mean() <= 0.027


def test_a_moved_level_is_seen_among_two_hundred() -> None:
    """A level that grows from half a percent to eight is found at level .0005, with the share that moved."""
    rng = np.random.default_rng(1)
    shares = np.full(200, 1 / 200)
    moved = np.append(shares[:-1] * 0.92 / shares[:-1].sum(), 0.08)
    test = count_test(rng.multinomial(5000, shares), rng.multinomial(500, moved), level=0.0005, seed=1)
    assert test.p_value <= 0.0005
    assert test.moved > 0.07


def test_draws_stop_early_where_nothing_changed_and_reach_any_level_where_it_did() -> None:
    """The sequential stop answers h / l under no change; under change the p-value falls below the level asked for."""
    same = np.array([500, 300, 200])
    assert permutation_p(same * 2, same, g_statistic(same * 2), level=0.01, seed=0) > 0.5
    far = permutation_p(np.array([500, 500]), np.array([0, 500]), g_statistic(np.array([500, 500])), level=5e-5, seed=0)
    assert far <= 2.5e-5 < 1 / (FEWEST_DRAWS + 1)


def test_levels_beyond_the_most_are_pooled_and_a_new_common_one_is_still_seen() -> None:
    """A thousand rare levels cost no more than five hundred, and a new level that takes a tenth stands out."""
    rng = np.random.default_rng(2)
    before = np.append(rng.poisson(5, 2 * MOST_LEVELS), 0)
    now = np.append(rng.poisson(1, 2 * MOST_LEVELS), 100)
    assert count_test(before, now, level=0.001, seed=0).p_value <= 0.001


def test_shares_agree_with_fisher() -> None:
    """The doubled tail is never below Fisher's p-value by more than rounding, and never above its double."""
    for hits, marked in ((0, 0), (3, 9), (12, 15), (40, 40)):
        before, now = np.arange(200) < marked, np.arange(50) < hits
        exact = fisher_exact([[hits, 50 - hits], [marked, 200 - marked]]).pvalue
        assert exact * 0.999 <= share_test(before, now) <= min(1.0, 2 * exact) * 1.001


def test_the_mean_of_skewed_scores_keeps_its_level_at_thirty() -> None:
    """Scores that are nearly always .99 break a normal tail at n = 30; the permutation holds."""
    rng = np.random.default_rng(5)

    def draw(n: int) -> np.ndarray:
        return np.where(rng.random(n) < 0.95, 0.99, rng.random(n) * 0.3)

    p_values = np.array([mean_test(draw(600), draw(30), level=0.01, seed=i).p_value for i in range(600)])
    assert (p_values <= 0.01).mean() <= 0.027


def test_a_shift_of_sentiment_is_seen_without_labels() -> None:
    """Scores of .65 positives against .45 breach at .005 with 200 of 5000, as statistics.md measured (.89-.94)."""
    rng = np.random.default_rng(6)

    def draw(n: int, positive: float) -> np.ndarray:
        return np.where(rng.random(n) < positive, rng.beta(4, 1.3, n), rng.beta(1.3, 3, n))

    found = [mean_test(draw(5000, 0.65), draw(200, 0.45), level=0.005, seed=i).p_value <= 0.005 for i in range(40)]
    assert np.mean(found) >= 0.85
