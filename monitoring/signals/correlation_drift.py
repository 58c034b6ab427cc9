"""DRF-MULTI: whether the columns still go together as they did, which no column shows by itself.

Each number becomes its normal score among all records, each common level an indicator; what is compared is the mean
product of every pair from different columns, which are the correlations of both hands on one scale. The sum of the
squared standardised differences is held against random exchanges of the records between the hands, so that its level
rests on no law of the data (a permutation test of the kind of Anderson 2006, Biometrics 62).
A column that moves alone shows here too, more weakly than by its own code.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy.stats import norm, pearson3, rankdata

from trueup.monitoring.check import Contributor, Signal
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals.pending import FEWEST, Question, chance, insufficient, overwhelming, verdict
from trueup.monitoring.signals.samples import hands_of
from trueup.monitoring.stats.columns import levels, numbers
from trueup.monitoring.stats.counts import fitted_tail
from trueup.storage.rows import Rows
from trueup.storage.stream import Stream

CODE, NAME = "DRF-MULTI", "how the columns go together"
FLOOR = 0.1  # change of the strongest correlation under which it is immaterial
MOST_ROWS = 20_000  # of a hand; drawn at random where there are more
COMMON = 0.02  # share of the records from which on a level is looked at
NAMED_LEVELS = 4  # levels of a column that are looked at, the commonest
_DRAWS = 1_000
_DOUBT = 0.02  # a p-value above it needs no second look
_LARGE = 2_000  # records on either hand from which on sums are normal enough
_NAMED = 3


def together(stream: Stream, comparison: Comparison) -> Iterator[Question | Signal]:
    """Asks for it where there are two columns at least and the records do not depend on their neighbours."""
    columns = (*stream.numeric, *stream.categorical)
    if stream.series or len(columns) < 2:
        return
    before, now = (_some(rows, comparison.seed) for rows in hands_of(stream, comparison).inputs)
    if min(len(before), len(now)) < FEWEST:
        said = f"{len(before)} reference and {len(now)} current records; {FEWEST} on either hand are needed to compare."
        yield insufficient(CODE, NAME, said, len(before), len(now))
        return
    values, owners = _values(stream, before, now)
    free = len(set(owners)) < 2
    yield Question(CODE, partial(_judge, values, owners, len(before), comparison.seed), free=free)


def _judge(values: np.ndarray, owners: list[str], n_before: int, seed: int, level: float) -> Signal:
    n_now = len(values) - n_before
    pairs = [(i, j) for i in range(len(owners)) for j in range(i) if owners[i] != owners[j]]
    if not pairs:
        said = "Fewer than two columns vary, so none can go together with another."
        return insufficient(CODE, NAME, said, n_before, n_now)
    products, spread = _products(values, pairs)
    shift = products[:, n_before:].mean(axis=1) - products[:, :n_before].mean(axis=1)
    p_value = _chance(products, n_now, seed)
    effects = shift * spread
    most = np.argsort(-np.abs(shift), kind="stable")[:_NAMED]
    moved = tuple(
        Contributor(
            f"{owners[i]} with {owners[j]}",
            before=float((values[:n_before, i] * values[:n_before, j]).mean()),
            now=float((values[n_before:, i] * values[n_before:, j]).mean()),
        )
        for i, j in (pairs[k] for k in most)
    )
    strongest = float(np.abs(effects).max())
    outcome = verdict(p_value, level, strongest >= FLOOR)
    told = ", ".join(f"{part.what} {part.before:+.2f} → {part.now:+.2f}" for part in moved)
    return Signal(
        code=CODE,
        name=NAME,
        verdict=outcome,
        overwhelming=overwhelming(outcome, p_value, level),
        said=f"Of {len(pairs)} pairs the correlations that changed most: {told} ({chance(p_value, level)}).",
        value=strongest,
        threshold=level,
        p_value=p_value,
        effect=strongest,
        contributors=moved,
        n_reference=n_before,
        n_current=n_now,
    )


def _products(values: np.ndarray, pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """The standardised products (pairs, n) of pairs of columns, and the spread of each before.

    Pair by pair, which the processor's cache can hold.
    """
    columns = np.ascontiguousarray(values.T)
    products, spread = np.empty((len(pairs), len(values))), np.empty(len(pairs))
    for k, (i, j) in enumerate(pairs):
        np.multiply(columns[i], columns[j], out=products[k])
        products[k] -= products[k].mean()
        spread[k] = np.sqrt(products[k] @ products[k] / len(values))
        products[k] /= spread[k] if spread[k] > 0 else 1.0
    return products, spread


def _chance(products: np.ndarray, n_now: int, seed: int) -> float:
    """P(a sum of squared differences as large) when `n_now` of the records are drawn at random as the current ones.

    The sum is one of weighted chi-squares, whose law is matched by its first three cumulants (Pearson's type III);
    where that is small and the hands are too, the cumulants are those of random draws, and the larger p-value counts.
    """
    size = products.shape[1]
    observed = float((products[:, size - n_now :].sum(axis=1) ** 2).sum())
    weights = np.linalg.eigvalsh(products @ products.T / size) * (n_now * (size - n_now) / (size - 1))
    weights = weights[weights > 1e-9 * weights[-1]]
    spread = float(np.sqrt(2 * (weights**2).sum()))
    skewness = 8 * float((weights**3).sum()) / spread**3
    p_value = float(pearson3.sf((observed - float(weights.sum())) / spread, skewness))
    if p_value > _DOUBT or min(n_now, size - n_now) >= _LARGE:
        return p_value
    rng = np.random.default_rng(seed)
    smaller = min(n_now, size - n_now)  # the sums of both hands cancel: the smaller one is drawn
    rows = np.ascontiguousarray(products.T)
    drawn = [rows[rng.choice(size, smaller, replace=False)].sum(axis=0) for _ in range(_DRAWS)]
    return max(p_value, fitted_tail(observed, (np.array(drawn) ** 2).sum(axis=1)))


def _values(stream: Stream, before: Rows, now: Rows) -> tuple[np.ndarray, list[str]]:
    """Standardised columns (n, k), and the column of the stream behind each; constant ones left out."""
    parts, owners = [], []
    for column in stream.numeric:
        pooled = np.concatenate([numbers(rows, column) for rows in (before, now)])
        there = ~np.isnan(pooled)
        scores = np.zeros(len(pooled))
        scores[there] = norm.ppf((rankdata(pooled[there]) - 0.5) / max(1, there.sum()))
        parts.append(scores)
        owners.append(column)
    for column in stream.categorical:
        held = np.concatenate([levels(rows, column) for rows in (before, now)])
        there = held[held != np.array(None)].astype(str)
        names, counts = np.unique(there, return_counts=True)
        common = np.argsort(-counts, kind="stable")[: int((counts >= COMMON * len(held)).sum())]
        for name in names[common][:NAMED_LEVELS]:
            parts.append((held == name).astype(float))
            owners.append(column)
    table = np.stack(parts, axis=1) if parts else np.zeros((len(before) + len(now), 0))
    spread = table.std(axis=0)
    kept = spread > 0
    table = (table[:, kept] - table[:, kept].mean(axis=0)) / spread[kept]
    return table, [owner for owner, keep in zip(owners, kept, strict=True) if keep]


def _some(rows: Rows, seed: int) -> Rows:
    if len(rows) <= MOST_ROWS:
        return rows
    return rows.take(np.sort(np.random.default_rng(seed).choice(len(rows), MOST_ROWS, replace=False)))
