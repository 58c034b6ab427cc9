"""How much a metric fell between two sets of answered rows, and how sure that is.

Class metrics are judged twice. As they are; and with the classes mixed as they were before, so that more records of a
class that the model never answered well are no drop: a change of the concept shows in the answers to each true class,
a change of the mix does not (direct standardisation; the stratification by observed label of Mantel & Haenszel 1959).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from trueup.monitoring.stats.columns import as_levels, as_numbers
from trueup.monitoring.stats.metrics import CLASS_METRICS, cells, of_cells, of_rows
from trueup.storage.policy import ERROR_METRICS
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

_DRAWS = 4_000
_MOST_DRAWS = 40_000
_FEWEST_BEYOND = 10  # draws beyond zero under which the normal tail says more than their count
_BATCH_CELLS = 2_000_000


@dataclass(frozen=True)
class Answered:
    """Labelled and answered rows as arrays: truth and predicted (class names or numbers), score (NaN: none)."""

    truth: np.ndarray
    predicted: np.ndarray
    score: np.ndarray

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, which: np.ndarray) -> Answered:
        """The rows that a mask names."""
        return Answered(self.truth[which], self.predicted[which], self.score[which])


@dataclass(frozen=True)
class Drop:
    """How much worse `now` is than `before`: positive is worse, relative to `before` for error metrics.

    p_value: one-sided, of no drop; the larger one of the metric as it is and with the classes mixed as before.
    mix: the part of the drop that the changed mix of classes explains; 0 where the metric knows none.
    """

    reference: float
    current: float
    drop: float
    interval: tuple[float, float]
    error: float  # standard error of the drop
    p_value: float
    mix: float = 0.0

    def is_breach(self, stream: StreamSettings, level: float) -> bool:
        """Whether it exceeds `max_drop`, and both its interval and its p-value exclude no drop at the level."""
        return self.drop > stream.policy.max_drop and self.interval[0] > 0 and self.p_value <= level

    def bound(self, stream: StreamSettings) -> float:
        """The metric at which `max_drop` is used up."""
        if stream.lower_is_better:
            return self.reference * (1 + stream.policy.max_drop)
        return self.reference - stream.policy.max_drop


def usable(stream: StreamSettings, rows: Rows) -> np.ndarray:
    """bool (n,): the rows that have both a label and an answer (and a score, where the metric reads it)."""
    both = np.asarray(rows.meta["label"].notna() & rows.meta["predicted"].notna())
    return both & np.isfinite(as_numbers(rows.meta["score"])) if stream.metric == "roc_auc" else both


def answered(stream: StreamSettings, rows: Rows) -> Answered:
    """The usable rows as arrays."""
    read = as_numbers if stream.is_regression else as_levels
    rows = rows.take(usable(stream, rows))
    return Answered(read(rows.meta["label"]), read(rows.meta["predicted"]), as_numbers(rows.meta["score"]))


def classes_in(stream: StreamSettings, *parts: Answered) -> tuple[str, ...]:
    """The class names, declared ones last and in their order, others before them, sorted. Empty for regression."""
    if stream.is_regression:
        return ()
    declared = tuple(stream.label.classes)
    seen = {str(value) for part in parts for side in (part.truth, part.predicted) for value in pd.unique(side)}
    return (*sorted(seen - set(declared)), *declared)


def drop_of(stream: StreamSettings, reference: Answered, current: Answered, *, level: float, seed: int) -> Drop | None:
    """How much the metric fell, with an interval that holds it with probability 1 - 2 * level; None where undefined.

    Accuracy and F1: draws of the shares of (truth, answer) given their counts, with Jeffreys' prior, whose intervals
    keep their level for shares near 0 and 1 (Brown, Cai & DasGupta 2001, Stat. Sci. 16). The others: the influence of
    each row, with Welch's t; error metrics on a log scale. The area under the curve knows no mix.
    """
    name, classes = stream.metric, classes_in(stream, reference, current)
    if name in CLASS_METRICS:
        old, new = (cells(part.truth, part.predicted, classes) for part in (reference, current))
        return _by_draws(name, old, new, level, seed)
    found = [of_rows(name, part.truth, part.predicted, part.score, classes) for part in (reference, current)]
    return None if found[0] is None or found[1] is None else _by_influence(name, found[0], found[1], level)


def _by_draws(name: str, reference: np.ndarray, current: np.ndarray, level: float, seed: int) -> Drop:
    rng = np.random.default_rng(seed)
    count = int(min(_MOST_DRAWS, max(_DRAWS, 20 / level)))
    whole = _drawn(name, reference, count, rng) - _drawn(name, current, count, rng)
    mix = reference.sum(axis=1)
    alike = _drawn(name, reference, count, rng, mix=mix) - _drawn(name, current, count, rng, mix=mix)
    p, q = float(of_cells(name, reference)), float(of_cells(name, current))
    p_value = max(_no_drop(whole), _no_drop(alike))
    error = float(whole.std())
    return Drop(p, q, p - q, _middle(whole, level), error, p_value, mix=p - q - float(alike.mean()))


def _drawn(
    name: str, counts: np.ndarray, draws: int, rng: np.random.Generator, mix: np.ndarray | None = None
) -> np.ndarray:
    """The metric of `draws` tables of shares; with `mix`, rows scaled to these counts (k,) of true classes."""
    width = counts.shape[0]
    batch = max(1, _BATCH_CELLS // width**2)
    there = (counts.sum(axis=1) if mix is None else mix) + counts.sum(axis=0) > 0
    shape = (counts + (1 / width**2 if mix is None else 1 / width)) * np.outer(there, there)
    found = []
    for first in range(0, draws, batch):
        table = rng.standard_gamma(shape, size=(min(batch, draws - first), width, width))
        if mix is None:
            table *= counts.sum() / table.sum(axis=(-2, -1), keepdims=True)
        else:
            table *= mix[:, None] / np.maximum(table.sum(axis=-1, keepdims=True), 1e-300)
        found.append(of_cells(name, table))
    return np.concatenate(found)


def _no_drop(draws: np.ndarray) -> float:
    """P(no drop), by count, and by the normal tail where the count is too small to say."""
    beyond = int((draws <= 0).sum())
    if beyond >= _FEWEST_BEYOND:
        return beyond / len(draws)
    return float(min(_FEWEST_BEYOND / len(draws), norm.sf(draws.mean() / max(draws.std(), 1e-12))))


def _middle(draws: np.ndarray, level: float) -> tuple[float, float]:
    if level * len(draws) >= _FEWEST_BEYOND:
        low, high = np.quantile(draws, [level, 1 - level])
    else:
        reach = norm.isf(level) * draws.std()
        low, high = draws.mean() - reach, draws.mean() + reach
    return float(low), float(high)


def _by_influence(
    name: str, reference: tuple[float, np.ndarray], current: tuple[float, np.ndarray], level: float
) -> Drop | None:
    (p, old), (q, new) = reference, current
    relative = name in ERROR_METRICS and p > 0 and q > 0
    variances = [float((part**2).sum()) / max(1, len(part) - 1) / len(part) for part in (old, new)]
    if relative:
        variances = [variances[0] / p**2, variances[1] / q**2]
    error = float(np.sqrt(sum(variances)))
    if not np.isfinite([p, q, error]).all():
        return None
    degrees = max(1.0, sum(variances) ** 2 / max(
        1e-300, variances[0] ** 2 / max(1, len(old) - 1) + variances[1] ** 2 / max(1, len(new) - 1)
    ))
    reach = float(t.isf(level, degrees)) * error
    if relative:
        centre = float(np.log(q / p))
        interval = float(np.expm1(centre - reach)), float(np.expm1(centre + reach))
        return Drop(p, q, q / p - 1, interval, error * q / p, float(t.sf(centre / max(error, 1e-300), degrees)))
    drop = q - p if name in ERROR_METRICS else p - q
    return Drop(p, q, drop, (drop - reach, drop + reach), error, float(t.sf(drop / max(error, 1e-300), degrees)))
