"""How well answers tell labels, whatever scale the answers are on: what they explain, how they rank, how they agree."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_LEAST_OF_CLASS = 10  # labels inside and outside of a class, by which it can be judged
CLIP = 1e-3  # probabilities are taken to lie as far from 0 and 1
_RIDGE = 1e-3  # keeps a perfect fit finite
NEWTON_STEPS = 25


@dataclass(frozen=True)
class LabelSkill:
    """explained: 1 - log loss of the recalibrated answers / log loss of the class shares; of numbers r².

    ranking: the area under the ROC curve; of numbers (1 + Spearman's rho) / 2. Each with its standard error; the
    ranking's as it would be of answers that tell nothing.
    """

    explained: float
    explained_error: float
    ranking: float
    ranking_error: float


def skill_of(
    truth: np.ndarray, predicted: np.ndarray, score: np.ndarray, classes: tuple[str, ...], *, turned: bool
) -> LabelSkill | None:
    """What answers tell of the labels after recalibration; None where a class has too few labels.

    Two classes are ranked by the score (of the last; without one by the answer). More are judged one by one, by whether
    the answer is the class, weighted by their labels.

    Args:
        turned: whether recalibration may turn the answers round.
    """
    if not classes:
        return _skill_of_numbers(truth.astype(float), predicted.astype(float), turned=turned)
    if len(classes) == 2:
        known = bool(np.isfinite(score).all())
        about = classes[-1]
        return _skill_of_class(truth == about, score if known else predicted == about, turned=turned)
    judged = [(name, int((truth == name).sum())) for name in classes]
    found = [
        (count, skill)
        for name, count in judged
        if (skill := _skill_of_class(truth == name, predicted == name, turned=turned)) is not None
    ]
    if not found:
        return None
    weights = np.array([count for count, _ in found], dtype=float)
    rows = np.array([[s.explained, s.explained_error, s.ranking, s.ranking_error] for _, s in found])
    return LabelSkill(*(float(value) for value in np.average(rows, axis=0, weights=weights)))


def _skill_of_class(label: np.ndarray, score: np.ndarray, *, turned: bool) -> LabelSkill | None:
    n, positive = len(label), int(label.sum())
    if min(positive, n - positive) < _LEAST_OF_CLASS:
        return None
    y, p = label.astype(float), np.clip(score.astype(float), CLIP, 1 - CLIP)
    told = _recalibrated(np.log(p / (1 - p)), y, turned=turned)
    base = y.mean()
    loss, known = _log_loss(y, told), _log_loss(y, np.full(n, base))
    left = loss.mean() / known.mean()
    error = float(np.std(loss - left * known) / math.sqrt(n) / known.mean())
    from scipy.stats import rankdata

    ranks = rankdata(p)
    area = (ranks[label].sum() - positive * (positive + 1) / 2) / (positive * (n - positive))
    chance = math.sqrt((n + 1) / (12 * positive * (n - positive)))
    return LabelSkill(float(1 - left), error, float(area), chance)


def _recalibrated(logit: np.ndarray, y: np.ndarray, *, turned: bool) -> np.ndarray:
    """Platt's recalibration (1999, Advances in Large Margin Classifiers) by Newton's method."""
    design = np.column_stack([np.ones(len(y)), (logit - logit.mean()) / (logit.std() or 1.0)])
    weights = np.array([np.log(y.mean() / (1 - y.mean())), 0.0])
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        gradient = design.T @ (y - p) - _RIDGE * weights
        curvature = (design * (p * (1 - p))[:, None]).T @ design + _RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    if weights[1] < 0 and not turned:
        return np.full(len(y), y.mean())
    return np.asarray(np.clip(1 / (1 + np.exp(-np.clip(design @ weights, -30, 30))), CLIP, 1 - CLIP))


def _log_loss(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.asarray(-(y * np.log(p) + (1 - y) * np.log(1 - p)))


def _skill_of_numbers(truth: np.ndarray, predicted: np.ndarray, *, turned: bool) -> LabelSkill | None:
    if np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return None
    from scipy.stats import spearmanr

    n, r = len(truth), float(np.corrcoef(truth, predicted)[0, 1])
    explained = r * r if r > 0 or turned else 0.0
    rho = float(spearmanr(truth, predicted)[0])
    return LabelSkill(explained, 2 * abs(r) * (1 - r * r) / math.sqrt(n), (1 + rho) / 2, 0.5 / math.sqrt(n - 1))


def agreement(answers: np.ndarray, labels: np.ndarray) -> float:
    """Cohen's kappa (1960), of numbers Pearson's r; 0 where either is always the same."""
    if answers.dtype != object:
        return float(np.corrcoef(answers, labels)[0, 1]) if np.ptp(answers) > 0 and np.ptp(labels) > 0 else 0.0
    names = np.unique(np.concatenate([answers, labels]))
    here, there = ([float((side == name).mean()) for name in names] for side in (answers, labels))
    by_chance = float(np.dot(here, there))
    return 0.0 if by_chance >= 1 else (float((answers == labels).mean()) - by_chance) / (1 - by_chance)
