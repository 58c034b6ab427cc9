"""The challengers of a made stream, one at each window's end, as trueup trains them and lets them meet a champion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from benchmarks.promotion.made_streams import WINDOWS, Made
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.recipes import Recipe
from trueup.training.evaluation.head_to_head import compare_on_new_rows, compare_on_older_rows, model_predictor
from trueup.training.evaluation.paired import Paired
from trueup.training.models.fitting import Fitted, answer, fit, ordered_classes
from trueup.training.models.metrics import metric_value
from trueup.training.models.recency import recent_row_count
from trueup.training.search import search

SEED = 0
TRIED = tuple(
    Recipe(model, "tabular", None, history, hyper)
    for history in ("all", "newest")
    for model, hyper in (
        ("logistic_regression", (("C", 1.0),)),
        ("naive_bayes", (("smoothing", 0.5),)),
        ("random_forest", (("n_estimators", 20), ("min_samples_leaf", 2))),
    )
)


@dataclass(frozen=True)
class Attempts:
    """What a stream's first champion (model 0) and its challengers (1 to 4) are worth, and how they met.

    worth: macro-F1 of each model on the fresh rows. met: by (champion, challenger), the same rows newer than the
    champion's cut-off answered by both, in time order. older: the same of the evaluation rows up to that cut-off.
    """

    kind: str
    seed: int
    window: int
    worth: tuple[float, ...]
    met: dict[tuple[int, int], Paired]
    older: dict[tuple[int, int], Paired]


def attempts(made: Made, seed: int) -> Attempts:
    """All that could come to be held against each other, whatever is promoted on the way."""
    stream = made.stream
    ends = [made.known + look * made.window for look in range(WINDOWS + 1)]
    models = [_fitted(stream, made.rows.take(slice(0, end))) for end in ends]
    met: dict[tuple[int, int], Paired] = {}
    older: dict[tuple[int, int], Paired] = {}
    for challenger in range(1, WINDOWS + 1):
        rows = made.rows.take(slice(0, ends[challenger]))
        first = _contest(stream, models[challenger], models[0], rows, made.known)
        for champion in range(challenger):
            later = slice(ends[champion] - made.known, None)
            met[champion, challenger] = _answered_by(stream, models[champion].model, first, rows, made.known, later)
            older[champion, challenger] = compare_on_older_rows(
                stream,
                models[challenger],
                model_predictor(stream, models[champion].model),
                rows,
                cut_off=_time(rows, ends[champion]),
            )
    return Attempts(made.kind, seed, made.window, tuple(_worth(made, fitted.model) for fitted in models), met, older)


def _fitted(stream: StreamSettings, rows: Rows) -> Fitted:
    learning = rows.take(~rows.meta["evaluation"].to_numpy())
    winner = search(stream, learning, TRIED, SEED, lambda: 0.0).winner
    return fit(winner, stream, learning, SEED, recent_row_count(stream, rows))


def _contest(stream: StreamSettings, challenger: Fitted, champion: Fitted, rows: Rows, known: int) -> Paired:
    return compare_on_new_rows(
        stream,
        challenger,
        model_predictor(stream, champion.model),
        rows,
        cut_off=_time(rows, known),
        known_contents=rows.meta["content"].to_numpy()[:known],
        seed=SEED,
    )


def _time(rows: Rows, end: int) -> datetime:
    return rows.meta["time"].iloc[end - 1].to_pydatetime().replace(tzinfo=UTC)


def _answered_by(stream: StreamSettings, champion: Any, met: Paired, rows: Rows, known: int, later: slice) -> Paired:
    """The part of a contest that lies after another champion's cut-off, with its answers."""
    predicted, chances = answer(champion, stream, rows.take(slice(known, None)).features)
    return replace(
        met,
        truth=met.truth[later],
        opponent_predicted=predicted[later],
        challenger_predicted=met.challenger_predicted[later],
        opponent_score=chances[later],
        challenger_score=met.challenger_score[later],
        unit=met.unit[later],
        evaluation=met.evaluation[later],
        age=None if met.age is None else met.age[later],
    )


def _worth(made: Made, model: Any) -> float:
    predicted, chances = answer(model, made.stream, made.fresh.features)
    truth = np.asarray(made.fresh.meta["label"].astype(str))
    return metric_value("f1_macro", truth, predicted, chances, ordered_classes(made.stream, truth))
