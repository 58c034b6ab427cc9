"""How a model's figures grow with the rows it learns from: the winner's recipe on more and more of the history.

The newest fifth of the labelled training rows is judged on, forward in time; what is fitted ends before it, without the
groups that stand in it. Nothing of the evaluation side is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from trueup.storage.errors import ModelUnusable, NotTrainable
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.artifacts.canvas import BLUE, canvas, png
from trueup.training.candidates.recipes import Recipe
from trueup.training.models.fitting import answer, fit, ordered_classes
from trueup.training.models.metrics import metric_value

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)
JUDGED_SHARE, MOST_JUDGED = 0.2, 1000
LEAST_FITTED, _LEAST_JUDGED = 40, 30
TIME = 1.0  # seconds; a step that would probably end later is left out


@dataclass(frozen=True)
class Point:
    """What so many of the newest rows before the judged ones led to."""

    rows: int
    metric: float


def learning_curve(
    stream: StreamSettings, recipe: Recipe, learning: Rows, seed: int, clock: Callable[[], float]
) -> tuple[Point, ...]:
    """The points that fit into TIME seconds, the fewest rows first; none where the rows are too few.

    Args:
        learning: training side in time order, labelled or not.
        clock: seconds that never run back.
    """
    rows = learning.take(learning.labelled)
    judged = rows.newest(min(MOST_JUDGED, int(len(rows) * JUDGED_SHARE)))
    if len(judged) < _LEAST_JUDGED:
        return ()
    before = rows.take(slice(0, len(rows) - len(judged)))
    before = before.take(~np.isin(before.meta["group"].to_numpy(), judged.meta["group"].to_numpy()))
    classes = ordered_classes(stream, rows.meta["label"].to_numpy())
    whole = replace(recipe, history="all")  # how much of the past is learnt from is what the curve is about
    found: list[Point] = []
    started, fitting, answering = clock(), 0.0, 0.0
    for count in sorted({int(len(before) * share) for share in SHARES}):
        grown = count / found[-1].rows if found else 1
        if clock() - started + fitting * grown + answering > TIME:
            break
        if count < LEAST_FITTED:
            continue
        begun = clock()
        try:
            model = fit(whole, stream, before.newest(count), seed, count).model
            fitted = clock()
            answers = answer(model, stream, judged.features)
        except (NotTrainable, ModelUnusable):
            continue  # so few rows may know one class only
        fitting, answering = fitted - begun, clock() - fitted
        reached = metric_value(stream.metric, judged.meta["label"].to_numpy(), *answers, classes)
        if np.isfinite(reached):
            found.append(Point(count, reached))
    return tuple(found)


def draw_learning(stream: StreamSettings, curve: tuple[Point, ...]) -> bytes | None:
    """The metric against the number of rows; None below two points."""
    if len(curve) < 2:
        return None
    figure, axis = canvas("Learning curve: the newest history, judged on later rows")
    axis.plot([one.rows for one in curve], [one.metric for one in curve], "o-", color=BLUE)
    for one in curve:
        where = {"xytext": (0, 6), "textcoords": "offset points", "fontsize": 8}
        axis.annotate(f"{one.metric:.3g}", (one.rows, one.metric), **where)
    axis.set_xscale("log")
    axis.set_xticks([one.rows for one in curve], [f"{one.rows:,}" for one in curve], rotation=20)
    axis.minorticks_off()
    axis.margins(x=0.08, y=0.15)
    axis.set_xlabel("labelled rows learnt from", fontsize=9)
    axis.set_ylabel(f"{stream.metric} on later rows", fontsize=9)
    return png(figure)
