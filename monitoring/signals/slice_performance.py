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
from trueup.monitoring.signals.pending import FEWEST, Question, chance, insufficient, overwhelming
from trueup.monitoring.stats.columns import levels, lumpy, numbers, texts
from trueup.monitoring.stats.performance_drop import Drop, answered, drop_of, usable
from trueup.monitoring.stats.words import word_counts
from trueup.storage.rows import Rows
from trueup.storage.stream import Stream

_NAMED = 3


@dataclass(frozen=True)
class Judged:
    """One value of a slice: how much the metric fell there, on how many labels, and whether that is a breach."""

    value: str
    drop: Drop
    n_before: int
    n_now: int
    alone: bool  # held against its own past; else against that of all records, which hardly held it
    breached: bool


def slices(stream: Stream, comparison: Comparison) -> Iterator[Question | Signal]:
    """Asks for every declared slice; series are not asked, since their rows have no spread of their own."""
    if stream.series:
        return
    before, now = comparison.quality_reference, comparison.quality_current
    for column in stream.slices:
        code, name = f"PRF-SLICE-{column}", f"{stream.metric} within {column}"
        before_values, now_values = _values(stream, column, before, now)
        mask = usable(stream, now)
        counts = pd.Series(now_values[mask]).value_counts()
        values = [str(value) for value in counts.index[counts >= FEWEST]]
        if not values or int(usable(stream, before).sum()) < FEWEST:
            said = (
                f"No value of '{column}' holds {FEWEST} mature labelled records that are new to the model"
                if not values
                else f"The reference holds fewer than {FEWEST} labelled records out of time"
            )
            yield insufficient(code, name, f"{said}, so no slice of it is judged.", len(before), int(mask.sum()))
        else:
            ask = partial(_judge, stream, comparison, column, before_values, now_values, values)
            yield Question(code, ask)


def _judge(
    stream: Stream,
    comparison: Comparison,
    column: str,
    before_values: np.ndarray,
    now_values: np.ndarray,
    values: list[str],
    level: float,
) -> Signal:
    code, name = f"PRF-SLICE-{column}", f"{stream.metric} within {column}"
    each = level / len(values) / comparison.quality_looks
    found = [_one(stream, comparison, before_values, now_values, value, each) for value in values]
    judged = [one for one in found if one is not None]
    if not judged:
        return insufficient(
            code, name, f"{stream.metric} is not defined within any value of '{column}' on these labels.",
            len(before_values), len(now_values),
        )
    worst = min(judged, key=lambda one: (not one.breached, one.drop.p_value))
    spent = len(values) * comparison.quality_looks
    p_value = min(1.0, worst.drop.p_value * spent)
    outcome = Verdict.BREACHED if worst.breached else Verdict.OK
    held = "" if worst.alone else ", held against all records, since the reference hardly holds it"
    more = [one.value for one in judged if one.breached and one is not worst]
    also = f"; also worse: {', '.join(repr(value) for value in more[:_NAMED])}" if more else ""
    return Signal(
        code=code,
        name=name,
        verdict=outcome,
        overwhelming=overwhelming(outcome, p_value, level),
        said=f"Of {len(judged)} values of '{column}' the worst is '{worst.value[:60]}': {stream.metric} went from "
        f"{worst.drop.before:.3g} to {worst.drop.now:.3g} on {worst.n_now} mature labels{held}{also} "
        f"({chance(p_value, level)} for all of them together).",
        value=worst.drop.now,
        threshold=worst.drop.bound(stream),
        p_value=p_value,
        effect=worst.drop.drop,
        interval=worst.drop.interval,
        direction="up" if worst.drop.now > worst.drop.before else "down",
        worse=Worse.HIGHER if stream.lower_is_better else Worse.LOWER,
        contributors=tuple(
            Contributor(one.value[:60], one.drop.before, one.drop.now)
            for one in sorted(judged, key=lambda one: -one.drop.drop)[:_NAMED]
        ),
        n_reference=worst.n_before,
        n_current=worst.n_now,
    )


def _one(
    stream: Stream,
    comparison: Comparison,
    before_values: np.ndarray,
    now_values: np.ndarray,
    value: str,
    level: float,
) -> Judged | None:
    before, now = comparison.quality_reference, comparison.quality_current
    there = (before_values == value) & usable(stream, before)
    alone = int(there.sum()) >= FEWEST
    old = answered(stream, before.take(there) if alone else before)
    new = answered(stream, now.take(now_values == value))
    drop = drop_of(stream, old, new, level=level, seed=comparison.seed)
    if drop is None:
        return None
    return Judged(value, drop, len(old), len(new), alone, drop.counts(stream, level))


def _values(stream: Stream, column: str, before: Rows, now: Rows) -> tuple[np.ndarray, np.ndarray]:
    """The slice that each row falls in (str, objects): levels as they are, numbers and lengths of texts in thirds."""
    if column in stream.text:
        old, new = (word_counts(texts(rows, (column,))) for rows in (before, now))
        return _thirds(old, new, unit=" words")
    if column in stream.numeric:
        old, new = (numbers(rows, column) for rows in (before, now))
        if not lumpy(old, new):
            return _thirds(old, new)
    named = [levels(rows, column) for rows in (before, now)]
    first, second = (np.where(pd.isna(hand), "missing", hand) for hand in named)
    return first, second


def _thirds(before: np.ndarray, now: np.ndarray, unit: str = "") -> tuple[np.ndarray, np.ndarray]:
    known = before[~np.isnan(before)]
    low, high = np.quantile(known, [1 / 3, 2 / 3]) if len(known) else (0.0, 0.0)
    names = np.array(
        [f"up to {low:.4g}{unit}", f"{low:.4g} to {high:.4g}{unit}", f"above {high:.4g}{unit}", "missing"], dtype=object
    )

    def named(hand: np.ndarray) -> np.ndarray:
        third = (hand > low).astype(int) + (hand > high)
        return np.asarray(names[np.where(np.isnan(hand), 3, third)])

    return named(before), named(now)
