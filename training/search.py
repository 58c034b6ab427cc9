"""The search for the best recipe: forward-chained validation on the training side.

Validation rows are the newest rows, in three contiguous blocks; for each block a recipe is fitted on what came before
it, without the rows whose group stands in the block, and scored on the block. So a candidate is judged as it will be
used: on later rows that it does not know. The best of sixteen owes part of its lead to luck, so the winner is the
earliest, that is the plainest and that of the longest history, which the best does not beat with certainty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from storage.errors import ModelUnusable, NotTrainable
from storage.rows import Rows, stack
from storage.stream import Stream
from training.fitting import answer, balanced, classes_of, fit, fit_estimator, learnable, read_answers, targets
from training.gain import chance_better
from training.history import newest_records, window_records
from training.metrics import score
from training.paired import Paired
from training.pipelines import build
from training.recipes import Recipe

_Answers = tuple[np.ndarray, np.ndarray]  # predicted, score

BLOCKS = 3
LEAST_BLOCK = 30  # labelled rows; fewer cannot tell two candidates apart
WANTED_BLOCK = 100  # labelled rows, however small the window
WINDOWS = 2
SURE = 0.9  # chance that the best is better, below which the earlier candidate counts as its equal


@dataclass(frozen=True)
class Trial:
    """What one candidate showed: the mean figures over the blocks, or why it could not be fitted."""

    recipe: Recipe
    metrics: dict[str, float]
    seconds: float
    failed: str = ""


@dataclass(frozen=True)
class SearchResult:
    """The winner, every trial in the order tried, and the recipes left when the time was up."""

    winner: Recipe
    trials: tuple[Trial, ...]
    untried: tuple[Recipe, ...]


@dataclass(frozen=True)
class Block:
    """Rows to be judged on, and the rows before them that may be learnt from."""

    before: Rows
    judged: Rows


def validation_blocks(stream: Stream, rows: Rows) -> tuple[Block, ...]:
    """Three contiguous blocks of the newest labelled rows: together two windows, or 300 rows where those are fewer.

    Half of the rows at most. No more than that, or a change of concept that is two windows old would be outvoted by
    the rows before it, and no recipe that learns from the newest rows could win.

    Raises:
        ValueError: an evaluation row is among `rows`; no model is chosen by one (invariant 2).
        NotTrainable: the labelled rows are too few.
    """
    if rows.meta["evaluation"].any():
        raise ValueError("evaluation rows were passed to the search; a model may not be chosen by them")
    labelled = rows.take(rows.labelled)
    n = len(labelled)
    if n < 2 * BLOCKS * LEAST_BLOCK:
        raise NotTrainable(
            f"{n} labelled training rows are too few to compare candidates on; {2 * BLOCKS * LEAST_BLOCK} are needed. "
            "Bring in more labelled records."
        )
    validated = min(n // 2, max(WINDOWS * window_records(stream, labelled), BLOCKS * WANTED_BLOCK))
    edges = np.linspace(n - validated, n, BLOCKS + 1).astype(int)
    groups = labelled.meta["group"].to_numpy()
    return tuple(
        Block(
            labelled.take(np.flatnonzero(~np.isin(groups[:start], groups[start:stop]))),
            labelled.take(slice(start, stop)),
        )
        for start, stop in pairwise(edges)
    )


def search(
    stream: Stream,
    rows: Rows,
    recipes: Sequence[Recipe],
    seed: int,
    clock: Callable[[], float],
    on_candidate: Callable[[Trial], None] = lambda trial: None,
) -> SearchResult:
    """Tries `recipes` in their order and names the first that the best does not beat for sure.

    The best has the best mean of the stream's metric over the blocks.

    Args:
        rows: training side only, in time order, labelled or not.
        clock: seconds that never run back. After `training.time_limit` of them the best so far wins; one candidate is
            always tried to its end.
        on_candidate: told of each trial as it ends.

    Raises:
        ValueError: an evaluation row is among `rows`.
        NotTrainable: too few labelled rows, or no candidate could be fitted.
        ConfigError: a team's own candidate cannot be made.
    """
    blocks = validation_blocks(stream, rows)
    matrices = _Matrices(stream, blocks, seed, newest_records(stream, rows))
    classes = classes_of(stream, np.asarray(rows.meta["label"][rows.labelled]))
    deadline = clock() + stream.training.limit_span.total_seconds()
    judged = stack([block.judged for block in blocks], stream.columns)
    trials: list[Trial] = []
    answered: dict[Recipe, _Answers] = {}

    def result() -> SearchResult:
        winner = _plainest(stream, judged, classes, trials, answered, seed)
        return SearchResult(winner, tuple(trials), tuple(recipes[len(trials) :]))

    for recipe in recipes:
        start = clock()
        figures: list[dict[str, float]] = []
        answers: list[_Answers] = []
        failed = ""
        try:
            for at, block in enumerate(blocks):
                if any(trial.metrics for trial in trials) and clock() >= deadline:
                    return result()
                answers.append(matrices.answers(recipe, at))
                figures.append(score(stream.task, targets(stream, block.judged), *answers[-1], classes))
            predicted, chances = zip(*answers, strict=True)
            answered[recipe] = np.concatenate(predicted), np.concatenate(chances)
        except (NotTrainable, ModelUnusable) as error:
            failed = str(error)
        trials.append(Trial(recipe, {} if failed else _mean(figures), clock() - start, failed))
        on_candidate(trials[-1])
    return result()


def _mean(figures: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each figure over the blocks where it is defined."""
    found = {name: [block[name] for block in figures if math.isfinite(block[name])] for name in figures[0]}
    return {name: float(np.mean(values)) for name, values in found.items() if values}


def _plainest(
    stream: Stream,
    judged: Rows,
    classes: tuple[str, ...],
    trials: Sequence[Trial],
    answered: Mapping[Recipe, _Answers],
    seed: int,
) -> Recipe:
    """The earliest recipe that the best one does not beat with certainty on the same rows."""
    sign = -1 if stream.lower_is_better else 1
    able = [trial for trial in trials if stream.metric in trial.metrics]
    if not able:
        why = next((trial.failed for trial in trials if trial.failed), f"{stream.metric} is defined on no block")
        raise NotTrainable(f"None of {len(trials)} candidates of stream '{stream.name}' could be judged. {why}")
    best = max(able, key=lambda trial: sign * trial.metrics[stream.metric]).recipe  # max keeps the first of equals
    truth = targets(stream, judged)
    for trial in able:
        if trial.recipe == best:
            break
        paired = Paired(
            truth=truth,
            champion=answered[trial.recipe][0],
            champion_score=answered[trial.recipe][1],
            challenger=answered[best][0],
            challenger_score=answered[best][1],
            unit=judged.meta["group"].to_numpy(),
            evaluation=judged.meta["evaluation"].to_numpy(),
            classes=classes,
        )
        if not chance_better(stream.metric, paired, seed) >= SURE:
            return trial.recipe
    return best


@dataclass
class _Matrices:
    """The feature matrices of each block, made once for all models that read the same features."""

    stream: Stream
    blocks: tuple[Block, ...]
    seed: int
    newest: int
    made: dict[tuple[str, int | None, str, int], tuple[np.ndarray, Any, Any]] = field(default_factory=dict)

    def answers(self, recipe: Recipe, at: int) -> tuple[np.ndarray, np.ndarray]:
        """What `recipe`, fitted before block `at`, answers on it."""
        block = self.blocks[at]
        if recipe.is_own:
            fitted = fit(recipe, self.stream, block.before, self.seed, self.newest)
            return answer(fitted.model, self.stream, block.judged.features)
        target, known, judged = self._read(recipe, at)
        model = build(recipe, self.stream, self.seed).named_steps["model"]
        fit_estimator(recipe, model, known, target, sample_weight=balanced(self.stream, target))
        return read_answers(model, self.stream, judged)

    def _read(self, recipe: Recipe, at: int) -> tuple[np.ndarray, Any, Any]:
        key = (recipe.feature, recipe.max_features, recipe.history, at)
        if key not in self.made:
            columns = list(self.stream.features)
            used = learnable(self.stream, self.blocks[at].before, recipe, self.newest)
            features = build(recipe, self.stream, self.seed).named_steps["features"]
            known = features.fit_transform(used.features[columns])
            judged = features.transform(self.blocks[at].judged.features[columns])
            self.made[key] = targets(self.stream, used), known, judged
        return self.made[key]
