"""The rows on which champion and challenger meet: labelled, and unknown to both.

New rows (after the champion's cut-off, content not in its snapshot) are out of sample for the champion on both sides of
the split. For the challenger the evaluation side is; the training side becomes so by cross-fitting: its recipe, fitted
again without the fold, answers the fold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from trueup.storage.rows import Rows, new_content, stack
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import utc
from trueup.training.evaluation.paired import Opponent, Paired
from trueup.training.models.feature_cache import Block, Matrices
from trueup.training.models.fitting import Fitted, answer, ordered_classes, targets
from trueup.training.models.recency import recent_row_count, window_row_count

CROSS_FIT_FOLDS = 5
Predictor = Callable[[Rows], Rows]  # the rows that a version answers, in their order, with its answers
FOLD_HASH = np.uint64(0x9E3779B97F4A7C15)  # golden-ratio multiplier: folds do not follow the bits that chose the side


def compare_on_new_rows(
    stream: StreamSettings,
    challenger: Fitted,
    champion: Predictor,
    rows: Rows,
    *,
    cut_off: datetime,
    known_contents: np.ndarray,
    seed: int,
) -> Paired:
    """The answers of both to the new rows.

    Of a model that nobody here can fit again only the evaluation side, and what was answered out of fold elsewhere.

    Args:
        challenger: the final fit, on the training side of `rows`.
        champion: what it answers; new rows that it did not answer are left out.
        rows: the challenger's snapshot in time order, both sides, labelled or not.
        cut_off: the champion's.
        known_contents: content hashes of the champion's snapshot.

    Raises:
        ModelUnusable: a model fails on the rows.
        TrueupError: a fold leaves too little to learn from.
    """
    meta = rows.meta
    after = meta["time"].to_numpy() > np.datetime64(utc(cut_off).replace(tzinfo=None), "us")
    fresh = champion(rows.take(after & rows.labelled & ~np.isin(meta["content"].to_numpy(), known_contents)))
    newest = recent_row_count(stream, rows)
    training = rows.take(rows.labelled & ~meta["evaluation"].to_numpy(dtype=bool))

    refitted = not challenger.recipe.is_foreign
    judged = []
    if refitted:
        blocks = _forward(fresh, training) if stream.series else _folds(_side(fresh, False), training)
        refits = Matrices(stream, rows.take(rows.labelled), blocks, seed, newest)
        judged = [refits.answered(challenger.recipe, at) for at in range(len(blocks))]
    elif challenger.out_of_fold is not None:
        out_of_fold = challenger.out_of_fold
        judged.append(out_of_fold.take(out_of_fold.meta["seq"].isin(fresh.meta["seq"]).to_numpy()))
    if not (stream.series and refitted):
        judged.append(_answered(stream, challenger.model, new_content(_side(fresh, True), challenger.used)))
    met = stack(judged, stream.columns)
    return replace(_pair(stream, met, fresh), age=_ages(stream, met, rows))


def _ages(stream: StreamSettings, met: Rows, rows: Rows) -> np.ndarray:
    """How many windows of `rows` came after each of those met."""
    later = len(rows) - 1 - pd.Index(rows.meta["seq"]).get_indexer(met.meta["seq"])
    return np.asarray(later / max(1, window_row_count(stream, rows)))


def compare_on_later_rows(
    stream: StreamSettings,
    challenger: Fitted,
    champion: Predictor,
    rows: Rows,
    *,
    since: datetime,
    known_contents: np.ndarray,
) -> Paired:
    """The answers of both to the rows after the cut-offs of both: nothing has to be fitted again for that.

    Args: as of `compare_on_new_rows`, with `rows` all that is known by now, `since` the later of both cut-offs and the
    contents of both snapshots.
    """
    meta = rows.meta
    after = meta["time"].to_numpy() > np.datetime64(utc(since).replace(tzinfo=None), "us")
    fresh = champion(rows.take(after & rows.labelled & ~np.isin(meta["content"].to_numpy(), known_contents)))
    met = _answered(stream, challenger.model, fresh)
    return replace(_pair(stream, met, fresh), age=_ages(stream, met, rows))


def model_predictor(stream: StreamSettings, model: Any) -> Predictor:
    """A model's answers: to every row."""
    return lambda rows: _answered(stream, model, rows)


def compare_on_older_rows(
    stream: StreamSettings, challenger: Fitted, champion: Predictor, rows: Rows, *, cut_off: datetime
) -> Paired:
    """The answers of both to rows that the champion's snapshot holds and neither was fitted on.

    Args: as of `compare_on_new_rows`.

    These are the newest `policy.reference` labelled evaluation rows up to the champion's cut-off whose content stands
    nowhere on the training side.
    """
    before = rows.meta["time"].to_numpy() <= np.datetime64(utc(cut_off).replace(tzinfo=None), "us")
    labelled = _side(rows.take(before & rows.labelled), True)
    older = champion(new_content(labelled, _side(rows, False)).newest(stream.policy.reference))
    return _pair(stream, _answered(stream, challenger.model, older), older)


def compare_on_held_out_rows(
    stream: StreamSettings, challenger: Fitted, champion: Predictor, rows: Rows, *, since: datetime | None
) -> Paired:
    """The answers of both to the evaluation side of rows that both were trained beside.

    Args: as of `compare_on_new_rows`, with `since` the time after which rows count; None: all do.

    Rows whose content stands on the training side are left out.
    """
    labelled = _side(rows.take(rows.labelled), True)
    if since is not None:
        start = np.datetime64(utc(since).replace(tzinfo=None), "us")
        labelled = labelled.take(labelled.meta["time"].to_numpy() > start)
    held_out = champion(new_content(labelled, _side(rows, False)))
    met = _answered(stream, challenger.model, held_out)
    return replace(_pair(stream, met, held_out), age=_ages(stream, met, rows))


def compare_with_constant(stream: StreamSettings, challenger: Fitted, rows: Rows) -> Paired:
    """The labelled evaluation rows, answered by the model and by a constant.

    The constant is the commonest class, or the mean, of what the model was fitted on; rows whose content stands in that
    are left out.
    """
    fresh = new_content(_side(rows.take(rows.labelled), True), challenger.used)
    met = _answered(stream, challenger.model, fresh)
    known = targets(stream, challenger.used)
    if stream.is_regression:
        constant: object = float(known.mean())
    else:
        names, counts = np.unique(known, return_counts=True)
        constant = names[counts.argmax()]
    always = np.full(len(met), constant, dtype=float if stream.is_regression else object)
    return pair_predictions(stream, met, "constant", always, np.full(len(met), 0.5))


def _side(rows: Rows, evaluation: bool) -> Rows:
    return rows.take(rows.meta["evaluation"].to_numpy(dtype=bool) == evaluation)


def _answered(stream: StreamSettings, model: Any, rows: Rows) -> Rows:
    predicted, score = answer(model, stream, rows.features)
    return rows.with_meta(predicted=predicted.astype(object), score=score)


def fold_of(groups: np.ndarray) -> np.ndarray:
    """The fold (0 to CROSS_FIT_FOLDS - 1) that each group, named by its hash, falls on."""
    return (groups.astype(np.uint64) * FOLD_HASH >> np.uint64(40)) % np.uint64(CROSS_FIT_FOLDS)


def _folds(fresh: Rows, training: Rows) -> list[Block]:
    """Five folds by a hash of the group; a fold's model knows neither its groups nor its contents."""
    folds = fold_of(fresh.meta["group"].to_numpy())
    return [_without(training, fresh.take(folds == fold)) for fold in np.unique(folds)]


def _forward(fresh: Rows, training: Rows) -> list[Block]:
    """Six blocks of time, each answered by a model of what came before it; the first is only learnt from.

    Neighbours of a series know each other's answer, also across the split. Measured on elec2 (eight champions): a
    challenger's gain of macro-F1 on the next two windows was .035 on average; so judged .034, with folds by hash .104.
    """
    blocks = _time_blocks(fresh, CROSS_FIT_FOLDS + 1)
    when = training.meta["time"].to_numpy()
    judged = [fresh.take(blocks == number) for number in np.unique(blocks)[1:]]
    return [_without(training.take(when < block.meta["time"].to_numpy()[0]), block) for block in judged]


def _without(training: Rows, judged: Rows) -> Block:
    """What may be learnt from before these rows are answered: neither their groups nor their contents."""
    own = np.isin(training.meta["group"].to_numpy(), judged.meta["group"].to_numpy())
    return Block(new_content(training.take(~own), judged), judged)


def _time_blocks(rows: Rows, count: int) -> np.ndarray:
    """The contiguous block (0 to count - 1) of each time-ordered row; a group stands whole in its first row's."""
    blocks = np.arange(len(rows)) * count // max(len(rows), 1)
    _, first, which = np.unique(rows.meta["group"].to_numpy(), return_index=True, return_inverse=True)
    return np.asarray(blocks[first][which])


def _pair(stream: StreamSettings, judged: Rows, champion: Rows) -> Paired:
    """Rows that the challenger answered, paired with what the champion answered to the same ones (by `seq`)."""
    its = champion.meta.iloc[pd.Index(champion.meta["seq"]).get_indexer(judged.meta["seq"])]
    return pair_predictions(stream, judged, "champion", its["predicted"].to_numpy(), its["score"].to_numpy())


def pair_predictions(
    stream: StreamSettings, met: Rows, opponent: Opponent, opponent_predicted: np.ndarray, opponent_score: np.ndarray
) -> Paired:
    """Labelled rows in time order with the challenger's answers, paired with the opponent's answers to them."""
    truth = targets(stream, met)
    kind = float if stream.is_regression else object
    unit = met.meta["group"].to_numpy()
    if stream.series:
        unit = _time_blocks(met, max(1, round(len(met) ** 0.5)))  # long enough that blocks hardly depend on each other
    return Paired(
        opponent=opponent,
        truth=truth.astype(kind),
        opponent_predicted=opponent_predicted.astype(kind),
        challenger_predicted=met.meta["predicted"].to_numpy().astype(kind),
        opponent_score=opponent_score.astype(float),
        challenger_score=met.meta["score"].to_numpy(dtype=float),
        unit=unit,
        evaluation=met.meta["evaluation"].to_numpy(dtype=bool),
        classes=ordered_classes(stream, truth),
        slices={column: met.features[column].to_numpy() for column in stream.slices},
        ids=met.meta["id"].to_numpy(),
    )
