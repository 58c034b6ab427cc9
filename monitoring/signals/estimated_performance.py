"""PRF-EST: the champion's metric on the window, estimated before its labels are there.

For two classes from the model's calibrated confidence, for errors from a model of their size. Either sees a change of
the inputs that the champion is less sure of, or errs more on; neither can see that labels changed their meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from trueup.monitoring.check import Signal, Verdict, Worse
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals.confidence_estimate import calibrated, expected, grid, recalibrated, scored
from trueup.monitoring.signals.error_estimate import FOLDS, as_metric, error_increase, predicted_error
from trueup.monitoring.signals.pending import MIN_VALUES, PendingTest, far_beyond_chance, insufficient
from trueup.monitoring.signals.performance import FEWEST_BLOCKS
from trueup.monitoring.stats.columns import as_numbers, one_row_per_group
from trueup.monitoring.stats.metrics import metric
from trueup.monitoring.stats.performance_drop import Drop, answered, classes_in
from trueup.storage.formatting import (
    capitalised,
    change_of_metric,
    drop_figure,
    interval_of_metric,
    metric_name,
    significance,
)
from trueup.storage.rows import Rows, new_content, stack
from trueup.storage.stream import StreamSettings

_CODE = "PRF-EST"
LEAST_LABELS = 100  # known labels under which neither confidence nor errors can be learnt
LEAST_OF_CLASS = 10
_RESAMPLES = 400
_BLIND = {
    "classification": "Estimated from the model's own confidence: it shows inputs that the model is less sure of, not "
    "labels that changed their meaning",
    "regression": "Estimated from the inputs: it shows inputs on which the model used to err more, not values that "
    "changed for the same inputs",
}


@dataclass(frozen=True)
class EstimationData:
    """What is estimated from: labelled rows and their blocks, rows of the reference and of the window, all answered."""

    known: Rows
    blocks: np.ndarray
    reference: Rows
    current: Rows
    classes: tuple[str, ...]


def estimated_performance(stream: StreamSettings, comparison: Comparison) -> Iterator[PendingTest | Signal]:
    """Tests the estimated metric, or says why it cannot be estimated."""
    data = _data_of(stream, comparison)
    lacking = _requirement_missing(stream, data)
    if lacking:
        yield insufficient(_CODE, _name(stream), lacking, len(data.reference), len(data.current))
    else:
        yield PendingTest(_CODE, lambda level: _measured(stream, data, comparison, level))


def estimator(stream: StreamSettings, known: Rows, classes: tuple[str, ...]) -> Callable[[Rows], float]:
    """A function that estimates the stream's metric of answered rows, learnt from `known`, which are labelled as well.

    Args:
        classes: the two class names, of which the score is the probability of the last; not read for regression.
    """
    if stream.is_regression:
        predict = predicted_error(stream, known)
        return lambda rows: as_metric(stream.metric, float(predict(rows).mean()))
    labelled = scored(known, classes[-1]).labelled

    def estimate(rows: Rows) -> float:
        part = scored(rows, classes[-1])
        cells = grid(labelled, part)
        records = cells.counts(labelled).sum(axis=1)
        probabilities = calibrated(cells.columns, records.sum(axis=-1), records[:, 1])
        return float(expected(stream.metric, cells.counts(part).sum(axis=-1)[None], probabilities[None])[0])

    return estimate


def _data_of(stream: StreamSettings, comparison: Comparison) -> EstimationData:
    """Out-of-time rows join the champion's own: measured on real sets, the estimate then errs a fifth less.

    In a series they stand alone, since held-out rows there are neighbours of rows that the champion learnt from.
    """
    there = _known(stream, comparison.quality_reference)
    known, blocks = comparison.quality_reference.take(there), comparison.quality_blocks[there]
    sides = comparison.model_reference, comparison.model_current
    reference, current = (rows.take(_answered(stream, rows)) for rows in sides)
    if stream.group and not stream.series:
        size = len(current)
        reference = one_row_per_group(reference, size, comparison.seed)
        current = one_row_per_group(current, size, comparison.seed + 1)
    parts = [answered(stream, rows) for rows in (known, reference, comparison.quality_current)]
    classes = classes_in(stream, *parts)
    if not stream.is_regression and not stream.series:
        reference = _of_one_provenance(reference, known)
        own = reference.take(reference.labelled)
        known = stack([own, new_content(known, own)], stream.columns)
    return EstimationData(known, blocks, reference, current, classes)


def _of_one_provenance(rows: Rows, like: Rows) -> Rows:
    """The rows, without labels of another provenance than those of `like`, or where it has none, than most."""
    told = rows.meta["provenance"].dropna()
    if not len(told):
        return rows
    usual = like.meta["provenance"].iloc[0] if len(like) else told.mode().iloc[0]
    return rows.with_meta(label=rows.meta["label"].where((rows.meta["provenance"] == usual).to_numpy(), None))


def _answered(stream: StreamSettings, rows: Rows) -> np.ndarray:
    """bool (n,): the rows with an answer that can be read."""
    read = as_numbers(rows.meta["predicted" if stream.is_regression else "score"])
    return np.asarray(~np.isnan(read) & rows.meta["predicted"].notna())


def _known(stream: StreamSettings, rows: Rows) -> np.ndarray:
    """bool (n,): the answered rows whose label can be read."""
    there = ~np.isnan(as_numbers(rows.meta["label"])) if stream.is_regression else rows.labelled
    return np.asarray(there & _answered(stream, rows))


def _requirement_missing(stream: StreamSettings, data: EstimationData) -> str:
    """Why nothing can be estimated; empty where it can."""
    named = data.known.meta["label"].astype(str).value_counts()
    rarest = min(int(named.get(name, 0)) for name in data.classes) if data.classes else LEAST_OF_CLASS
    if stream.metric == "r2":
        return "R² cannot be estimated from inputs; MAE and RMSE can."
    if not stream.is_regression and len(data.classes) != 2:
        return (
            f"The labels hold {len(data.classes)} classes; the estimate works for two, since one probability a record "
            "is stored."
        )
    if len(data.current) < MIN_VALUES:
        return (
            f"The window holds {len(data.current)} answered records new to the model; an estimate needs {MIN_VALUES}."
        )
    if len(data.known) < LEAST_LABELS or rarest < LEAST_OF_CLASS:
        return (
            f"{len(data.known)} labelled records, {rarest} of the rarest class; the estimate needs {LEAST_LABELS}, "
            f"and {LEAST_OF_CLASS} of each class."
        )
    if stream.series and len(np.unique(data.blocks)) < FEWEST_BLOCKS:
        return f"{len(np.unique(data.blocks))} past blocks are known; {FEWEST_BLOCKS} are needed to know what is usual."
    if not stream.series and not stream.is_regression and len(data.reference) < MIN_VALUES:
        return f"The reference holds {len(data.reference)} answered records; an estimate needs {MIN_VALUES}."
    return ""


def _measured(stream: StreamSettings, data: EstimationData, comparison: Comparison, level: float) -> Signal:
    if stream.series:
        found, against = _against_blocks(stream, data, level)
    elif stream.is_regression:
        found = _by_error_model(stream, data, comparison.seed, level)
        against = f"measured in the backtest {found.reference:.3g}"
    else:
        found = _by_confidence(stream, data, comparison.seed, level)
        against = f"same estimate on the reference {found.reference:.3g}"
    outcome = Verdict.BREACHED if found.is_breach(stream, level) else Verdict.OK
    return Signal(
        code=_CODE,
        name=_name(stream),
        verdict=outcome,
        overwhelming=far_beyond_chance(outcome, found.p_value, level),
        said=f"{capitalised(metric_name(stream.metric))} estimated at {found.current:.3g} on {len(data.current)} "
        f"records, {against}: {change_of_metric(stream, found.drop)} "
        f"({interval_of_metric(stream, found.interval, level)}). Allowed "
        f"{'rise' if stream.lower_is_better else 'drop'} {drop_figure(stream, stream.policy.max_drop)}. "
        f"{significance(found.p_value, level, material=outcome is Verdict.BREACHED)} "
        f"{_BLIND[stream.task]}. {_track_record(stream, data, comparison)}",
        value=found.current,
        threshold=found.bound(stream),
        p_value=found.p_value,
        effect=found.drop,
        interval=found.interval,
        direction="up" if found.current > found.reference else "down",
        worse=Worse.HIGHER if stream.lower_is_better else Worse.LOWER,
        n_reference=len(data.reference) if data.classes and not stream.series else len(data.known),
        n_current=len(data.current),
    )


def _by_confidence(stream: StreamSettings, data: EstimationData, seed: int, level: float) -> Drop:
    """Resamples the window, the reference and the other labelled rows, and calibrates anew on each resample."""
    last, name = data.classes[-1], stream.metric
    reference, current = scored(data.reference, last), scored(data.current, last)
    also = scored(new_content(data.known, data.reference), last)
    cells = grid(reference, current, also)
    rng = np.random.default_rng(seed)
    old_counts, new_counts, other = (_resampled(cells.counts(part), rng) for part in (reference, current, also))
    labelled = (old_counts + other)[..., :2].sum(axis=2)
    probabilities = recalibrated(cells.columns, labelled.sum(axis=-1), labelled[..., 1])
    old, new = (expected(name, counts.sum(axis=-1), probabilities) for counts in (old_counts, new_counts))
    drops = old - new
    error, degrees = float(drops[1:].std(ddof=1)), len(current) - 1
    reach, drop = float(t.isf(level, degrees)) * error, float(drops[0])
    p_value = float(t.sf(drop / max(error, 1e-12), degrees))
    return Drop(float(old[0]), float(new[0]), drop, (drop - reach, drop + reach), error, p_value)


def _resampled(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The counts themselves, and below them draws of as many records."""
    n = int(counts.sum())
    drawn = rng.multinomial(n, counts.ravel() / max(1, n), size=_RESAMPLES).reshape(_RESAMPLES, *counts.shape)
    return np.concatenate([counts[None], drawn]).astype(float)


def _by_error_model(stream: StreamSettings, data: EstimationData, seed: int, level: float) -> Drop:
    reference, current, error = error_increase(stream, data.known, data.current, seed)
    if min(reference, current) <= 0:
        return Drop(reference, current, 0.0, (0.0, 0.0), 0.0, 1.0)
    centre, reach = float(np.log(current / reference)), float(t.isf(level, FOLDS - 1)) * error
    interval = float(np.expm1(centre - reach)), float(np.expm1(centre + reach))
    p_value = float(t.sf(centre / max(error, 1e-12), FOLDS - 1))
    return Drop(reference, current, current / reference - 1, interval, error * current / reference, p_value)


def _against_blocks(stream: StreamSettings, data: EstimationData, level: float) -> tuple[Drop, str]:
    """Each past block is estimated from the others; the spread between them is the yardstick, as for PRF-METRIC."""
    past = []
    for block in np.unique(data.blocks):
        inside = data.blocks == block
        past.append(estimator(stream, data.known.take(~inside), data.classes)(data.known.take(inside)))
    known, current = np.array(past), estimator(stream, data.known, data.classes)(data.current)
    usual, degrees = float(known.mean()), len(known) - 1
    spread = max(1e-12, float(known.std(ddof=1)) * float(np.sqrt(1 + 1 / len(known))))
    scale = usual if stream.lower_is_better and usual > 0 else 1.0
    drop = (current - usual if stream.lower_is_better else usual - current) / scale
    reach, error = float(t.isf(level, degrees)) * spread / scale, spread / scale
    against = f"average of {len(known)} past blocks {usual:.3g} ({known.min():.3g} to {known.max():.3g})"
    return Drop(usual, current, drop, (drop - reach, drop + reach), error, float(t.sf(drop / error, degrees))), against


def _track_record(stream: StreamSettings, data: EstimationData, comparison: Comparison) -> str:
    """What the same estimate would have said of the window's records whose labels have come since."""
    ripe = comparison.quality_current.take(_known(stream, comparison.quality_current))
    part = answered(stream, ripe)
    measured = metric(stream.metric, part.truth, part.predicted, part.score, data.classes)
    if len(ripe) < MIN_VALUES or measured is None:
        return f"Not yet checked against labels: the window has {len(ripe)} mature ones."
    told = estimator(stream, data.known, data.classes)(ripe)
    return f"On {len(ripe)} records with labels: estimated {told:.3g}, measured {measured:.3g}."


def _name(stream: StreamSettings) -> str:
    return f"estimated {stream.metric}"
