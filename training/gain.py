"""By how much a challenger is better than a champion on the stream's metric, how surely, and what it would take to see.

Why not accuracy: where one class is rare, macro-F1 and accuracy order two models differently, and a test of the
discordant counts (McNemar) is about accuracy. The bootstrap draws the metric itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from training.bootstrap import gains_of_classes, gains_of_losses, gains_of_ranking
from training.paired import Paired

REGRESSION = frozenset({"mae", "rmse", "r2"})
POINTS = 0.02  # a gain worth seeing: two points; of an error metric, two per cent of the champion's error
POWER = 0.9  # with which a gain of that size is to be seen


@dataclass(frozen=True)
class Gain:
    """What n rows say of a gain: draws of it (none: the metric is undefined on them), and how much would be worth it.

    worth: `POINTS` in the unit of the draws, which for rmse and r2 is the squared error.
    """

    draws: np.ndarray
    worth: float
    rows: int

    @property
    def chance(self) -> float:
        """P(the challenger is better); a tie counts half, NaN where the metric is undefined."""
        return self.chance_above(0.0)

    def chance_above(self, least: float) -> float:
        """P(the gain is above `least` times what is worth seeing)."""
        bound = least * self.worth
        if not len(self.draws):
            return math.nan
        return float(np.mean(self.draws > bound) + np.mean(self.draws == bound) / 2)

    def labels_needed(self, bound: float) -> int | None:
        """With how many labels a gain worth seeing would pass `bound` with probability `POWER`; None: undefined.

        The spread of the draws falls with the root of the rows, as long as the two models disagree as often.
        """
        from scipy.stats import norm

        if not len(self.draws) or not self.worth > 0:
            return None
        sure = float(norm.ppf(bound) + norm.ppf(POWER))
        return math.ceil(self.rows * (sure * float(np.std(self.draws)) / self.worth) ** 2)


def chance_better(metric: str, paired: Paired, seed: int) -> float:
    """P(the challenger is better than the champion on `metric`); NaN where the metric is undefined on the rows."""
    return gain_of(metric, paired, seed).chance


def gain_of(metric: str, paired: Paired, seed: int) -> Gain:
    """The gain on `metric`, under a smoothed paired Bayesian bootstrap (`bootstrap`)."""
    rng = np.random.default_rng(seed)
    if metric in REGRESSION:
        return _of_numbers(metric, paired, rng)
    if metric == "roc_auc":
        positive = paired.truth == paired.classes[-1]
        if len(paired.classes) != 2 or positive.all() or not positive.any():
            return Gain(np.empty(0), POINTS, len(paired))
        draws = gains_of_ranking(positive, paired.champion_score, paired.challenger_score, paired.unit, rng)
        return Gain(draws, POINTS, len(paired))
    names = np.unique([*paired.classes, *paired.truth, *paired.champion, *paired.challenger])
    # the last of `classes` must come last: f1_score is about it
    ordered = [*(name for name in names if name != paired.classes[-1]), paired.classes[-1]]
    code = {name: number for number, name in enumerate(ordered)}
    truth, champion, challenger = (
        np.array([code[name] for name in answers], dtype=np.int64)
        for answers in (paired.truth, paired.champion, paired.challenger)
    )
    draws = gains_of_classes(metric, truth, champion, challenger, len(ordered), paired.unit, rng)
    return Gain(draws, POINTS, len(paired))


def _of_numbers(metric: str, paired: Paired, rng: np.random.Generator) -> Gain:
    """For the same truths r2 is the better the smaller the squared error, and so is rmse."""
    old, new = (np.abs(paired.truth - answers) for answers in (paired.champion, paired.challenger))
    if metric == "mae":
        worth = POINTS * float(np.mean(old))
        old, new = old.astype(np.float64), new.astype(np.float64)
    else:
        old, new = old.astype(np.float64) ** 2, new.astype(np.float64) ** 2
        relative = (1 - (1 - POINTS) ** 2) * float(np.mean(old))
        worth = POINTS * float(np.var(paired.truth.astype(np.float64))) if metric == "r2" else relative
    return Gain(gains_of_losses(old - new, paired.unit, rng), worth, len(paired))
