"""The search for the best recipe: successive halving over forward-chained validation on the training side.

Validation rows are the newest rows, in three contiguous blocks; for each block a recipe is fitted on what came before
it, without the rows whose group stands in the block, and scored on the block. So a candidate is judged as it will be
used: on later rows that it does not know. All are tried on the newest block, the best third of them on the one before
it as well, and the best third of those on all three (Jamieson and Talwalkar 2016, "Non-stochastic best arm
identification"). The best of many owes part of its lead to luck, so the winner is the earliest that the best does not
beat with certainty, which for the same reason is always among those that go on. Then its chances are calibrated, where
that helps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from trueup.storage.errors import ModelUnusable, NotTrainable
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.recipes import Recipe
from trueup.training.evaluation.gain import chance_better
from trueup.training.evaluation.paired import Paired
from trueup.training.models.feature_cache import Matrices, Predictions
from trueup.training.models.fitting import ordered_classes, targets
from trueup.training.models.metrics import all_metrics
from trueup.training.models.recency import recent_row_count
from trueup.training.models.validation_blocks import validation_blocks

SURE_OF_BETTER = 0.9  # chance that the best is better, below which the earlier candidate counts as its equal
KEEP = 1 / 3  # of the candidates, from one block to the next
FEW_CANDIDATES = 6  # candidates that are all judged on every block: too few to sift


@dataclass(frozen=True)
class Trial:
    """What one candidate showed: the mean metrics over the newest `blocks`, or why it could not be fitted.

    rungs: the mean metrics over the newest block, the newest two, … as it was judged by after each.
    """

    recipe: Recipe
    metrics: dict[str, float]
    seconds: float
    failed: str = ""
    blocks: int = 0
    rungs: tuple[Mapping[str, float], ...] = ()


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is.

    Attributes:
        recipe: judged last.
        done, of: fits, at most; candidates that fail leave some out.
        best, value: the best so far and its mean of the stream's metric; None before any is judged.
        seconds, limit: spent, and given.
    """

    recipe: Recipe
    done: int
    of: int
    best: Recipe | None
    value: float | None
    seconds: float
    limit: float

    @property
    def percent(self) -> float:
        """The share of the fits that are done, in percent."""
        return 100 * self.done / self.of

    @property
    def said(self) -> str:
        """The best so far, and the time that is left, as one line."""
        best = "none yet" if self.best is None else f"{self.best.name} {self.value:.3f}"
        left = max(0, round(self.limit - self.seconds))
        return f"{self.done} of at most {self.of} fits, best {best}, {left} s left"


@dataclass(frozen=True)
class SearchResult:
    """The winner, every trial in the order of the recipes, and the recipes left when the time was up."""

    winner: Recipe
    trials: tuple[Trial, ...]
    untried: tuple[Recipe, ...]


def search(
    stream: StreamSettings,
    rows: Rows,
    recipes: Sequence[Recipe],
    seed: int,
    clock: Callable[[], float],
    on_candidate: Callable[[SearchProgress], None] = lambda progress: None,
    keep: float = KEEP,
) -> SearchResult:
    """Tries `recipes` and names the first of the finalists that the best does not beat for sure.

    The best has the best mean of the stream's metric over the blocks.

    Args:
        rows: training side only, in time order, labelled or not.
        clock: seconds that never run back. After `training.time_limit` of them the best so far wins; one candidate is
            always tried.
        on_candidate: told of each candidate judged on a block.
        keep: the share that goes on from block to block; 1: all are judged on every block.

    Raises:
        ValueError: an evaluation row is among `rows`.
        NotTrainable: too few labelled rows, or no candidate could be fitted.
        ConfigError: a team's own candidate cannot be made.
    """
    blocks = validation_blocks(stream, rows)[::-1]  # the newest first
    labelled = rows.take(rows.labelled)
    classes = ordered_classes(stream, np.asarray(labelled.meta["label"]))
    matrices = Matrices(stream, labelled, blocks, seed, recent_row_count(stream, rows))
    sizes = rungs(len(recipes), len(blocks), keep)
    running = _Search(stream, matrices, classes, clock, sum(sizes), on_candidate)
    for at, size in enumerate(sizes):
        left = running.survivors(recipes, size, seed)
        if not running.judge(left, at):
            break
    winner = running.simplest_not_beaten(recipes, seed)
    winner = running.with_calibration(winner, seed)
    tried = [recipe for recipe in (*recipes, winner) if recipe in running.judged]
    return SearchResult(
        winner,
        tuple(running.judged[recipe].trial for recipe in dict.fromkeys(tried)),
        tuple(recipe for recipe in recipes if recipe not in running.judged),
    )


def rungs(candidates: int, blocks: int, keep: float) -> tuple[int, ...]:
    """How many candidates are judged on each block."""
    sizes = [candidates]
    for _ in range(blocks - 1):
        sizes.append(sizes[-1] if candidates <= FEW_CANDIDATES else max(1, math.ceil(sizes[-1] * keep)))
    return tuple(sizes)


@dataclass
class _Tried:
    """One candidate's answers and metrics, block by block from the newest, the seconds they took, or its failure."""

    recipe: Recipe
    answers: list[Predictions] = field(default_factory=list)
    metrics: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0
    failed: str = ""

    @property
    def trial(self) -> Trial:
        means = {} if self.failed else _mean(self.metrics)
        rungs = tuple(_mean(self.metrics[: k + 1]) for k in range(len(self.metrics)))
        return Trial(self.recipe, means, self.seconds, self.failed, len(self.metrics), rungs)


@dataclass
class _Search:
    """The candidates of one search as they stand."""

    stream: StreamSettings
    matrices: Matrices
    classes: tuple[str, ...]
    clock: Callable[[], float]
    planned: int
    on_candidate: Callable[[SearchProgress], None]
    judged: dict[Recipe, _Tried] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = self.clock()
        self.limit = self.stream.training.limit_span.total_seconds()
        self.matrices.goes_on = self.has_time

    def has_time(self) -> bool:
        return self.clock() - self.started < self.limit

    @property
    def time_is_up(self) -> bool:
        return any(one.metrics for one in self.judged.values()) and not self.has_time()

    def judge(self, recipes: Sequence[Recipe], at: int) -> bool:
        """Whether the time sufficed to judge them all on block `at`."""
        for recipe in recipes:
            if self.time_is_up:
                return False
            self._judge(recipe, at)
            best = max(self.judged.values(), key=self._rank)
            value = best.trial.metrics.get(self.stream.metric)
            self.on_candidate(
                SearchProgress(
                    recipe=recipe,
                    done=sum(len(one.metrics) for one in self.judged.values()),
                    of=self.planned,
                    best=None if value is None else best.recipe,
                    value=value,
                    seconds=self.clock() - self.started,
                    limit=self.limit,
                )
            )
        return True

    def _judge(self, recipe: Recipe, at: int, *, calibrated: bool = False) -> None:
        """Candidates are compared uncalibrated, as that takes one fit and not four; only the winner is `calibrated`."""
        one = self.judged.setdefault(recipe, _Tried(recipe))
        start = self.clock()
        try:
            given = self.matrices.answers(recipe if calibrated else replace(recipe, calibration="none"), at)
            truth = targets(self.stream, self.matrices.blocks[at].judged)
            one.metrics.append(all_metrics(self.stream.task, truth, *given, self.classes))
            one.answers.append(given)
        except (NotTrainable, ModelUnusable) as error:
            one.failed = str(error)
        one.seconds += self.clock() - start

    def _rank(self, one: _Tried) -> tuple[int, float]:
        """The higher the better: whoever was judged on more blocks has beaten the others on fewer."""
        value = one.trial.metrics.get(self.stream.metric)
        if value is None:
            return -1, 0.0
        return len(one.metrics), -value if self.stream.lower_is_better else value

    def survivors(self, recipes: Sequence[Recipe], size: int, seed: int) -> list[Recipe]:
        """The best `size` of those that were judged on all blocks so far, the one that would win now among them."""
        if not self.judged:
            return list(recipes)
        most = max(len(one.metrics) for one in self.judged.values())
        able = [one for one in self.judged.values() if len(one.metrics) == most and not one.failed]
        ahead = [one.recipe for one in sorted(able, key=self._rank, reverse=True)[:size]]
        winning = self.simplest_not_beaten(recipes, seed)
        return ahead if winning in ahead else [winning, *ahead[:-1]]

    def simplest_not_beaten(self, recipes: Sequence[Recipe], seed: int) -> Recipe:
        """The earliest of those judged on most blocks that the best of them does not beat with certainty."""
        able = [self.judged[r] for r in recipes if r in self.judged and self._rank(self.judged[r])[0] > 0]
        if not able:
            why = next((one.failed for one in self.judged.values() if one.failed), "")
            raise NotTrainable(
                f"None of {len(self.judged)} candidates of stream '{self.stream.name}' could be judged. "
                f"{why or f'{self.stream.metric} is defined on no block'}"
            )
        best = max(able, key=self._rank)  # max keeps the first of equals
        finalists = (one for one in able if len(one.metrics) == len(best.metrics))
        return next(
            one.recipe for one in finalists if one is best or not self._better(one, best, seed) >= SURE_OF_BETTER
        )

    def with_calibration(self, winner: Recipe, seed: int) -> Recipe:
        """The winner with calibrated chances, where these are nearer to the truth and it decides not surely worse."""
        if self.stream.is_regression or winner.is_own or winner.calibration != "none":
            return winner
        calibrated = replace(winner, calibration="sigmoid")
        plain = self.judged[winner]
        for at in range(len(plain.metrics)):
            self._judge(calibrated, at, calibrated=True)
        one = self.judged[calibrated]
        if one.failed or self._better(one, plain, seed) >= SURE_OF_BETTER:
            return winner
        return calibrated if self._loss(one) < self._loss(plain) else winner

    def _loss(self, one: _Tried) -> float:
        """Mean logarithmic loss of the scores over the blocks."""
        losses = []
        for block, (predicted, chance) in zip(self.matrices.blocks, one.answers, strict=False):
            truth = targets(self.stream, block.judged)
            happened = truth == (self.classes[-1] if len(self.classes) == 2 else predicted)
            losses.append(-np.log(np.clip(np.where(happened, chance, 1 - chance), 1e-15, 1)))
        return float(np.concatenate(losses).mean())

    def _better(self, one: _Tried, other: _Tried, seed: int) -> float:
        """The chance that `other` is better, from both answers to the same rows."""
        judged = self.matrices.blocks[: len(one.answers)]
        met = [block.judged.meta for block in judged]

        def all_of(answers: Sequence[Predictions], which: int) -> np.ndarray:
            return np.concatenate([given[which] for given in answers])

        paired = Paired(
            opponent="candidate",
            truth=np.concatenate([targets(self.stream, block.judged) for block in judged]),
            opponent_predicted=all_of(one.answers, 0),
            opponent_score=all_of(one.answers, 1),
            challenger_predicted=all_of(other.answers, 0),
            challenger_score=all_of(other.answers, 1),
            unit=np.concatenate([meta["group"].to_numpy() for meta in met]),
            evaluation=np.concatenate([meta["evaluation"].to_numpy() for meta in met]),
            classes=self.classes,
        )
        return chance_better(self.stream.metric, paired, seed)


def _mean(metrics: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric over the blocks where it is defined."""
    if not metrics:
        return {}
    found = {name: [block[name] for block in metrics if math.isfinite(block[name])] for name in metrics[0]}
    return {name: float(np.mean(values)) for name, values in found.items() if values}
