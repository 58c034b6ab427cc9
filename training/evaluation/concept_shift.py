"""Which of the new rows tell of what follows: after a change of the world most of them may be from before it.

A champion that was right for long has many new rows by the time that a change comes. On those of the old world a right
challenger is as surely wrong, and wherever they are asked they speak against it.
"""

from __future__ import annotations

import math

import numpy as np

from trueup.storage.stream import ERROR_METRICS
from trueup.training.evaluation.gain import HALF_LIFE, figures, gain_of, point_gain, recent
from trueup.training.evaluation.paired import Paired

LEAST_LABELS = 50  # new rows, fewer of which tell nothing
OTHERWISE = 0.95  # sure that the champion does worse, or better, on some rows than on others: they are of two worlds


def telling(metric: str, paired: Paired) -> Paired:
    """The rows that a gain shows on: all, or the last two windows', where the challenger gains on them alone."""
    if point_gain(metric, paired) > 0 or paired.age is None:
        return paired
    newest = paired.take(paired.age < HALF_LIFE)
    return newest if len(newest) >= LEAST_LABELS and point_gain(metric, newest) > 0 else paired


def of_one_world(metric: str, paired: Paired, seed: int) -> Paired:
    """The rows that evidence is drawn from: the `telling` ones, where the champion fell on them; else all."""
    newest = telling(metric, paired)
    return newest if newest is not paired and _fell(metric, paired, HALF_LIFE, seed) else paired


def since_the_fall(metric: str, paired: Paired, seed: int) -> Paired:
    """The rows that a challenger's answers are asked of: those of the last window, or the last two, where the champion
    fell on them, whichever it fell further on; else the `telling` ones."""
    falls = [windows for windows in (HALF_LIFE / 2, HALF_LIFE) if _fell(metric, paired, windows, seed)]
    if not falls:
        return telling(metric, paired)
    return _apart(paired, max(falls, key=lambda windows: _depth(paired, metric, windows)))[0]


def figures_of(metric: str, paired: Paired) -> tuple[str, ...]:
    """By which figures a champion's fall is told: the metric, and errors, which show sooner."""
    return tuple(dict.fromkeys((metric, "accuracy"))) if paired.classes else (metric,)


def fallen(figure: str, paired: Paired, older: Paired, seed: int) -> float:
    """P(the champion is worse lately than on the older rows); NaN where the figure is undefined on either."""
    before = gain_of(figure, older.perfected(), seed + 1)
    after = gain_of(figure, paired.perfected(), seed, recent(paired))
    return above(after.draws, before.draws)


def above(one: np.ndarray, other: np.ndarray) -> float:
    """P(one is above the other), of independent draws; a tie counts half, NaN where there are none of either."""
    draws = min(len(one), len(other))
    if not draws:
        return math.nan
    one, other = one[:draws], other[:draws]
    return float(np.mean(one > other) + np.mean(one == other) / 2)


def _fell(metric: str, paired: Paired, windows: float, seed: int) -> bool:
    """Whether the champion is surely worse in the last windows than on the new rows before them."""
    newest, before = _apart(paired, windows)
    if min(len(newest), len(before)) < LEAST_LABELS:
        return False
    return any(fallen(figure, newest, before, seed) >= OTHERWISE for figure in figures_of(metric, paired))


def _depth(paired: Paired, metric: str, windows: float) -> float:
    """By how much the champion is worse in the last windows, in errors or in the metric of numbers."""
    figure = "accuracy" if paired.classes else metric
    lately, earlier = (figures(figure, rows)[0] for rows in _apart(paired, windows))
    return lately - earlier if figure in ERROR_METRICS else earlier - lately


def _apart(paired: Paired, windows: float) -> tuple[Paired, Paired]:
    """The rows of the last windows, and the new ones before them."""
    newest = np.ones(len(paired), dtype=bool) if paired.age is None else paired.age < windows
    return paired.take(newest), paired.take(~newest)
