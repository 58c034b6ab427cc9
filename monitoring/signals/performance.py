"""PRF-METRIC: the champion's metric on mature labels, against what its recipe reached out of time.

A breach needs three things: a drop larger than `max_drop`, an interval that excludes no drop at the signal's level,
and the same with the classes mixed as they were, so that a mere change of the mix is none.
Where a window alone holds too few labels, those of the windows before it are read too; each label is then looked at in
several checks running, and each look spends that part of the level (Bonferroni over the looks that share labels). For a
known number of looks that has more power than a confidence sequence (Podkopaev & Ramdas 2022), which pays for all of
time; docs/detection.md says how soon a flip of 15 % of the labels is seen at 50 labels a week.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.stats import norm, t

from trueup.monitoring.check import Signal, Verdict, Worse
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals.catalogue import METRIC
from trueup.monitoring.signals.pending import MIN_VALUES, PendingTest, far_beyond_chance, insufficient
from trueup.monitoring.stats.metrics import metric
from trueup.monitoring.stats.performance_drop import Answered, Drop, answered, classes_in, drop_of, usable
from trueup.storage.formatting import capitalised, change_of_metric, drop_figure, interval_of_metric, metric_name
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

POWER = 0.8  # with which the smallest visible drop would be seen
FEWEST_BLOCKS = 5  # past blocks under which a series stream's metric has no usual range
_NAMED = 3  # records to label that are named


def performance(stream: StreamSettings, comparison: Comparison) -> Iterator[PendingTest | Signal]:
    """Tests the metric, or says how many labels it lacks and on which records."""
    reference, current = answered(stream, comparison.quality_reference), answered(stream, comparison.quality_current)
    blocks = comparison.quality_blocks[usable(stream, comparison.quality_reference)]
    lacking = _lacking(stream, comparison, reference, current, blocks)
    looks = comparison.quality_looks
    if lacking is not None:
        yield lacking
    elif stream.series:
        yield PendingTest(METRIC, lambda level: _against_blocks(stream, reference, blocks, current, level / looks))
    else:
        seed = comparison.seed
        yield PendingTest(METRIC, lambda level: _against_pool(stream, reference, current, level / looks, seed))


def _against_pool(stream: StreamSettings, reference: Answered, current: Answered, level: float, seed: int) -> Signal:
    found = drop_of(stream, reference, current, level=level, seed=seed)
    if found is None:
        return _undefined(stream, reference, current)
    visible = (max(stream.policy.max_drop, norm.isf(level) * found.error)) + norm.ppf(POWER) * found.error
    said = f"smallest {_worse(stream)} these labels can show {drop_figure(stream, visible)}"
    if found.drop > stream.policy.max_drop and found.interval[0] > 0 and found.p_value > level:
        said += (
            f". A changed mix of the classes explains {drop_figure(stream, found.mix)} of the drop; within each class "
            "no significant change"
        )
    return _signal(stream, found, said, len(reference), len(current), level)


def _against_blocks(
    stream: StreamSettings, reference: Answered, blocks: np.ndarray, current: Answered, level: float
) -> Signal:
    """Neighbouring rows depend on each other, so the spread between past blocks is the yardstick, not that of rows.

    Where `current` had to reach further back than a block for its labels, it varies less than one: the level holds.
    """
    classes = classes_in(stream, reference, current)
    past = [_metric(stream, reference.take(blocks == block), classes) for block in np.unique(blocks)]
    known, measured = np.array([m for m in past if m is not None]), _metric(stream, current, classes)
    if measured is None or len(known) < FEWEST_BLOCKS:
        return _undefined(stream, reference, current)
    usual, spread = float(known.mean()), float(known.std(ddof=1)) * float(np.sqrt(1 + 1 / len(known)))
    reach = float(t.isf(level, len(known) - 1)) * spread
    scale = usual if stream.lower_is_better and usual > 0 else 1.0
    drop = ((measured - usual) if stream.lower_is_better else (usual - measured)) / scale
    p_value = float(t.sf(drop * scale / max(spread, 1e-12), len(known) - 1))
    found = Drop(usual, measured, drop, (drop - reach / scale, drop + reach / scale), spread / scale, p_value)
    said = (
        f"{len(known)} past blocks: {known.min():.3g} to {known.max():.3g}, one block usually within "
        f"{drop_figure(stream, reach / scale)} of their mean"
    )
    return _signal(stream, found, said, len(reference), len(current), level)


def _signal(stream: StreamSettings, found: Drop, said: str, n_reference: int, n_current: int, level: float) -> Signal:
    outcome = Verdict.BREACHED if found.is_breach(stream, level) else Verdict.OK
    return Signal(
        code=METRIC,
        name=stream.metric,
        verdict=outcome,
        said=f"{capitalised(metric_name(stream.metric))} {found.current:.3g} on {n_current} labelled records, "
        "reference "
        f"(backtest) {found.reference:.3g}: {change_of_metric(stream, found.drop)} "
        f"({interval_of_metric(stream, found.interval, level)}). Allowed {_worse(stream)} "
        f"{drop_figure(stream, stream.policy.max_drop)}; {said}.",
        value=found.current,
        threshold=found.bound(stream),
        p_value=found.p_value,
        overwhelming=far_beyond_chance(outcome, found.p_value, level),
        effect=found.drop,
        interval=found.interval,
        direction="up" if found.current > found.reference else "down",
        worse=Worse.HIGHER if stream.lower_is_better else Worse.LOWER,
        n_reference=n_reference,
        n_current=n_current,
    )


def _worse(stream: StreamSettings) -> str:
    return "rise" if stream.lower_is_better else "drop"


def _metric(stream: StreamSettings, part: Answered, classes: tuple[str, ...]) -> float | None:
    return metric(stream.metric, part.truth, part.predicted, part.score, classes)


def _lacking(
    stream: StreamSettings, comparison: Comparison, reference: Answered, current: Answered, blocks: np.ndarray
) -> Signal | None:
    wanted = max(MIN_VALUES, stream.policy.min_labels)
    distinct = len(np.unique(blocks))
    if len(current) < wanted:
        said = (
            f"{len(current)} of {wanted} labels needed (min_labels, on records new to the model and past their "
            f"maturity): {wanted - len(current)} more{_to_label(comparison.model_current, comparison.seed)}."
        )
    elif len(reference) < MIN_VALUES:
        said = f"The reference (backtest) holds {len(reference)} labelled records; a comparison needs {MIN_VALUES}."
    elif stream.series and distinct < FEWEST_BLOCKS:
        said = f"The metric is known on {distinct} past blocks; {FEWEST_BLOCKS} are needed to know what is usual."
    else:
        return None
    return insufficient(METRIC, stream.metric, said, len(reference), len(current))


def _undefined(stream: StreamSettings, reference: Answered, current: Answered) -> Signal:
    classes = classes_in(stream, reference, current)
    found = f"labels and answers hold only {', '.join(classes)}" if classes else "the true values do not vary"
    said = f"{capitalised(metric_name(stream.metric))} is not defined on these records: {found}."
    return insufficient(METRIC, stream.metric, said, len(reference), len(current))


def _to_label(rows: Rows, seed: int) -> str:
    """Records whose label would help, drawn at random: labels of chosen ones would speak of the choice."""
    without = np.flatnonzero(rows.meta["label"].isna())
    if not len(without):
        return ""
    drawn = np.random.default_rng(seed).choice(without, min(_NAMED, len(without)), replace=False)
    named = ", ".join(str(i)[:40] for i in rows.meta["id"].iloc[drawn])
    return f", for example on {named} (drawn at random)"
