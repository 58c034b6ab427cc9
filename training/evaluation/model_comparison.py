"""Two models on the same rows, in figures: metric, confusion, ROC, calibration, errors, slices, changed answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from trueup.training.evaluation.gain import metric_pair
from trueup.training.evaluation.paired import Paired

_LEAST_ROWS = 30  # of a slice, and of a bin of a calibration curve
_MOST_SLICES = 8  # values of one slice column, the most frequent first
_MOST_CLASSES = 12  # of a confusion matrix
_POINTS = 60  # of a curve
_BINS = 24

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class ComparedSlice:
    """One value of a slice column: the metric of the opponent and of the challenger on its rows."""

    words: str
    before: float
    now: float
    records: int


@dataclass(frozen=True, kw_only=True)
class ComparedModels:
    """Each pair is the opponent's, then the challenger's.

    classes: of the confusion matrices, whose rows are the truth. roc: (false, true positive rate) of two classes, with
    `areas`. calibration: (stated, came true) in bins of as many rows. edges, errors: of numbers, counts of the errors
    (answer less truth) over common bins. moves: (truth, answer before, answer now) with how often, the most first.
    What does not fit the kind of label, or is not defined on the rows, is empty.
    """

    records: int
    metrics: tuple[float | None, float | None]
    classes: tuple[str, ...] = ()
    confusion: tuple[tuple[tuple[int, ...], ...], ...] = ()
    roc: tuple[Points, ...] = ()
    areas: tuple[float, ...] = ()
    calibration: tuple[Points, ...] = ()
    edges: tuple[float, ...] = ()
    errors: tuple[tuple[int, ...], ...] = ()
    slices: tuple[ComparedSlice, ...] = ()
    moves: tuple[tuple[tuple[str, str, str], int], ...] = ()


def compare_models(metric: str, paired: Paired) -> ComparedModels:
    """What two models answered on the same n > 0 rows, of which neither learned."""
    before, now = (float(value) if np.isfinite(value) else None for value in metric_pair(metric, paired))
    found = ComparedModels(records=len(paired), metrics=(before, now), slices=_slices(metric, paired))
    extra = _of_classes(paired) if paired.classes else _of_numbers(paired)
    return ComparedModels(**{**found.__dict__, **extra})


def _of_classes(paired: Paired) -> dict[str, object]:
    sides = ((paired.opponent_predicted, paired.opponent_score), (paired.challenger_predicted, paired.challenger_score))
    counted = Counter(map(str, paired.truth)) + Counter(map(str, paired.challenger_predicted))
    shown = tuple(c for c in paired.classes if counted[c])[:_MOST_CLASSES]
    answered = zip(paired.truth, paired.opponent_predicted, paired.challenger_predicted, strict=True)
    moves = Counter((str(t), str(before), str(now)) for t, before, now in answered if before != now)
    scored = all(np.isfinite(score.astype(float)).all() for _, score in sides)
    curves = [_roc(paired, score) for _, score in sides] if scored and len(paired.classes) == 2 else []
    known = [curve for curve in curves if curve is not None]
    bins = [_calibration(*paired.stated_probabilities(answers, score)) for answers, score in sides] if scored else []
    return {
        "classes": shown,
        "confusion": tuple(_matrix(paired.truth, answers, shown) for answers, _ in sides),
        "roc": tuple(points for points, _ in known),
        "areas": tuple(area for _, area in known),
        "calibration": tuple(bins) if all(bins) else (),
        "moves": tuple(sorted(moves.items(), key=lambda pair: (-pair[1], pair[0]))[:10]),
    }


def _matrix(truth: np.ndarray, answers: np.ndarray, classes: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    pairs = Counter(zip(map(str, truth), map(str, answers), strict=True))
    return tuple(tuple(pairs[row, column] for column in classes) for row in classes)


def _roc(paired: Paired, score: np.ndarray) -> tuple[Points, float] | None:
    from sklearn.metrics import roc_auc_score, roc_curve

    positive = paired.truth == paired.classes[-1]
    if positive.all() or not positive.any():
        return None
    false, true, _ = roc_curve(positive, score.astype(float))
    kept = np.unique(np.linspace(0, len(false) - 1, _POINTS).round().astype(int))
    return _points(false[kept], true[kept]), float(roc_auc_score(positive, score.astype(float)))


def _calibration(stated: np.ndarray, came: np.ndarray) -> Points:
    bins = min(10, len(stated) // _LEAST_ROWS)
    if bins < 2:
        return ()
    groups = np.array_split(np.argsort(stated, kind="stable"), bins)
    return _points([stated[one].mean() for one in groups], [came[one].mean() for one in groups])


def _points(x: object, y: object) -> Points:
    return tuple((round(float(a), 5), round(float(b), 5)) for a, b in zip(x, y, strict=True))  # type: ignore[call-overload]


def _of_numbers(paired: Paired) -> dict[str, object]:
    """Both distributions of errors over the middle 99 % of all errors; what lies beyond counts in the last bins."""
    errors = [
        (answers.astype(float) - paired.truth.astype(float))
        for answers in (paired.opponent_predicted, paired.challenger_predicted)
    ]
    both = np.concatenate(errors)
    low, high = np.quantile(both, [0.005, 0.995])
    if not low < high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, _BINS + 1)
    counts = [np.histogram(np.clip(one, low, high), bins=edges)[0] for one in errors]
    return {
        "edges": tuple(float(edge) for edge in edges),
        "errors": tuple(tuple(int(count) for count in side) for side in counts),
    }


def _slices(metric: str, paired: Paired) -> tuple[ComparedSlice, ...]:
    found = []
    for column, values in paired.slices.items():
        counted = Counter("" if value is None else str(value) for value in values)
        for value, records in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_SLICES]:
            if records < _LEAST_ROWS:
                continue
            mine = np.array([("" if v is None else str(v)) == value for v in values])
            before, now = metric_pair(metric, paired.take(mine))
            if np.isfinite([before, now]).all():
                words = f"{column} = {value or '(none)'}"
                found.append(ComparedSlice(words=words, before=float(before), now=float(now), records=records))
    return tuple(found)
