"""A stream with the model that trueup would train at the end of each window, each made once, whoever asks for it.

Search, fit, cross-fitting, references of checks and rows of gates are trueup's own; what is left out is the store, the
registry and reading models back. Model 0 is the first champion, model k the challenger of the k-th window's end.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from trueup.flows.check.labels import with_mature_labels
from trueup.monitoring.comparison import Comparison, Intake
from trueup.monitoring.window import window_of
from trueup.storage.rows import Rows, new_content, unique_content
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.recipes import Recipe
from trueup.training.evaluation.head_to_head import (
    Predictor,
    compare_on_new_rows,
    compare_on_older_rows,
    pair_predictions,
)
from trueup.training.evaluation.label_feed import AnsweredLabels
from trueup.training.evaluation.paired import Paired
from trueup.training.models.fitting import Fitted, answer, fit
from trueup.training.models.out_of_time import OutOfTime, out_of_time
from trueup.training.models.recency import recent_row_count, window_row_count
from trueup.training.search import search

SEED = 0
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Trained:
    """A model with its answers to all rows of the stream, and what is kept with a version of trueup."""

    fitted: Fitted
    predicted: np.ndarray
    score: np.ndarray
    reference: Rows
    quality: OutOfTime


@dataclass
class CourseOfModels:
    """ends: how many rows there are at the end of the history (0) and of each window (1, 2, …)."""

    stream: StreamSettings
    rows: Rows
    ends: tuple[int, ...]
    recipes: tuple[Recipe, ...]
    _trained: dict[int, Trained] = field(default_factory=dict)
    _crossed: dict[int, Paired] = field(default_factory=dict)
    _known: dict[int, Rows] = field(default_factory=dict)
    _made: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """What `make` gives, made once for a key, whichever policies ask for it."""
        if key not in self._made:
            self._made[key] = make()
        found: Kept = self._made[key]
        return found

    @cached_property
    def _place(self) -> pd.Index:
        return pd.Index(self.rows.meta["id"])

    @cached_property
    def _content(self) -> np.ndarray:
        return self.rows.meta["content"].to_numpy()

    def at(self, window: int) -> datetime:
        """The time of the newest record at a window's end."""
        moment: datetime = self.rows.meta["time"].iloc[self.ends[window] - 1].to_pydatetime()
        return moment.replace(tzinfo=UTC)

    def known(self, window: int) -> Rows:
        """All rows at a window's end, with the labels that count by then."""
        if window not in self._known:
            rows = self.rows.take(slice(0, self.ends[window]))
            self._known[window] = with_mature_labels(self.stream, rows, self.at(window))
        return self._known[window]

    def labels(self, first: int, window: int) -> int:
        """Labels of the rows between two ends that count at the later one."""
        return int(self.known(window).labelled[self.ends[first] :].sum())

    def trained(self, window: int) -> Trained:
        """The model of a window's end."""
        if window not in self._trained:
            rows = self.known(window)
            learning = rows.take(~rows.meta["evaluation"].to_numpy(dtype=bool))
            winner = search(self.stream, learning, self.recipes, SEED, lambda: 0.0).winner
            fitted = fit(winner, self.stream, learning, SEED, recent_row_count(self.stream, rows))
            predicted, score = answer(fitted.model, self.stream, self.rows.features)
            held = np.flatnonzero(rows.meta["evaluation"].to_numpy(dtype=bool))
            answered = rows.take(held).with_meta(predicted=predicted[held].astype(object), score=score[held])
            self._trained[window] = Trained(
                fitted, predicted, score, unique_content(answered, rows),
                out_of_time(self.stream, winner, rows, SEED),
            )  # fmt: skip
        return self._trained[window]

    def answered(self, model: int, which: np.ndarray, window: int) -> Rows:
        """Some rows, by their places, as a model answers them, with the labels that count at a window's end."""
        found = self.trained(model)
        return self.known(window).take(which).with_meta(
            predicted=found.predicted[which].astype(object), score=found.score[which]
        )

    def contest(self, champion: int, challenger: int) -> Paired:
        """The challenger and the champion on the rows newer than the champion's cut-off, as the gate compares them.

        The challenger's answers to its own training side are those of refits without the row's fold, made once for all
        champions: folds leave out rows since the history's end, a few more than the gate would.
        """
        if challenger not in self._crossed:
            rows = self.known(challenger)
            first = self.ends[0]
            self._crossed[challenger] = compare_on_new_rows(
                self.stream, self.trained(challenger).fitted, self._lookup(0), rows,
                cut_off=self.at(0), known_contents=self._content[:first], seed=SEED,
            )  # fmt: skip
        met = self._crossed[challenger]
        return self._against(champion, met, np.asarray(self._place.get_indexer(met.ids)))

    def against(self, other: int, met: Paired) -> Paired:
        """The same rows and challenger, with another model in the champion's place."""
        at = np.asarray(self._place.get_indexer(met.ids))
        found = self.trained(other)
        return replace(met, opponent_predicted=found.predicted[at], opponent_score=found.score[at])

    def _against(self, champion: int, met: Paired, at: np.ndarray) -> Paired:
        keep = (at >= self.ends[champion]) & ~np.isin(self._content[at], self._content[: self.ends[champion]])
        return self.against(champion, met.take(keep))

    def met_later(self, champion: int, challenger: int, window: int) -> Paired:
        """Both on the labelled rows between the later one's cut-off and a window's end that are new to both."""
        which = self.new_to(max(champion, challenger), window)
        rows = self.answered(challenger, which, window)
        its = self.trained(champion)
        met = pair_predictions(self.stream, rows, "champion", its.predicted[which], its.score[which])
        return replace(met, age=(self.ends[window] - 1 - which) / max(1, window_row_count(self.stream, self.rows)))

    def new_to(self, model: int, window: int) -> np.ndarray:
        """Places of the labelled rows since a model's cut-off whose content it does not know."""
        first, last = self.ends[model], self.ends[window]
        which = np.arange(first, last)[self.known(window).labelled[first:]]
        return which[~np.isin(self._content[which], self._content[:first])]

    def older(self, champion: int, challenger: int) -> Paired:
        """Both on older rows, as the gate compares them."""
        rows = self.known(challenger)
        return compare_on_older_rows(
            self.stream, self.trained(challenger).fitted, self._lookup(champion), rows, cut_off=self.at(champion)
        )

    def labels_before(self, champion: int) -> AnsweredLabels:
        """How a champion's labels were, as GATE-FEED knows them."""
        meta = self.trained(champion).quality.rows.meta
        kind = float if self.stream.is_regression else object
        return AnsweredLabels(
            truth=meta["label"].to_numpy().astype(kind), predicted=meta["predicted"].to_numpy().astype(kind),
            score=meta["score"].to_numpy(dtype=float),
        )  # fmt: skip

    def comparison(self, champion: int, window: int) -> Comparison:
        """What the check at a window's end compares; of the intake nothing is known."""
        first, last, policy = self.ends[champion], self.ends[window], self.stream.policy
        past, found = self.known(champion), self.trained(champion)
        since = self.answered(champion, np.arange(first, last), window)
        current = window_of(policy, since, cut_off=self.at(champion), as_of=self.at(window)).rows
        start = last - len(current)
        fresh = self.new_to(champion, window)
        newest = fresh[fresh >= start]
        judged = newest if len(newest) >= policy.min_labels else fresh[-policy.min_labels :]
        reached = last - (int(judged[0]) if len(judged) else start)
        return Comparison(
            reference=past.newest(policy.reference),
            current=current,
            model_reference=found.reference,
            model_current=new_content(current, past),
            quality_reference=found.quality.rows,
            quality_blocks=found.quality.blocks,
            quality_current=self.answered(champion, judged, window),
            quality_looks=max(1, -(-reached // max(1, last - start))),
            quality_own=len(newest),
            past=past,
            intake=Intake.nothing(),
            as_of=self.at(window),
            seed=window,
        )

    def _lookup(self, model: int) -> Predictor:
        found = self.trained(model)

        def its_answers(rows: Rows) -> Rows:
            at = np.asarray(self._place.get_indexer(rows.meta["id"]))
            return rows.with_meta(predicted=found.predicted[at].astype(object), score=found.score[at])

        return its_answers
