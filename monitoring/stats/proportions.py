"""Tests of shares: missing values by Fisher's exact test, predicted probabilities by an exact permutation test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom, norm

from trueup.monitoring.stats.counts import permutation_p

_STEPS = 100  # probabilities are read to a percent, so that a permutation moves counts instead of records


@dataclass(frozen=True)
class MeanTest:
    """p_value of a change of the mean; the two means; an interval of 95 % for current - reference."""

    p_value: float
    reference: float
    current: float
    interval: tuple[float, float]


def both_tails(hits: np.ndarray, draws: int, marked: np.ndarray, size: int) -> np.ndarray:
    """Two-sided exact p-values: `hits` marked records among `draws` out of `size` records of which `marked` are marked.

    The smaller tail is doubled; with one entry this is Fisher's exact test of two shares (Fisher 1935).
    """
    upper = hypergeom.sf(hits - 1, size, marked, draws)
    lower = hypergeom.cdf(hits, size, marked, draws)
    return np.minimum(1.0, 2.0 * np.minimum(upper, lower))


def share_test(reference: np.ndarray, current: np.ndarray) -> float:
    """The p-value that the share of True differs between two boolean samples."""
    hits, marked = int(current.sum()), int(reference.sum() + current.sum())
    return float(both_tails(np.array([hits]), len(current), np.array([marked]), len(reference) + len(current))[0])


def mean_test(reference: np.ndarray, current: np.ndarray, *, level: float, seed: int) -> MeanTest:
    """Tests whether the mean of probabilities (values in [0, 1]) changed, by permutation, exact at every size.

    Under a shift of the class mix the mean of calibrated probabilities is locally the most powerful statistic.
    """
    edges = np.arange(_STEPS + 1)
    before = np.bincount(_steps(reference), minlength=_STEPS + 1)
    after = np.bincount(_steps(current), minlength=_STEPS + 1)
    pooled = before + after
    centre = float(pooled @ edges) / pooled.sum()

    def far(draws: np.ndarray) -> np.ndarray:
        return (draws @ edges / len(current) - centre) ** 2

    p_value = permutation_p(pooled, after, far, level=level, seed=seed)
    old, new = float(reference.mean()), float(current.mean())
    half = norm.ppf(0.975) * float(np.sqrt(reference.var() / len(reference) + current.var() / len(current)))
    return MeanTest(p_value, old, new, (new - old - half, new - old + half))


def _steps(values: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(values, 0.0, 1.0) * _STEPS).astype(np.int64)
