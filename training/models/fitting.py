"""Fitting a recipe on rows, and asking the fitted model for its answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trueup.storage.errors import ModelUnusable, NotTrainable
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.pipelines import build
from trueup.training.candidates.recipes import Recipe

LEAST_ROWS_OF_CLASS = 3  # rows; calibration folds each class in three
AGED_WINDOWS = 2  # half-life of a row's weight in the history "aged"


@dataclass(frozen=True)
class Fitted:
    """A fitted model, the recipe it was made by, and the labelled rows it was fitted on.

    out_of_fold: rows of the training side, answered by trainings without the labels of their fold; None: none is.
    """

    model: Any
    recipe: Recipe
    used: Rows
    out_of_fold: Rows | None = None


def ordered_classes(stream: StreamSettings, labels: np.ndarray) -> tuple[str, ...]:
    """The classes in the order that decides which is "the last": as declared, else sorted; none for regression."""
    if stream.is_regression:
        return ()
    return tuple(stream.label.classes) or tuple(sorted({str(label) for label in labels}))


def learnable(stream: StreamSettings, rows: Rows, recipe: Recipe, newest: int) -> Rows:
    """The labelled rows that `recipe` is fitted on: all or the newest, without classes too rare to be learnt.

    Raises:
        NotTrainable: they are too few, or know only one class.
    """
    labelled = rows.take(rows.labelled)
    if recipe.history == "newest":
        labelled = labelled.newest(newest)
    if stream.is_regression:
        if len(labelled) < LEAST_ROWS_OF_CLASS:
            raise NotTrainable(
                f"{len(labelled)} labelled training rows are too few to fit {recipe.name}; "
                f"at least {LEAST_ROWS_OF_CLASS} are needed. Bring in more labelled records."
            )
        return labelled
    names, which, counts = np.unique(labelled.meta["label"].astype(str), return_inverse=True, return_counts=True)
    kept = counts >= LEAST_ROWS_OF_CLASS
    if kept.sum() < 2:
        seen = ", ".join(f"{name}: {count}" for name, count in zip(names, counts, strict=True)) or "none"
        raise NotTrainable(
            f"{recipe.name} needs at least {LEAST_ROWS_OF_CLASS} labelled training rows of each of two classes, and "
            f"the labels are {seen}. Bring in more labelled records, or check label.classes."
        )
    return labelled if kept.all() else labelled.take(kept[which])


def targets(stream: StreamSettings, rows: Rows) -> np.ndarray:
    """The labels of labelled rows as a model learns them: float64, or text."""
    return np.asarray(rows.meta["label"].astype(float if stream.is_regression else str))


def ages(recipe: Recipe, count: int, newest: int) -> np.ndarray:
    """A weight per row in time order: all 1, or halved with every AGED_WINDOWS × `newest` rows of age."""
    if recipe.history != "aged":
        return np.ones(count)
    return np.exp2(-np.arange(count)[::-1] / (AGED_WINDOWS * newest))


def balanced(stream: StreamSettings, target: np.ndarray, age: np.ndarray) -> np.ndarray:
    """The weights `age` scaled so that every class weighs the same (mean 1); for regression only to mean 1."""
    if stream.is_regression:
        return age / age.mean()
    _, which = np.unique(target, return_inverse=True)
    of_class = np.bincount(which, weights=age)
    return len(target) * age / (len(of_class) * of_class[which])


def learning_weights(recipe: Recipe, stream: StreamSettings, used: Rows, newest: int) -> dict[str, np.ndarray]:
    """What the last step of a default pipeline is fitted with, beside the matrix and the targets."""
    target, age = targets(stream, used), ages(recipe, len(used), newest)
    weights = {"sample_weight": balanced(stream, target, age)}
    if recipe.calibration != "none":
        from trueup_model.calibration import folds_of

        weights |= {"ages": age, "folds": folds_of(target, used.meta["group"].to_numpy())}
    return weights


def fit(recipe: Recipe, stream: StreamSettings, rows: Rows, seed: int, newest: int) -> Fitted:
    """The recipe fitted on the labelled of `rows` (time order), as its history says of the `newest` of them.

    Classes weigh the same for every family, by weights per row; a team's own estimator balances as it likes.

    Raises:
        NotTrainable: the rows cannot be learnt from, or the estimator refuses them.
        ConfigError: a team's own candidate cannot be made.
    """
    used = learnable(stream, rows, recipe, newest)
    model = build(recipe, stream, seed)
    target = targets(stream, used)
    columns = used.features[list(stream.features)]
    if recipe.is_own:
        fit_estimator(recipe, model, columns, target)
    else:
        weights = learning_weights(recipe, stream, used, newest)
        fit_estimator(recipe, model, columns, target, **{f"model__{name}": given for name, given in weights.items()})
    return Fitted(model, recipe, used)


def fit_estimator(recipe: Recipe, estimator: Any, columns: Any, target: np.ndarray, **weights: np.ndarray) -> None:
    """Fits `estimator` in place.

    Raises:
        NotTrainable: it refuses the rows.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    try:
        # measured: on two busy cores the threads of BLAS wait for each other, 1.3 to 6.6 s against .6 s for one thread
        with threadpool_limits(1):
            estimator.fit(columns, target, **weights)
    except (ValueError, TypeError) as error:
        raise NotTrainable(
            f"Candidate {recipe.name} cannot be fitted on {len(target)} rows ({error}), so it is out of the contest. "
            "Check the columns it uses, or leave it out of training.candidates."
        ) from error


def answer(model: Any, stream: StreamSettings, features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The model's answers for n rows.

    Returns:
        predicted: n classes (object, text), or numbers (float64) for regression.
        score: for two classes the probability of the last (declared or sorted order), for more that of the answer;
            NaN for regression.

    Raises:
        ModelUnusable: the model, which the error names, fails on the rows, or gives another number of answers.
    """
    return read_answers(model, stream, features[list(stream.features)])


def read_answers(model: Any, stream: StreamSettings, columns: Any) -> tuple[np.ndarray, np.ndarray]:
    """As `answer`, from whatever the model takes: the feature columns, or the matrix made of them."""
    count = columns.shape[0]
    if not count:
        return np.empty(0, dtype=float if stream.is_regression else object), np.empty(0)
    with _telling(model, stream, count):
        if stream.is_regression:
            predicted, score = np.asarray(model.predict(columns), dtype=np.float64), np.full(count, np.nan)
        else:
            known = np.asarray(model.classes_).astype(str)
            decided, chances = _decided_with_chances(model, known, columns)
            predicted, score = decided.astype(object), score_of(stream, known, chances)
        if len(predicted) != count:
            raise ModelUnusable(
                f"The model gave {len(predicted)} answers for {count} rows of stream '{stream.name}', so none can be "
                "trusted. Its pipeline must read the feature columns, not their names."
            )
        if stream.is_regression and not np.isfinite(predicted).all():
            raise ModelUnusable(
                f"The model answers {int((~np.isfinite(predicted)).sum())} of {count} rows of stream '{stream.name}' "
                "with no finite number, so nothing was scored. Check the labels and numeric columns it was trained on."
            )
    return predicted, score


@contextmanager
def _telling(model: Any, stream: StreamSettings, count: int) -> Iterator[None]:
    """Whatever a model raises on `count` rows, as what it means, and with the model that it is about."""
    try:
        try:
            yield
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            raise ModelUnusable(
                f"The model fails on {count} rows of stream '{stream.name}' ({error}), so nothing was scored. Compare "
                "the stream's features with those the model was trained on; a rollback restores the previous one."
            ) from error
    except ModelUnusable as error:
        error.model = model
        raise


def chances_by_class(model: Any, stream: StreamSettings, features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The classes that the model knows (k, text) and the probability of each for n rows (n × k); k = 0 for regression.

    Raises:
        ModelUnusable: the model fails on the rows.
    """
    if stream.is_regression:
        return np.empty(0, dtype=object), np.empty((len(features), 0))
    columns = features[list(stream.features)]
    with _telling(model, stream, len(features)):
        return np.asarray(model.classes_).astype(str), _chances(model, columns)


def _chances(model: Any, columns: Any) -> np.ndarray:
    """Of each class; an uncalibrated margin, as the search compares it, is read as log-odds."""
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(columns))
    from scipy.special import expit, softmax

    margins = np.asarray(model.decision_function(columns))
    if margins.ndim > 1:
        return np.asarray(softmax(margins, axis=1))
    return np.stack([expit(-margins), expit(margins)], axis=1)


def _decided_with_chances(model: Any, known: np.ndarray, columns: Any) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest class, or what a calibrated model or one of another trainer decides; with the chances of each."""
    if hasattr(model, "predict_with_chances"):
        answers: tuple[np.ndarray, np.ndarray] = model.predict_with_chances(columns)
        return answers
    chances = _chances(model, columns)
    last = model[-1] if hasattr(model, "named_steps") else model
    if hasattr(last, "decide"):
        return np.asarray(last.decide(chances)).astype(str), chances
    return np.asarray(known[chances.argmax(axis=1)]), chances


def score_of(stream: StreamSettings, known: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """The score of n rows, as `answer` gives it, from the probability of each of the `known` classes (n × k)."""
    classes = ordered_classes(stream, known)
    if len(classes) != 2:
        return chances.max(axis=1)
    last = np.flatnonzero(known == classes[-1])
    return chances[:, last[0]] if len(last) else np.zeros(len(chances))
