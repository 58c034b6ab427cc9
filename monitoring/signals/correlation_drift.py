"""DRF-MULTI: whether the columns still go together as they did, which no column shows by itself.

Each number becomes its normal score among all records, each common level an indicator; what is compared is the mean
product of every pair from different columns, which are the correlations of both sides on one scale. The sum of the
squared standardised differences is compared with random exchanges of the records between the sides, so that its level
rests on no law of the data (a permutation test of the kind of Anderson 2006, Biometrics 62).
A column that moves alone shows here too, more weakly than by its own code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import norm, pearson3, rankdata

from trueup.monitoring.check import Contributor, Signal, Verdict
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals.drift import as_before
from trueup.monitoring.signals.pending import PendingTest, far_beyond_chance, insufficient, too_few_records, verdict_of
from trueup.monitoring.signals.sides import before, sides_of, with_reference
from trueup.monitoring.stats.columns import levels, numbers
from trueup.monitoring.stats.counts import fitted_tail
from trueup.storage.formatting import significance
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

_CODE, _NAME = "DRF-MULTI", "how the columns go together"
_FLOOR = 0.1  # change of the strongest correlation under which it is immaterial
_MOST_ROWS = 20_000  # of a hand; drawn at random where there are more
COMMON = 0.02  # share of the records from which on a level is looked at
NAMED_LEVELS = 4  # levels of a column that are looked at, the commonest
_DRAWS = 1_000
_DOUBT = 0.02  # a p-value above it needs no second look
_LARGE = 2_000  # records on each side from which on sums are normal enough
_NAMED = 3


def correlation_drift(stream: StreamSettings, comparison: Comparison) -> Iterator[PendingTest | Signal]:
    """Tests it where there are two columns at least and the records do not depend on their neighbours."""
    columns = (*stream.numeric, *stream.categorical)
    if stream.series or len(columns) < 2:
        return
    sides, change = sides_of(stream, comparison), comparison.answered.get(_CODE)
    rows = change.rows if change else comparison.accepted.get(_CODE)
    held = sides.inputs if rows is None else with_reference(sides, stream, rows, comparison).inputs
    if change and change.waits:
        yield insufficient(_CODE, _NAME, change.waits, *map(len, held))
        return
    too_few = too_few_records(_CODE, _NAME, *map(len, held))
    if too_few is not None:
        yield too_few
        return
    values, owners = _values(stream, *_thin(held, comparison.seed))
    test = partial(_judge, values, owners, min(len(held[0]), _MOST_ROWS), comparison.seed)
    former = before(sides, change.since).inputs if change else None
    run = test if former is None else partial(_or_as_before, stream, former, comparison.seed, test)
    yield PendingTest(_CODE, run, costs_nothing=len(set(owners)) < 2)


def _thin(pair: tuple[Rows, Rows], seed: int) -> tuple[Rows, Rows]:
    return _sampled(pair[0], seed), _sampled(pair[1], seed)


def _or_as_before(
    stream: StreamSettings, former: tuple[Rows, Rows], seed: int, test: Callable[[float], Signal], level: float
) -> Signal:
    """The test against the rows since a change; where it breached, whether all is as before that change."""
    found = test(level)
    if found.verdict is not Verdict.BREACHED or too_few_records(_CODE, _NAME, *map(len, former)):
        return found
    reference, current = _thin(former, seed)
    values, owners = _values(stream, reference, current)
    again = _judge(values, owners, len(reference), seed, level)
    return as_before(found) if again.verdict is Verdict.OK else found


def _judge(values: np.ndarray, owners: list[str], n_reference: int, seed: int, level: float) -> Signal:
    n_current = len(values) - n_reference
    pairs = [(i, j) for i in range(len(owners)) for j in range(i) if owners[i] != owners[j]]
    if not pairs:
        said = "Fewer than two columns vary, so there is no correlation to compare."
        return insufficient(_CODE, _NAME, said, n_reference, n_current)
    products, spread = _products(values, pairs)
    shift = products[:, n_reference:].mean(axis=1) - products[:, :n_reference].mean(axis=1)
    p_value = _permutation_p(products, n_current, seed)
    effects = shift * spread
    most = np.argsort(-np.abs(shift), kind="stable")[:_NAMED]
    moved = tuple(
        Contributor(
            f"{owners[i]} with {owners[j]}",
            before=float((values[:n_reference, i] * values[:n_reference, j]).mean()),
            now=float((values[n_reference:, i] * values[n_reference:, j]).mean()),
        )
        for i, j in (pairs[k] for k in most)
    )
    strongest = float(np.abs(effects).max())
    outcome = verdict_of(p_value, level, strongest >= _FLOOR)
    told = ", ".join(f"{part.what} {part.before:+.2f} → {part.now:+.2f}" for part in moved)
    return Signal(
        code=_CODE,
        name=_NAME,
        verdict=outcome,
        overwhelming=far_beyond_chance(outcome, p_value, level),
        said=f"How the columns go together, most changed of {len(pairs)} pairs (correlation, 1: they rise together, 0: "
        f"unrelated, -1: opposite): {told}. "
        f"{significance(p_value, level, material=strongest >= _FLOOR)}",
        value=strongest,
        threshold=level,
        p_value=p_value,
        effect=strongest,
        contributors=moved,
        n_reference=n_reference,
        n_current=n_current,
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


def _permutation_p(products: np.ndarray, n_current: int, seed: int) -> float:
    """P(a sum of squared differences as large) when `n_now` of the records are drawn at random as the current ones.

    The sum is one of weighted chi-squares, whose law is matched by its first three cumulants (Pearson's type III);
    where that is small and the sides are too, the cumulants are those of random draws, and the larger p-value counts.
    """
    size = products.shape[1]
    pair = float((products[:, size - n_current :].sum(axis=1) ** 2).sum())
    weights = np.linalg.eigvalsh(products @ products.T / size) * (n_current * (size - n_current) / (size - 1))
    weights = weights[weights > 1e-9 * weights[-1]]
    spread = float(np.sqrt(2 * (weights**2).sum()))
    skewness = 8 * float((weights**3).sum()) / spread**3
    p_value = float(pearson3.sf((pair - float(weights.sum())) / spread, skewness))
    if p_value > _DOUBT or min(n_current, size - n_current) >= _LARGE:
        return p_value
    rng = np.random.default_rng(seed)
    smaller = min(n_current, size - n_current)  # the sums of both sides cancel: the smaller one is drawn
    rows = np.ascontiguousarray(products.T)
    drawn = [rows[rng.choice(size, smaller, replace=False)].sum(axis=0) for _ in range(_DRAWS)]
    return max(p_value, fitted_tail(pair, (np.array(drawn) ** 2).sum(axis=1)))


def _values(stream: StreamSettings, reference: Rows, current: Rows) -> tuple[np.ndarray, list[str]]:
    """Standardised columns (n, k), and the column of the stream behind each; constant ones left out."""
    parts, owners = [], []
    for column in stream.numeric:
        pooled = np.concatenate([numbers(rows, column) for rows in (reference, current)])
        there = ~np.isnan(pooled)
        scores = np.zeros(len(pooled))
        scores[there] = norm.ppf((rankdata(pooled[there]) - 0.5) / max(1, there.sum()))
        parts.append(scores)
        owners.append(column)
    for column in stream.categorical:
        held = np.concatenate([levels(rows, column) for rows in (reference, current)])
        codes, names = pd.factorize(held, sort=True)
        counts = np.bincount(codes[codes >= 0], minlength=len(names))
        common = np.argsort(-counts, kind="stable")[: int((counts >= COMMON * len(held)).sum())]
        for code in common[:NAMED_LEVELS]:
            parts.append((codes == code).astype(float))
            owners.append(column)
    table = np.stack(parts, axis=1) if parts else np.zeros((len(reference) + len(current), 0))
    spread = table.std(axis=0)
    kept = spread > 0
    table = (table[:, kept] - table[:, kept].mean(axis=0)) / spread[kept]
    return table, [owner for owner, keep in zip(owners, kept, strict=True) if keep]


def _sampled(rows: Rows, seed: int) -> Rows:
    if len(rows) <= _MOST_ROWS:
        return rows
    return rows.take(np.sort(np.random.default_rng(seed).choice(len(rows), _MOST_ROWS, replace=False)))
