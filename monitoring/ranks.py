"""The smooth rank test of two samples of numbers.

Pooled mid-ranks are read through the first four Legendre polynomials: location, spread, skew and tails. Their sums
over the current sample form a quadratic form with the exact covariance under permutation, ties included, which is
chi-square with as many degrees (Neyman 1937, Skand. Aktuar. 20; Janic-Wroblewska & Ledwina 2000,
Scand. J. Statist. 27). It keeps its level and beats Kolmogorov-Smirnov on shifts, scale, outliers and humps alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from monitoring.counts import permutation_p

DEGREE = 4
SMALL = 200  # records on a side, under which the chi-square tail is up to three times too light at .001
CELLS = 200  # to which small samples are coarsened before they are permuted; they lose nothing by it
_DOUBT = 0.02  # a chi-square p-value above it needs no second look


@dataclass(frozen=True)
class RankTest:
    """p_value; `above`: P(a current value lies above a reference one) - 1/2, ties halved; `moved`: largest distance
    of the two distribution functions, the least share of records that must have moved."""

    p_value: float
    above: float
    moved: float


def rank_test(reference: np.ndarray, current: np.ndarray, *, level: float, seed: int) -> RankTest:
    """Tests whether two samples of numbers (no NaN; at least one of each) come from one distribution.

    Args:
        level: at which the p-value will be held; seed: of the draws that small samples are settled by.
    """
    totals, currents = tie_counts(reference, current)
    n, m = len(current), len(reference)
    cumulated = np.cumsum(totals)
    gap = np.cumsum(currents) * (1 / n + 1 / m) - cumulated / m
    above = float(((2.0 * cumulated - totals) / (n + m) - 1.0) @ currents) / n * (n + m) / m / 2.0
    if min(n, m) < SMALL:
        totals, currents = _coarsen(totals, currents)
    scores, whitening = _contrasts(totals, n)

    def statistic(draws: np.ndarray) -> np.ndarray:
        return ((draws @ scores.T @ whitening) ** 2).sum(axis=-1)

    degrees = whitening.shape[1]
    p_value = float(chi2.sf(statistic(currents), degrees)) if degrees else 1.0
    if min(n, m) < SMALL and p_value < _DOUBT:
        p_value = permutation_p(totals, currents, statistic, level=level, seed=seed)
    return RankTest(p_value, above=above, moved=float(np.abs(gap).max()))


def tie_counts(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every distinct value, ascending: how often it stands in both samples, and in the current one (floats)."""
    reference, current = np.sort(reference), np.sort(current)
    pooled = np.concatenate([reference, current])
    pooled.sort(kind="stable")  # merges the two
    last = np.flatnonzero(np.append(pooled[1:] != pooled[:-1], True))
    totals = np.diff(last, prepend=-1).astype(float)
    upto = np.searchsorted(current, pooled[last], side="right")
    return totals, np.diff(upto, prepend=0).astype(float)


def _contrasts(totals: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores (DEGREE × cells) and a matrix W (DEGREE × at most DEGREE) that makes sums of scores independent.

    sum((counts @ scores.T @ W)**2) is chi-square for the counts of n records drawn from `totals`.
    """
    size = totals.sum()
    scores = _legendre((2.0 * np.cumsum(totals) - totals) / size - 1.0)
    scores -= (scores @ totals / size)[:, None]
    covariance = (scores * totals) @ scores.T * (n * (size - n) / (size * (size - 1.0)))
    # tied values leave fewer directions than polynomials: those that do not vary are dropped
    variances, directions = np.linalg.eigh(covariance)
    kept = variances > max(1e-9 * float(variances[-1]), 1e-12)
    return scores, directions[:, kept] / np.sqrt(variances[kept])


def _coarsen(totals: np.ndarray, currents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same counts in at most CELLS neighbouring groups of about the same size."""
    if len(totals) <= CELLS:
        return totals, currents
    group = ((np.cumsum(totals) - totals / 2) * CELLS / totals.sum()).astype(int)
    return np.bincount(group, totals, CELLS), np.bincount(group, currents, CELLS)


def _legendre(x: np.ndarray) -> np.ndarray:
    """The Legendre polynomials P1..P4 on [-1, 1], scaled to unit variance over it (DEGREE × len(x))."""
    square = x * x
    scores = np.empty((DEGREE, len(x)))
    scores[0] = np.sqrt(3.0) * x
    scores[1] = np.sqrt(5.0) * (1.5 * square - 0.5)
    scores[2] = np.sqrt(7.0) * (2.5 * square - 1.5) * x
    scores[3] = 3.0 * ((4.375 * square - 3.75) * square + 0.375)
    return scores
