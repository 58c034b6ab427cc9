"""Probabilities that mean what they say, and the decision that serves the stream's metric.

Every family is fitted with classes weighing the same, so that the rare one is learnt; its chances are then those of a
stream in which all classes are equally frequent. Here they are mapped to the frequencies of the stream as it is, by
logistic regression on the answers to rows that were left out of the fit (Platt 1999, "Probabilistic outputs for support
vector machines"; for more classes on the answers for all of them). Which class is then named is a question of its own:
for macro-F1 of two classes the threshold with the greatest expected macro-F1 under these chances (Lipton, Elkan and
Naryanaswamy 2014, "Thresholding classifiers to maximize F1 score").
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression

_FOLDS = 3
SUREST = 1e-4  # chances are cut here before the logarithm: a forest's votes are all or none


class Calibrated(ClassifierMixin, BaseEstimator):
    """A classifier with calibrated chances.

    Args:
        base: unfitted; takes weights per row.
        decides_by: the metric that the named class is to serve; accuracy and roc_auc name the likeliest class.
        last: the class that `f1_score` is about; empty: the last in sorted order.
    """

    def __init__(self, base: Any, decides_by: str = "accuracy", last: str = "") -> None:
        self.base = base
        self.decides_by = decides_by
        self.last = last

    def fit(
        self,
        rows: Any,
        target: np.ndarray,
        sample_weight: np.ndarray | None = None,
        folds: np.ndarray | None = None,
        ages: np.ndarray | None = None,
    ) -> Calibrated:
        """Fits the base on all rows, and the map of its chances on its answers to folds that it did not know.

        Args:
            sample_weight: with which classes weigh the same. ages: weights without that. Left out: 1.
            folds: of each row, 0 to FOLDS - 1; left out: each row is a group of its own.
        """
        ages = np.ones(len(target)) if ages is None else ages
        sample_weight = ages if sample_weight is None else sample_weight
        folds = folds_of(target, np.arange(len(target))) if folds is None else folds
        left_out = np.zeros(0)
        for fold in range(_FOLDS):
            out = folds == fold
            known = clone(self.base).fit(rows[~out], target[~out], sample_weight=sample_weight[~out])
            answers = odds(known, rows[out])
            if not len(left_out):
                left_out = np.zeros((len(target), answers.shape[1]))
            left_out[out] = answers
        self.base_ = clone(self.base).fit(rows, target, sample_weight=sample_weight)
        self.classes_ = self.base_.classes_
        self.map_ = LogisticRegression(C=100.0, max_iter=1000).fit(left_out, target, sample_weight=ages)
        self.weights_ = self._decision(self.map_.predict_proba(left_out), ages)
        return self

    def predict_proba(self, rows: Any) -> np.ndarray:
        return np.asarray(self.map_.predict_proba(odds(self.base_, rows)))

    def predict(self, rows: Any) -> np.ndarray:
        return self.decide(self.predict_proba(rows))

    def decide(self, chances: np.ndarray) -> np.ndarray:
        """The class that is named, from the chances of n rows."""
        return np.asarray(self.classes_[(chances * self.weights_).argmax(axis=1)])

    def _decision(self, chances: np.ndarray, ages: np.ndarray) -> np.ndarray:
        """What each class's chance is multiplied by before the largest decides."""
        if self.decides_by in ("accuracy", "roc_auc"):
            return np.ones(len(self.classes_))
        if len(self.classes_) > 2:
            return 1 / np.average(chances, axis=0, weights=ages)
        of = self.classes_ == (self.last or self.classes_[-1])
        judged = of if self.decides_by == "f1_score" else np.ones(2, dtype=bool)
        threshold = best_threshold(chances[:, 1], ages, judged)
        return np.array([threshold, 1 - threshold])


def odds(model: Any, rows: Any) -> np.ndarray:
    """What a fitted classifier says of n rows, on the scale of logistic regression: n × 1, or n × classes."""
    if hasattr(model, "decision_function"):
        margins = np.asarray(model.decision_function(rows))
        return margins.reshape(len(margins), -1)
    chances = np.clip(model.predict_proba(rows), SUREST, 1 - SUREST)
    found = np.log(chances / (1 - chances))
    return found[:, 1:] if found.shape[1] == 2 else found


def best_threshold(chances: np.ndarray, weights: np.ndarray, judged: np.ndarray) -> float:
    """The chance from which the second class is named, for the greatest expected mean F1 of the `judged` classes."""
    order = np.argsort(-chances, kind="stable")
    chance, weight = chances[order], weights[order]
    named = np.cumsum(weight)  # rows said to be of the second class, when all down to this one are
    hit = np.cumsum(weight * chance)
    second = 2 * hit / (named + hit[-1])
    rest, missed = named[-1] - named, (named[-1] - hit[-1]) - (named - hit)
    first = 2 * missed / np.maximum(rest + named[-1] - hit[-1], 1e-12)
    at = int((first * judged[0] + second * judged[1]).argmax())
    return float((chance[at] + chance[min(at + 1, len(chance) - 1)]) / 2)


def folds_of(target: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """A fold for each of n rows in time order: groups stay whole, each fold is a span of time, no class is left out.

    The groups of each class (a group counts as its first row's) are cut into contiguous thirds.
    """
    _, first, which = np.unique(groups, return_index=True, return_inverse=True)
    fold = np.empty(len(first), dtype=np.int64)
    for name in np.unique(target[first]):
        own = np.flatnonzero(target[first] == name)
        own = own[np.argsort(first[own])]
        fold[own] = np.arange(len(own)) * _FOLDS // max(len(own), 1)
    return np.asarray(fold[which])
