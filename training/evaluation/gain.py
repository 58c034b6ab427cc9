"""By how much a challenger is better than a champion, how surely, and what it would take to see.

`gain_of` draws the stream's metric itself. But a promotion should turn out well on the rows that follow, and of that
the metric of a few hundred rows is a poor witness where classes are uneven: macro-F1 hangs on the few rows of the rare
class. Errors and probabilities are told by every row. So `evidence_of` asks two ways, and either suffices: how surely
the challenger makes fewer errors and has probabilities closer to the truth (Brier 1950), the mean of both chances (a
linear opinion pool; Stone 1961, The Annals of Mathematical Statistics 32:1339), on rows of which the newest weigh most,
since what follows is most like them (the weights sum to Kish's effective number of rows; 1965, Survey Sampling); and
how surely it is better on the metric, on all rows alike, if it is likely that lately it makes fewer errors, or if it is
surely better by far: wrong labels raise the macro-F1 of a model that errs more, but not by much. docs/promotion.md
holds this against other rules.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trueup.storage.stream import ERROR_METRICS
from trueup.training.evaluation.bootstrap import gains_of_classes, gains_of_losses, gains_of_ranking
from trueup.training.evaluation.paired import Paired
from trueup.training.models.metrics import OF_NUMBERS, figure

POINTS = 0.02  # a gain worth seeing: two points; of an error metric, two per cent of the champion's error
POWER = 0.9  # with which a gain of that size is to be seen
HALF_LIFE = 2.0  # windows, after which a row weighs half
LIKELY = 0.75  # a chance of fewer errors, from which the metric is asked too
WIDE, SURELY = 1.5, 0.95  # so many times what is worth seeing, so surely: the metric needs no other witness


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

    @property
    def wide(self) -> bool:
        """Whether the gain is surely half as large again as one worth seeing."""
        return self.chance_above(WIDE) >= SURELY

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


@dataclass(frozen=True)
class Evidence:
    """How surely a challenger is better: lately, by each witness (none: nobody is asked), and by the metric."""

    lately: Mapping[str, Gain]
    metric: Gain

    @property
    def chance(self) -> float:
        """The greater of the two, the metric's only where the first witness is for it, or where the gain is wide.

        NaN: the metric is undefined.
        """
        if math.isnan(self.metric.chance) or not self.lately:
            return self.metric.chance
        chances = [gain.chance for gain in self.lately.values()]
        lately = float(np.mean(chances))
        counts = chances[0] >= LIKELY or self.metric.wide
        return max(self.metric.chance, lately) if counts else lately

    @property
    def said(self) -> str:
        told = ", ".join(f"{name} {gain.chance:.1%}" for name, gain in self.lately.items())
        return f"{f'lately by {told}; ' if told else ''}by the metric {self.metric.chance:.1%}"


def evidence_of(metric: str, paired: Paired, seed: int) -> Evidence:
    """The witnesses that fit a metric: errors and probabilities, ranking and probabilities, or the losses of numbers.

    Models that state no probabilities are judged without that witness.
    """
    weights, gain = recent(paired), gain_of(metric, paired, seed)
    if not paired.classes:
        return Evidence({metric: gain_of(metric, paired, seed, weights)}, gain)
    ranked = metric == "roc_auc"
    first = {"ranking": gain_of(metric, paired, seed, weights)} if ranked else {
        "fewer errors": gain_of("accuracy", paired, seed, weights)
    }
    old, old_true = paired.stated(paired.champion, paired.champion_score)
    new, new_true = paired.stated(paired.challenger, paired.challenger_score)
    if not (np.isfinite(old).all() and np.isfinite(new).all()):
        return Evidence(first, gain)
    closer = gains_of_losses(
        (old - old_true) ** 2 - (new - new_true) ** 2, paired.unit, np.random.default_rng(seed), weights
    )
    return Evidence({**first, "closer probabilities": Gain(closer, POINTS, len(paired))}, gain)


def worth_of(metric: str, times: float = 1.0) -> str:
    """What is worth seeing, in words."""
    share = 100 * POINTS * times
    return f"{share:g} % of the error" if metric in ERROR_METRICS else f"{share:g} point{'' if share == 1 else 's'}"


def recent(paired: Paired) -> np.ndarray | None:
    """How much each row counts; None: all alike."""
    if paired.age is None:
        return None
    weights = 0.5 ** (paired.age / HALF_LIFE)
    return np.asarray(weights * weights.sum() / (weights**2).sum())


def figures(metric: str, paired: Paired) -> tuple[float, float]:
    """The metric of the champion and of the challenger."""
    old = figure(metric, paired.truth, paired.champion, paired.champion_score, paired.classes)
    new = figure(metric, paired.truth, paired.challenger, paired.challenger_score, paired.classes)
    return old, new


def point_gain(metric: str, paired: Paired) -> float:
    """The difference of both, above 0 where the challenger is better."""
    old, new = figures(metric, paired)
    return old - new if metric in ERROR_METRICS else new - old


def chance_better(metric: str, paired: Paired, seed: int) -> float:
    """P(the challenger is better than the champion on `metric`); NaN where the metric is undefined on the rows."""
    return gain_of(metric, paired, seed).chance


def gain_of(metric: str, paired: Paired, seed: int, weights: np.ndarray | None = None) -> Gain:
    """The gain on `metric`, under a smoothed paired Bayesian bootstrap (`bootstrap`).

    Args:
        weights: how much each row counts; None: 1.
    """
    rng = np.random.default_rng(seed)
    if metric in OF_NUMBERS:
        return _of_numbers(metric, paired, rng, weights)
    if metric == "roc_auc":
        positive = paired.truth == paired.classes[-1]
        if len(paired.classes) != 2 or positive.all() or not positive.any():
            return Gain(np.empty(0), POINTS, len(paired))
        draws = gains_of_ranking(positive, paired.champion_score, paired.challenger_score, paired.unit, rng, weights)
        return Gain(draws, POINTS, len(paired))
    names = np.unique([*paired.classes, *paired.truth, *paired.champion, *paired.challenger])
    # the last of `classes` must come last: f1_score is about it
    ordered = [*(name for name in names if name != paired.classes[-1]), paired.classes[-1]]
    code = {name: number for number, name in enumerate(ordered)}
    truth, champion, challenger = (
        np.array([code[name] for name in answers], dtype=np.int64)
        for answers in (paired.truth, paired.champion, paired.challenger)
    )
    draws = gains_of_classes(metric, truth, champion, challenger, len(ordered), paired.unit, rng, weights)
    return Gain(draws, POINTS, len(paired))


def losses(metric: str, paired: Paired) -> tuple[np.ndarray, np.ndarray]:
    """Each row's loss by the champion and by the challenger, of numbers: the absolute error for mae, else its square.

    For the same truths r2 is the better the smaller the squared error, and so is rmse.
    """
    old, new = (
        np.abs(paired.truth - answers).astype(np.float64) for answers in (paired.champion, paired.challenger)
    )
    return (old, new) if metric == "mae" else (old**2, new**2)


def _of_numbers(metric: str, paired: Paired, rng: np.random.Generator, weights: np.ndarray | None) -> Gain:
    old, new = losses(metric, paired)
    if metric == "mae":
        worth = POINTS * float(np.mean(old))
    else:
        relative = (1 - (1 - POINTS) ** 2) * float(np.mean(old))
        worth = POINTS * float(np.var(paired.truth.astype(np.float64))) if metric == "r2" else relative
    return Gain(gains_of_losses(old - new, paired.unit, rng, weights), worth, len(paired))
