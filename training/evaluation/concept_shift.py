"""Which of the new rows a challenger is judged on where the concept may have shifted under the champion.

A champion that was right for long has many new rows by the time that the concept shifts. On those from before the shift
a right challenger is wrong, and they speak against it wherever they are asked.
"""

from __future__ import annotations

import math

import numpy as np

from trueup.storage.policy import ERROR_METRICS
from trueup.training.evaluation.gain import HALF_LIFE, gain_of, metric_pair, point_gain, recency_weights
from trueup.training.evaluation.paired import Paired

LEAST_NEW_LABELS = 50  # new rows, fewer of which tell nothing
SURE_OF_SHIFT = 0.95  # that the champion does worse, or better, on some rows than on others: they hold two concepts


def informative_rows(metric: str, paired: Paired) -> Paired:
    """The rows that a gain shows on: all, or those of the last two windows where the challenger gains on them alone."""
    if point_gain(metric, paired) > 0 or paired.age is None:
        return paired
    newest = paired.take(paired.age < HALF_LIFE)
    return newest if len(newest) >= LEAST_NEW_LABELS and point_gain(metric, newest) > 0 else paired


def same_concept_rows(metric: str, paired: Paired, seed: int) -> Paired:
    """The rows that evidence is drawn from: the `informative_rows` where the champion dropped on them; else all."""
    newest = informative_rows(metric, paired)
    return newest if newest is not paired and _dropped(metric, paired, HALF_LIFE, seed) else paired


def rows_since_drop(metric: str, paired: Paired, seed: int) -> Paired:
    """The rows that guardrails judge predictions on: those of the last window, or the last two, where the champion
    dropped on them, whichever it dropped further on; else the `informative_rows`."""
    drops = [windows for windows in (HALF_LIFE / 2, HALF_LIFE) if _dropped(metric, paired, windows, seed)]
    if not drops:
        return informative_rows(metric, paired)
    return _split_recent(paired, max(drops, key=lambda windows: _drop_size(paired, metric, windows)))[0]


def drop_metrics(metric: str, paired: Paired) -> tuple[str, ...]:
    """By which metrics a drop of the champion is told: the stream's own, and accuracy, which shows it sooner."""
    return tuple(dict.fromkeys((metric, "accuracy"))) if paired.classes else (metric,)


def p_champion_dropped(metric: str, paired: Paired, older: Paired, seed: int) -> float:
    """P(the champion is worse lately than on the older rows); NaN where the metric is undefined on either."""
    before = gain_of(metric, older.against_truth(), seed + 1)
    after = gain_of(metric, paired.against_truth(), seed, recency_weights(paired))
    return p_above(after.draws, before.draws)


def p_above(one: np.ndarray, other: np.ndarray) -> float:
    """P(one is above the other), of independent draws; a tie counts half, NaN where there are none of either."""
    draws = min(len(one), len(other))
    if not draws:
        return math.nan
    one, other = one[:draws], other[:draws]
    return float(np.mean(one > other) + np.mean(one == other) / 2)


def _dropped(metric: str, paired: Paired, windows: float, seed: int) -> bool:
    """Whether the champion is surely worse in the last windows than on the new rows before them."""
    newest, before = _split_recent(paired, windows)
    if min(len(newest), len(before)) < LEAST_NEW_LABELS:
        return False
    chances = (p_champion_dropped(name, newest, before, seed) for name in drop_metrics(metric, paired))
    return any(chance >= SURE_OF_SHIFT for chance in chances)


def _drop_size(paired: Paired, metric: str, windows: float) -> float:
    """By how much the champion is worse in the last windows, in errors or in the metric of numbers."""
    name = "accuracy" if paired.classes else metric
    recent, earlier = (metric_pair(name, rows)[0] for rows in _split_recent(paired, windows))
    return recent - earlier if name in ERROR_METRICS else earlier - recent


def _split_recent(paired: Paired, windows: float) -> tuple[Paired, Paired]:
    """The rows of the last windows, and the new ones before them."""
    newest = np.ones(len(paired), dtype=bool) if paired.age is None else paired.age < windows
    return paired.take(newest), paired.take(~newest)
