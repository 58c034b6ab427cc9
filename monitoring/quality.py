"""PRF-METRIC: the champion's metric on mature labels, against what its recipe reached out of time.

A breach needs both: a drop larger than `max_drop`, and an interval that excludes no drop at the signal's level.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from monitoring.columns import as_levels, as_numbers
from monitoring.comparison import Comparison
from monitoring.evidence import Signal, Verdict, Worse
from monitoring.quality_metrics import CLASS_METRICS, cells, metric, of_cells, of_rows
from monitoring.questions import FEWEST, Question, insufficient
from storage.rows import Rows
from storage.stream import ERROR_METRICS, Stream

CODE = "PRF-METRIC"
POWER = 0.8  # with which the smallest visible drop would be seen
FEWEST_BLOCKS = 5  # past blocks under which a series stream's metric has no usual range
_RESAMPLES = 4_000
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
    """How much worse `now` is than `before`: positive is worse, relative to `before` for error metrics."""

    before: float
    now: float
    drop: float
    interval: tuple[float, float]
    error: float  # standard error of the drop


def usable(stream: Stream, rows: Rows) -> np.ndarray:
    """bool (n,): the rows that have both a label and an answer (and a score, where the metric reads it)."""
    both = np.asarray(rows.meta["label"].notna() & rows.meta["predicted"].notna())
    return both & np.asarray(rows.meta["score"].notna()) if stream.metric == "roc_auc" else both


def answered(stream: Stream, rows: Rows) -> Answered:
    """The usable rows as arrays."""
    read = as_numbers if stream.task == "regression" else as_levels
    rows = rows.take(usable(stream, rows))
    return Answered(read(rows.meta["label"]), read(rows.meta["predicted"]), as_numbers(rows.meta["score"]))


def classes_of(stream: Stream, *parts: Answered) -> tuple[str, ...]:
    """The class names, declared ones last and in their order, others before them, sorted. Empty for regression."""
    if stream.task == "regression":
        return ()
    declared = tuple(stream.label.classes)
    seen = {str(value) for part in parts for side in (part.truth, part.predicted) for value in pd.unique(side)}
    return (*sorted(seen - set(declared)), *declared)


def quality(stream: Stream, comparison: Comparison) -> Iterator[Question | Signal]:
    """Asks for the metric, or says how many labels it lacks."""
    before, now = answered(stream, comparison.quality_reference), answered(stream, comparison.quality_current)
    blocks = comparison.quality_blocks[usable(stream, comparison.quality_reference)]
    lacking = _lacking(stream, before, now, blocks)
    if lacking is not None:
        yield lacking
    elif stream.series:
        yield Question(CODE, lambda level: _against_blocks(stream, before, blocks, now, level))
    else:
        yield Question(CODE, lambda level: _against_pool(stream, before, now, level, comparison.seed))


def drop_of(stream: Stream, before: Answered, now: Answered, *, level: float, seed: int) -> Drop | None:
    """How much the metric fell, with an interval that holds it with probability 1 - 2 * level; None where undefined.

    Accuracy: Newcombe's hybrid score interval (1998, Stat. Med. 17, method 10). F1: percentile bootstrap of the
    counts of both sides. The others: the influence of each row, with Welch's t; error metrics on a log scale.
    """
    name, classes = stream.metric, classes_of(stream, before, now)
    if name in CLASS_METRICS:
        old, new = (cells(part.truth, part.predicted, classes) for part in (before, now))
        return _newcombe(old, new, level) if name == "accuracy" else _bootstrap(name, old, new, level, seed)
    found = [of_rows(name, part.truth, part.predicted, part.score, classes) for part in (before, now)]
    return None if found[0] is None or found[1] is None else _by_influence(name, found[0], found[1], level)


def _newcombe(before: np.ndarray, now: np.ndarray, level: float) -> Drop:
    z = norm.isf(level)
    (p, low_p, high_p), (q, low_q, high_q) = (_wilson(float(np.trace(c)), float(c.sum()), z) for c in (before, now))
    interval = p - q - np.hypot(p - low_p, high_q - q), p - q + np.hypot(high_p - p, q - low_q)
    error = np.sqrt(p * (1 - p) / before.sum() + q * (1 - q) / now.sum())
    return Drop(p, q, p - q, (float(interval[0]), float(interval[1])), float(error))


def _wilson(hits: float, n: float, z: float) -> tuple[float, float, float]:
    """A share and Wilson's interval around it (1927, JASA 22)."""
    share = hits / n
    centre, half = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return share, (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)


def _bootstrap(name: str, before: np.ndarray, now: np.ndarray, level: float, seed: int) -> Drop:
    rng = np.random.default_rng(seed)
    draws = max(_RESAMPLES, int(20 / level))
    old, new = (_resampled(name, counts, draws, rng) for counts in (before, now))
    low, high = np.quantile(old - new, [level, 1 - level])
    p, q = float(of_cells(name, before)), float(of_cells(name, now))
    return Drop(p, q, p - q, (float(low), float(high)), float((old - new).std()))


def _resampled(name: str, counts: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    n, width = int(counts.sum()), counts.shape[0]
    batch = max(1, _BATCH_CELLS // width**2)
    found = []
    while draws > 0:
        drawn = rng.multinomial(n, counts.ravel() / n, size=min(batch, draws))
        found.append(of_cells(name, drawn.reshape(-1, width, width)))
        draws -= batch
    return np.concatenate(found)


def _by_influence(
    name: str, before: tuple[float, np.ndarray], now: tuple[float, np.ndarray], level: float
) -> Drop:
    (p, old), (q, new) = before, now
    relative = name in ERROR_METRICS and p > 0 and q > 0
    variances = [float((part**2).sum()) / max(1, len(part) - 1) / len(part) for part in (old, new)]
    if relative:
        variances = [variances[0] / p**2, variances[1] / q**2]
    error = float(np.sqrt(sum(variances)))
    degrees = sum(variances) ** 2 / max(
        1e-300, variances[0] ** 2 / max(1, len(old) - 1) + variances[1] ** 2 / max(1, len(new) - 1)
    )
    reach = float(t.isf(level, max(1.0, degrees))) * error
    if relative:
        centre = float(np.log(q / p))
        return Drop(p, q, q / p - 1, (float(np.expm1(centre - reach)), float(np.expm1(centre + reach))), error * q / p)
    drop = q - p if name in ERROR_METRICS else p - q
    return Drop(p, q, drop, (drop - reach, drop + reach), error)


def _against_pool(stream: Stream, before: Answered, now: Answered, level: float, seed: int) -> Signal:
    found = drop_of(stream, before, now, level=level, seed=seed)
    if found is None:
        return _undefined(stream, before, now)
    visible = (max(stream.policy.max_drop, norm.isf(level) * found.error)) + norm.ppf(POWER) * found.error
    low, high = (_shown(stream, bound) for bound in found.interval)
    said = f"an interval for the drop runs from {low} to {high}"
    said += f"; a drop of {_shown(stream, visible)} would be seen four times in five"
    return _signal(stream, found, said, len(before), len(now))


def _against_blocks(stream: Stream, before: Answered, blocks: np.ndarray, now: Answered, level: float) -> Signal:
    """Neighbouring rows depend on each other, so the spread between past blocks is the yardstick, not that of rows."""
    classes = classes_of(stream, before, now)
    past = [_metric(stream, before.take(blocks == block), classes) for block in np.unique(blocks)]
    known, current = np.array([m for m in past if m is not None]), _metric(stream, now, classes)
    if current is None or len(known) < FEWEST_BLOCKS:
        return _undefined(stream, before, now)
    usual, spread = float(known.mean()), float(known.std(ddof=1)) * float(np.sqrt(1 + 1 / len(known)))
    reach = float(t.isf(level, len(known) - 1)) * spread
    scale = usual if stream.lower_is_better and usual > 0 else 1.0
    drop = ((current - usual) if stream.lower_is_better else (usual - current)) / scale
    found = Drop(usual, current, drop, (drop - reach / scale, drop + reach / scale), spread / scale)
    said = (
        f"in {len(known)} past blocks it ran from {known.min():.3g} to {known.max():.3g}, and a block as usual would "
        f"stay within {_shown(stream, reach / scale)} of their mean"
    )
    return _signal(stream, found, said, len(before), len(now))


def _signal(stream: Stream, found: Drop, said: str, n_before: int, n_now: int) -> Signal:
    breached = found.drop > stream.policy.max_drop and found.interval[0] > 0
    sign = 1 if stream.lower_is_better else -1
    step = stream.policy.max_drop * (found.before if stream.lower_is_better else 1.0)
    direction = "worse" if found.drop > 0 else "better"
    return Signal(
        code=CODE,
        name=stream.metric,
        verdict=Verdict.BREACHED if breached else Verdict.OK,
        said=f"{stream.metric} went from {found.before:.3g} out of time to {found.now:.3g} on {n_now} mature labels, "
        f"{_shown(stream, abs(found.drop))} {direction} "
        f"(a drop of {_shown(stream, stream.policy.max_drop)} is allowed); {said}.",
        value=found.now,
        threshold=found.before + sign * step,
        effect=found.drop,
        interval=found.interval,
        worse=Worse.HIGHER if stream.lower_is_better else Worse.LOWER,
        n_reference=n_before,
        n_current=n_now,
    )


def _metric(stream: Stream, part: Answered, classes: tuple[str, ...]) -> float | None:
    return metric(stream.metric, part.truth, part.predicted, part.score, classes)


def _shown(stream: Stream, drop: float) -> str:
    return f"{100 * drop:.1f} %" if stream.lower_is_better else f"{drop:.3f}"


def _lacking(stream: Stream, before: Answered, now: Answered, blocks: np.ndarray) -> Signal | None:
    wanted = max(FEWEST, stream.policy.min_labels)
    distinct = len(np.unique(blocks))
    if len(now) < wanted:
        said = (
            f"{len(now)} mature labelled records of the window are new to the model; min_labels asks for {wanted}, "
            f"so {wanted - len(now)} more are needed."
        )
    elif len(before) < FEWEST:
        said = f"The reference holds {len(before)} labelled records out of time; a comparison needs {FEWEST}."
    elif stream.series and distinct < FEWEST_BLOCKS:
        said = f"The metric is known on {distinct} past blocks; what is usual needs {FEWEST_BLOCKS}."
    else:
        return None
    return insufficient(CODE, stream.metric, said, len(before), len(now))


def _undefined(stream: Stream, before: Answered, now: Answered) -> Signal:
    classes = classes_of(stream, before, now)
    found = f"the labels and answers hold {', '.join(classes)}" if classes else "the true values do not vary"
    said = f"{stream.metric} is not defined on these records: {found}."
    return insufficient(CODE, stream.metric, said, len(before), len(now))
