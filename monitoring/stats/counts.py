"""Tests on counts: categories, lumpy numbers, classes, and anything else that falls into cells.

The null distribution is drawn, not approximated: with many rare levels the chi-square tail is wrong by a factor of
fifty. A permutation of the pooled records moves counts as a multivariate hypergeometric draw, so its cost depends on
the cells and not on the records; and it stops as soon as the answer is plain (Besag & Clifford 1991, Biometrika 78).
What lies beyond all draws is read off a gamma law (Pearson's type III) fitted to them, so that overwhelming evidence
can be told from plain evidence (in the manner of Knijnenburg et al. 2009, Bioinformatics 25); no verdict at the asked
level rests on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import pearson3

EXCEEDANCES = 10  # draws at least as extreme after which more would not change the answer
FEWEST_DRAWS = 1_999
MOST_LEVELS = 500  # rarer ones are pooled, by their pooled counts alone, which keeps the test exact
_FIRST_BATCH = 64
_BATCH_CELLS = 2_000_000


@dataclass(frozen=True)
class CountTest:
    """p_value; `moved`: half the sum of the absolute differences of shares, the share of records that moved."""

    p_value: float
    moved: float


def count_test(reference: np.ndarray, current: np.ndarray, *, level: float, seed: int) -> CountTest:
    """Tests whether two rows of counts (one per level, aligned) come from one distribution, by the G statistic."""
    moved = 0.5 * float(np.abs(current / current.sum() - reference / reference.sum()).sum())
    reference, current = _pool_rare(reference, current)
    pooled = reference + current
    return CountTest(permutation_p(pooled, current, g_statistic(pooled), level=level, seed=seed), moved)


def g_statistic(pooled: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Half the G statistic of draws × levels against what is left of the pooled counts, up to a constant."""

    def statistic(draws: np.ndarray) -> np.ndarray:
        return (_x_log_x(draws) + _x_log_x(pooled - draws)).sum(axis=-1)

    return statistic


def permutation_p(
    pooled: np.ndarray,
    current: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    *,
    level: float,
    seed: int,
) -> float:
    """P(statistic as large as that of `current`) when its records are drawn from the pooled ones without return.

    Args:
        pooled, current: counts per cell (k,), aligned.
        statistic: of draws × k counts, one value for each draw; larger is stronger evidence. Best a sum of squares.
        level: at which the p-value will be held; enough draws are made to fall clearly below it.
    """
    cells = np.flatnonzero(pooled)
    if len(cells) < 2:
        return 1.0
    rng = np.random.default_rng(seed)
    whole = np.asarray(pooled, dtype=np.int64)
    size = int(current.sum())
    observed = float(statistic(np.asarray(current, dtype=float)[None, :])[0])
    bound = observed - 1e-9 * max(1.0, abs(observed))  # equal tables may differ in the last digits
    most = max(FEWEST_DRAWS, math.ceil(4 / level))
    done, reached, batch = 0, 0, _FIRST_BATCH
    seen: list[np.ndarray] = []
    while done < most:
        batch = min(batch, most - done, max(1, _BATCH_CELLS // len(cells)))
        draws = np.zeros((batch, len(whole)))
        draws[:, cells] = rng.multivariate_hypergeometric(whole[cells], size, size=batch, method="marginals")
        seen.append(statistic(draws))
        as_extreme = np.flatnonzero(seen[-1] >= bound)
        if reached + len(as_extreme) >= EXCEEDANCES:
            stopped = done + int(as_extreme[EXCEEDANCES - reached - 1]) + 1
            return EXCEEDANCES / stopped
        reached += len(as_extreme)
        done += batch
        batch *= 4
    counted = (reached + 1) / (done + 1)
    return min(counted, fitted_tail(observed, np.concatenate(seen))) if counted <= level else counted


def fitted_tail(observed: float, draws: np.ndarray) -> float:
    """P(a value as large as `observed`) under Pearson's type III law with the draws' mean, variance and skewness."""
    mean, spread = float(draws.mean()), float(draws.std())
    if not spread > 0:
        return 1.0
    skewness = float((((draws - mean) / spread) ** 3).mean())
    return float(pearson3.sf((observed - mean) / spread, max(skewness, 0.0)))


def _pool_rare(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(reference) <= MOST_LEVELS:
        return reference, current
    order = np.argsort(-(reference + current), kind="stable")
    kept, rest = order[: MOST_LEVELS - 1], order[MOST_LEVELS - 1 :]
    return (
        np.append(reference[kept], reference[rest].sum()),
        np.append(current[kept], current[rest].sum()),
    )


def _x_log_x(counts: np.ndarray) -> np.ndarray:
    return counts * np.log(np.maximum(counts, 1.0))
