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

from trueup.storage.formatting import confidence
from trueup.storage.policy import ERROR_METRICS
from trueup.training.evaluation.bootstrap import gains_of_classes, gains_of_losses, gains_of_ranking
from trueup.training.evaluation.paired import Paired
from trueup.training.models.metrics import REGRESSION_METRICS, metric_value

MINIMUM_GAIN = 0.02  # a gain worth seeing: two points; of an error metric, two per cent of the champion's error
DETECTION_POWER = 0.9  # with which a gain of that size is to be seen
HALF_LIFE = 2.0  # windows, after which a row weighs half
LIKELY = 0.75  # a chance of fewer errors, from which the metric is asked too
WIDE, SURELY = 1.5, 0.95  # so many times what is worth seeing, so surely: the metric needs no other witness


@dataclass(frozen=True)
class Gain:
    """What n rows say of a gain: draws of it (none: the metric is undefined on them), and how much is worth seeing.

    minimum_gain: `MINIMUM_GAIN` in the unit of the draws, which for rmse and r2 is the squared error.
    """

    draws: np.ndarray
    minimum_gain: float
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
        bound = least * self.minimum_gain
        if not len(self.draws):
            return math.nan
        return float(np.mean(self.draws > bound) + np.mean(self.draws == bound) / 2)

    def labels_needed(self, bound: float) -> int | None:
        """With how many labels a gain worth seeing passes `bound` with probability `DETECTION_POWER`; None: undefined.

        The spread of the draws falls with the root of the rows, as long as the two models disagree as often.
        """
        from scipy.stats import norm

        if not len(self.draws) or not self.minimum_gain > 0:
            return None
        sure = float(norm.ppf(bound) + norm.ppf(DETECTION_POWER))
        return math.ceil(self.rows * (sure * float(np.std(self.draws)) / self.minimum_gain) ** 2)


@dataclass(frozen=True)
class Evidence:
    """How surely a challenger is better: by recency-weighted measures (none: the metric alone), and by the metric."""

    recency_weighted: Mapping[str, Gain]
    metric: Gain

    @property
    def chance(self) -> float:
        """The greater of the two, the metric's only where the first witness is for it, or where the gain is wide.

        NaN: the metric is undefined.
        """
        if math.isnan(self.metric.chance) or not self.recency_weighted:
            return self.metric.chance
        chances = [gain.chance for gain in self.recency_weighted.values()]
        recent = float(np.mean(chances))
        counts = chances[0] >= LIKELY or self.metric.wide
        return max(self.metric.chance, recent) if counts else recent

    @property
    def said(self) -> str:
        told = ", ".join(f"{name} {confidence(gain.chance)}" for name, gain in self.recency_weighted.items())
        return f"{f'newest rows: {told}; ' if told else ''}metric: {confidence(self.metric.chance)}"


def evidence_of(metric: str, paired: Paired, seed: int) -> Evidence:
    """The witnesses that fit a metric: errors and probabilities, ranking and probabilities, or the losses of numbers.

    Models that state no probabilities are judged without that witness.
    """
    weights, gain = recency_weights(paired), gain_of(metric, paired, seed)
    if not paired.classes:
        return Evidence({metric: gain_of(metric, paired, seed, weights)}, gain)
    ranked = metric == "roc_auc"
    first = {"ranking": gain_of(metric, paired, seed, weights)} if ranked else {
        "fewer errors": gain_of("accuracy", paired, seed, weights)
    }
    old, old_true = paired.stated_probabilities(paired.opponent_predicted, paired.opponent_score)
    new, new_true = paired.stated_probabilities(paired.challenger_predicted, paired.challenger_score)
    if not (np.isfinite(old).all() and np.isfinite(new).all()):
        return Evidence(first, gain)
    closer = gains_of_losses(
        (old - old_true) ** 2 - (new - new_true) ** 2, paired.unit, np.random.default_rng(seed), weights
    )
    return Evidence({**first, "closer probabilities": Gain(closer, MINIMUM_GAIN, len(paired))}, gain)


def minimum_gain_in_words(metric: str, times: float = 1.0) -> str:
    """What is worth seeing, in words."""
    share = 100 * MINIMUM_GAIN * times
    return f"{share:g} % of the error" if metric in ERROR_METRICS else f"{share:g} point{'' if share == 1 else 's'}"


def recency_weights(paired: Paired) -> np.ndarray | None:
    """How much each row counts; None: all alike."""
    if paired.age is None:
        return None
    weights = 0.5 ** (paired.age / HALF_LIFE)
    return np.asarray(weights * weights.sum() / (weights**2).sum())


def metric_pair(metric: str, paired: Paired) -> tuple[float, float]:
    """The metric of the opponent and of the challenger."""
    old = metric_value(metric, paired.truth, paired.opponent_predicted, paired.opponent_score, paired.classes)
    new = metric_value(metric, paired.truth, paired.challenger_predicted, paired.challenger_score, paired.classes)
    return old, new


def point_gain(metric: str, paired: Paired) -> float:
    """The difference of both, above 0 where the challenger is better."""
    old, new = metric_pair(metric, paired)
    return old - new if metric in ERROR_METRICS else new - old


def chance_better(metric: str, paired: Paired, seed: int) -> float:
    """P(the challenger is better than its opponent on `metric`); NaN where the metric is undefined on the rows."""
    return gain_of(metric, paired, seed).chance


def gain_of(metric: str, paired: Paired, seed: int, weights: np.ndarray | None = None) -> Gain:
    """The gain on `metric`, under a smoothed paired Bayesian bootstrap (`bootstrap`).

    Args:
        weights: how much each row counts; None: 1.
    """
    rng = np.random.default_rng(seed)
    if metric in REGRESSION_METRICS:
        return _of_numbers(metric, paired, rng, weights)
    if metric == "roc_auc":
        positive = paired.truth == paired.classes[-1]
        if len(paired.classes) != 2 or positive.all() or not positive.any():
            return Gain(np.empty(0), MINIMUM_GAIN, len(paired))
        draws = gains_of_ranking(positive, paired.opponent_score, paired.challenger_score, paired.unit, rng, weights)
        return Gain(draws, MINIMUM_GAIN, len(paired))
    names = np.unique([*paired.classes, *paired.truth, *paired.opponent_predicted, *paired.challenger_predicted])
    # the last of `classes` must come last: f1_score is about it
    ordered = [*(name for name in names if name != paired.classes[-1]), paired.classes[-1]]
    code = {name: number for number, name in enumerate(ordered)}
    truth, champion, challenger = (
        np.array([code[name] for name in answers], dtype=np.int64)
        for answers in (paired.truth, paired.opponent_predicted, paired.challenger_predicted)
    )
    draws = gains_of_classes(metric, truth, champion, challenger, len(ordered), paired.unit, rng, weights)
    return Gain(draws, MINIMUM_GAIN, len(paired))


def row_losses(metric: str, paired: Paired) -> tuple[np.ndarray, np.ndarray]:
    """Each row's loss by the opponent and by the challenger, of numbers: the absolute error for mae, else its square.

    For the same truths r2 is the better the smaller the squared error, and so is rmse.
    """
    old, new = (
        np.abs(paired.truth - predicted).astype(np.float64)
        for predicted in (paired.opponent_predicted, paired.challenger_predicted)
    )
    return (old, new) if metric == "mae" else (old**2, new**2)


def _of_numbers(metric: str, paired: Paired, rng: np.random.Generator, weights: np.ndarray | None) -> Gain:
    old, new = row_losses(metric, paired)
    if metric == "mae":
        minimum = MINIMUM_GAIN * float(np.mean(old))
    else:
        relative = (1 - (1 - MINIMUM_GAIN) ** 2) * float(np.mean(old))
        minimum = MINIMUM_GAIN * float(np.var(paired.truth.astype(np.float64))) if metric == "r2" else relative
    return Gain(gains_of_losses(old - new, paired.unit, rng, weights), minimum, len(paired))
