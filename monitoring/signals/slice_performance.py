"""PRF-SLICE-<slice>: the champion's metric within each value of a declared slice, the worst one named.

A drop of one product or version drowns in the metric of all records. Each value with enough labels is tested as
PRF-METRIC is, at the slice's level divided by their number (Bonferroni), so that many values cost power, not truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from trueup.monitoring.check import Contributor, Signal, Verdict, Worse
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.distribution import Distribution, Shows
from trueup.monitoring.signals.pending import MIN_VALUES, PendingTest, far_beyond_chance, insufficient
from trueup.monitoring.stats.columns import is_discrete, levels, numbers, texts
from trueup.monitoring.stats.performance_drop import Drop, answered, drop_of, usable
from trueup.monitoring.stats.words import word_counts
from trueup.storage.formatting import capitalised, metric_name, significance
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

_NAMED = 3
_DRAWN = 20


@dataclass(frozen=True)
class SliceDrop:
    """One value of a slice: how much the metric fell there, on how many labels, and whether that is a breach."""

    value: str
    drop: Drop
    n_reference: int
    n_current: int
    own_reference: bool  # compared with its own past; else against that of all records, which hardly held it
    breached: bool


def slice_performance(stream: StreamSettings, comparison: Comparison) -> Iterator[PendingTest | Signal]:
    """Tests every declared slice; not those of series, since their rows have no spread of their own."""
    if stream.series:
        return
    reference, current = comparison.quality_reference, comparison.quality_current
    for column in stream.slices:
        code, name = f"PRF-SLICE-{column}", f"{stream.metric} within {column}"
        reference_values, current_values = _values(stream, column, reference, current)
        mask = usable(stream, current)
        counts = pd.Series(current_values[mask]).value_counts()
        values = [str(value) for value in counts.index[counts >= MIN_VALUES]]
        if not values or int(usable(stream, reference).sum()) < MIN_VALUES:
            said = (
                f"No value of '{column}' has {MIN_VALUES} labelled records that are new to the model."
                if not values
                else f"The reference (backtest) holds fewer than {MIN_VALUES} labelled records."
            )
            yield insufficient(code, name, said, len(reference), int(mask.sum()))
        else:
            run = partial(_judge, stream, comparison, column, reference_values, current_values, values)
            yield PendingTest(code, run)


def _judge(
    stream: StreamSettings,
    comparison: Comparison,
    column: str,
    reference_values: np.ndarray,
    current_values: np.ndarray,
    values: list[str],
    level: float,
) -> Signal:
    code, name = f"PRF-SLICE-{column}", f"{stream.metric} within {column}"
    each = level / len(values) / comparison.quality_looks
    found = [_one(stream, comparison, reference_values, current_values, value, each) for value in values]
    judged = [one for one in found if one is not None]
    if not judged:
        return insufficient(
            code, name, f"{capitalised(metric_name(stream.metric))} is not defined on these labels within any value "
            f"of '{column}'.",
            len(reference_values), len(current_values),
        )
    worst = min(judged, key=lambda one: (not one.breached, one.drop.p_value))
    spent = len(values) * comparison.quality_looks
    p_value = min(1.0, worst.drop.p_value * spent)
    outcome = Verdict.BREACHED if worst.breached else Verdict.OK
    held = "" if worst.own_reference else ", compared with all records: the reference has too few of it"
    more = [one.value for one in judged if one.breached and one is not worst]
    also = f"; also worse: {', '.join(repr(value) for value in more[:_NAMED])}" if more else ""
    return Signal(
        code=code,
        name=name,
        verdict=outcome,
        overwhelming=far_beyond_chance(outcome, p_value, level),
        said=f"Worst of {len(judged)} values of '{column}': '{worst.value[:60]}', {metric_name(stream.metric)} "
        f"{worst.drop.reference:.3g} → {worst.drop.current:.3g} on {worst.n_current} labelled records{held}{also}. "
        f"{significance(p_value, level, material=worst.breached)}",
        value=worst.drop.current,
        threshold=worst.drop.bound(stream),
        p_value=p_value,
        effect=worst.drop.drop,
        interval=worst.drop.interval,
        direction="up" if worst.drop.current > worst.drop.reference else "down",
        worse=Worse.HIGHER if stream.lower_is_better else Worse.LOWER,
        contributors=tuple(
            Contributor(one.value[:60], one.drop.reference, one.drop.current)
            for one in sorted(judged, key=lambda one: -one.drop.drop)[:_NAMED]
        ),
        distribution=_slices(judged),
        n_reference=worst.n_reference,
        n_current=worst.n_current,
    )


def _slices(judged: list[SliceDrop]) -> Distribution:
    """The values that lost most, for a picture."""
    shown = sorted(judged, key=lambda one: (not one.breached, -one.drop.drop * one.n_current))[:_DRAWN]
    return Distribution(
        shows=Shows.SLICES,
        names=tuple(one.value[:60] for one in shown),
        reference=tuple(one.drop.reference for one in shown),
        current=tuple(one.drop.current for one in shown),
        records=tuple(one.n_current for one in shown),
        breached=tuple(one.value[:60] for one in shown if one.breached),
    )


def _one(
    stream: StreamSettings,
    comparison: Comparison,
    reference_values: np.ndarray,
    current_values: np.ndarray,
    value: str,
    level: float,
) -> SliceDrop | None:
    reference, current = comparison.quality_reference, comparison.quality_current
    there = (reference_values == value) & usable(stream, reference)
    own_reference = int(there.sum()) >= MIN_VALUES
    old = answered(stream, reference.take(there) if own_reference else reference)
    new = answered(stream, current.take(current_values == value))
    drop = drop_of(stream, old, new, level=level, seed=comparison.seed)
    if drop is None:
        return None
    return SliceDrop(value, drop, len(old), len(new), own_reference, drop.is_breach(stream, level))


def _values(stream: StreamSettings, column: str, reference: Rows, current: Rows) -> tuple[np.ndarray, np.ndarray]:
    """The slice that each row falls in (str, objects): levels as they are, numbers and lengths of texts in thirds."""
    if column in stream.text:
        old, new = (word_counts(texts(rows, (column,))) for rows in (reference, current))
        return _thirds(old, new, unit=" words")
    if column in stream.numeric:
        old, new = (numbers(rows, column) for rows in (reference, current))
        if not is_discrete(old, new):
            return _thirds(old, new)
    named = [levels(rows, column) for rows in (reference, current)]
    first, second = (np.where(pd.isna(hand), "missing", hand) for hand in named)
    return first, second


def _thirds(reference: np.ndarray, current: np.ndarray, unit: str = "") -> tuple[np.ndarray, np.ndarray]:
    known = reference[~np.isnan(reference)]
    low, high = np.quantile(known, [1 / 3, 2 / 3]) if len(known) else (0.0, 0.0)
    names = np.array(
        [f"up to {low:.4g}{unit}", f"{low:.4g} to {high:.4g}{unit}", f"above {high:.4g}{unit}", "missing"], dtype=object
    )

    def named(hand: np.ndarray) -> np.ndarray:
        third = (hand > low).astype(int) + (hand > high)
        return np.asarray(names[np.where(np.isnan(hand), 3, third)])

    return named(reference), named(current)
