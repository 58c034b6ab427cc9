"""The pictures and tables of a training, as people expect them beside its run in MLflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trueup.storage.errors import ModelUnusable
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.artifacts import answer_plots as drawn
from trueup.training.artifacts.error_examples import EXAMPLES_FILE, error_examples
from trueup.training.artifacts.importance_plots import draw_columns, draw_words, drops_by_column, moved_by_words
from trueup.training.artifacts.learning_curve import draw_learning, learning_curve
from trueup.training.models.fitting import Fitted, ordered_classes

PLOTS_FOLDER = "plots"


def pictures(
    stream: StreamSettings,
    fitted: Fitted,
    learning: Rows,
    judged: Rows,
    seed: int,
    clock: Callable[[], float],
    mask: Callable[[str], str] = str,
) -> dict[str, bytes]:
    """Files by name. What the rows or the model do not allow is left out.

    Args:
        learning: the training side, of which the learning curve is made.
        judged: the labelled evaluation rows with the model's answers; nothing is fitted on them.
        clock: seconds that never run back.
        mask: takes personal data out of a text that is shown.
    """
    answers = _answers(stream, fitted, judged)
    kinds: dict[str, bytes | None] = {}
    if stream.is_regression:
        kinds["residuals.png"] = drawn.residuals(answers)
    else:
        kinds["confusion_matrix.png"] = drawn.confusion(answers)
        kinds["roc_curve.png"] = drawn.roc(answers)
        kinds["precision_recall_curve.png"] = drawn.precision_recall(answers)
        kinds["calibration_curve.png"] = drawn.calibration(answers)
    kinds["learning_curve.png"] = draw_learning(
        stream, learning_curve(stream, fitted.recipe, learning, seed, clock)
    )
    kinds |= _inputs(stream, fitted, judged, answers, seed, mask)
    found = {f"{PLOTS_FOLDER}/{name}": picture for name, picture in kinds.items() if picture is not None}
    errors = error_examples(stream, judged, answers.classes, mask)
    return found if errors is None else {**found, EXAMPLES_FILE: errors}


def _inputs(
    stream: StreamSettings,
    fitted: Fitted,
    judged: Rows,
    answers: drawn.JudgedPredictions,
    seed: int,
    mask: Callable[[str], str],
) -> dict[str, bytes | None]:
    """What the model listens to; a team's own that cannot answer made records is not asked further."""
    try:
        moved = moved_by_words(stream, fitted.model, fitted.used, answers.known)
        drops = drops_by_column(stream, fitted.model, judged, answers.classes, seed)
    except ModelUnusable:
        return {}
    return {
        "top_words.png": draw_words(stream, moved, mask),
        "feature_importances.png": draw_columns(stream, drops, len(judged)),
    }


def _answers(stream: StreamSettings, fitted: Fitted, judged: Rows) -> drawn.JudgedPredictions:
    label, predicted = judged.meta["label"].to_numpy(), judged.meta["predicted"].to_numpy()
    if stream.is_regression:
        return drawn.JudgedPredictions(label.astype(float), predicted.astype(float), (), (), np.empty((0, 0)))
    known = tuple(np.asarray(fitted.model.classes_).astype(str))
    chances: Any = np.empty((0, len(known)))
    if len(judged):
        chances = np.asarray(fitted.model.predict_proba(judged.features[list(stream.features)]))
    return drawn.JudgedPredictions(
        label.astype(str), predicted.astype(str), ordered_classes(stream, np.array(known)), known, chances
    )
