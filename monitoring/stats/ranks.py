"""The smooth rank test of two samples of numbers.

Pooled mid-ranks are read through the first four Legendre polynomials: location, spread, skew and tails. Their sums
over the current sample form a quadratic form with the exact covariance under permutation, ties included, which is
chi-square with as many degrees (Neyman 1937, Skand. Aktuar. 20; Janic-Wroblewska & Ledwina 2000,
Scand. J. Statist. 27). Location alone, the commonest change, is looked at beside the whole form, and the smaller of the
two p-values is compared with its own law, which is known since the one is a part of the other. It keeps its level and
beats Kolmogorov-Smirnov on shifts, scale, outliers and humps alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm

from trueup.monitoring.stats.counts import permutation_p

DEGREE = 4
SMALL = 200  # records on a side, under which the chi-square tail is up to three times too light at .001
_CELLS = 200  # to which small samples are coarsened before they are permuted; they lose nothing by it
_BLOCK = 20_000  # values scored at a time; scores of a million at once would not fit the processor's cache
LOCATION = 0.5  # weight of location alone: its p-value counts as twice as large
_TINY = 1e-250  # below it the law of the smaller p-value is not told from itself
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
    moved = _distance(totals, currents, n, m)
    ranks = _mid_ranks(totals)
    above = float(ranks @ currents) / n * (n + m) / m / 2.0
    if min(n, m) < SMALL:
        totals, currents = _coarsen(totals, currents)
        ranks = _mid_ranks(totals)
    sums, mean, second = _score_moments(ranks, totals, currents)
    whitening, location = _null(mean, second, n, n + m)
    degrees = whitening.shape[1]
    if not degrees:
        return RankTest(1.0, above=above, moved=moved)

    def smaller(sums: np.ndarray) -> np.ndarray:
        apart = sums - n * mean
        whole = chi2.logsf(((apart @ whitening) ** 2).sum(axis=-1), degrees)
        return np.minimum(whole, chi2.logsf(apart[..., 0] ** 2 / location, 1) - np.log(LOCATION))

    p_value = _of_smaller(float(smaller(sums)), degrees)
    if min(n, m) < SMALL and p_value < _DOUBT:
        scores = _legendre(ranks)
        p_value = permutation_p(totals, currents, lambda draws: -smaller(draws @ scores.T), level=level, seed=seed)
    return RankTest(p_value, above=above, moved=moved)


def _distance(totals: np.ndarray, currents: np.ndarray, n: int, m: int) -> float:
    """Kolmogorov's distance of the two samples (in place: of a million values each step is 16 MB)."""
    apart, whole = np.cumsum(currents), np.cumsum(totals)
    apart *= 1 / n + 1 / m
    whole /= m
    apart -= whole
    return float(np.abs(apart, out=apart).max())


def _of_smaller(logarithm: float, degrees: int) -> float:
    """P(the smaller p-value of location and of the whole is as small), by integration over location."""
    least = float(np.exp(logarithm))
    if least >= 1.0 or degrees == 1:
        return min(1.0, least)
    if least < _TINY:
        return least
    reach = float(np.sqrt(chi2.isf(LOCATION * least, 1)))
    nodes, weights = np.polynomial.legendre.leggauss(64)
    z = (nodes + 1.0) * reach / 2.0
    rest = chi2.sf(chi2.isf(least, degrees) - z * z, degrees - 1)
    return min(1.0, LOCATION * least + reach * float(weights @ (norm.pdf(z) * rest)))


def tie_counts(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every distinct value, ascending: how often it stands in both samples, and in the current one (floats).

    Quick where both are ascending: ordering them is then a merge.
    """
    pooled = np.concatenate([reference, current])
    order = np.argsort(pooled, kind="stable")
    pooled, is_current = pooled[order], order >= len(reference)
    last = np.flatnonzero(np.append(pooled[1:] != pooled[:-1], True))
    if len(last) == len(pooled):
        return np.broadcast_to(1.0, len(pooled)), is_current.astype(float)  # ones that take no memory
    return np.diff(last, prepend=-1).astype(float), np.diff(np.cumsum(is_current)[last], prepend=0).astype(float)


def _mid_ranks(totals: np.ndarray) -> np.ndarray:
    """Of each distinct value among all values, on [-1, 1]."""
    ranks = np.cumsum(totals)
    ranks *= 2.0
    ranks -= totals
    ranks /= totals.sum()
    ranks -= 1.0
    return np.asarray(ranks)


def _score_moments(
    ranks: np.ndarray, totals: np.ndarray, currents: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The sums of the scores (DEGREE,) over the current records; mean and second moments of those of all records."""
    size = totals.sum()
    sums, mean, second = np.zeros(DEGREE), np.zeros(DEGREE), np.zeros((DEGREE, DEGREE))
    for start in range(0, len(ranks), _BLOCK):
        block = slice(start, start + _BLOCK)
        scores = _legendre(ranks[block])
        weighted = scores * (totals[block] / size)
        sums += scores @ currents[block]
        mean += weighted.sum(axis=1)
        second += weighted @ scores.T
    return sums, mean, second


def _null(mean: np.ndarray, second: np.ndarray, n: int, size: int) -> tuple[np.ndarray, float]:
    """A matrix W (DEGREE × at most DEGREE) that makes the sums of the scores independent, and the variance of the
    first sum.

    sum(((sums - n * mean) @ W)**2) is chi-square for the sums of the scores of n records drawn from all `size`.
    """
    covariance = (second - np.outer(mean, mean)) * (n * (size - n) / (size - 1.0))
    # tied values leave fewer directions than polynomials: those that do not vary are dropped
    variances, directions = np.linalg.eigh(covariance)
    kept = variances > max(1e-9 * float(variances[-1]), 1e-12)
    return directions[:, kept] / np.sqrt(variances[kept]), float(covariance[0, 0])


def _coarsen(totals: np.ndarray, currents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same counts in at most CELLS neighbouring groups of about the same size."""
    if len(totals) <= _CELLS:
        return totals, currents
    group = ((np.cumsum(totals) - totals / 2) * _CELLS / totals.sum()).astype(int)
    return np.bincount(group, totals, _CELLS), np.bincount(group, currents, _CELLS)


def _legendre(x: np.ndarray) -> np.ndarray:
    """The Legendre polynomials P1..P4 on [-1, 1], scaled to unit variance over it (DEGREE × len(x))."""
    square = x * x
    return np.stack(
        [
            np.sqrt(3.0) * x,
            np.sqrt(5.0) * (1.5 * square - 0.5),
            np.sqrt(7.0) * (2.5 * square - 1.5) * x,
            3.0 * ((4.375 * square - 3.75) * square + 0.375),
        ]
    )
