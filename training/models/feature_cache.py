"""The feature matrices of a recipe that is fitted again and again, each part of the work done once.

Texts are counted once for all recipes and blocks; a matrix is made once for all models that read the same features of
the same rows. What comes out is what the plain pipeline of `pipelines.build` would see, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from trueup.storage.errors import NotTrainable
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.pipelines import build_estimator, build_features
from trueup.training.candidates.recipes import SENTENCES, Recipe
from trueup.training.models.fitting import (
    answer,
    fit,
    fit_estimator,
    learnable,
    learning_weights,
    read_answers,
    targets,
)

Predictions = tuple[np.ndarray, np.ndarray]  # predicted, score


@dataclass(frozen=True)
class Block:
    """Rows to be judged on, and the rows before them that may be learnt from."""

    before: Rows
    judged: Rows


@dataclass(frozen=True)
class Matrix:
    """What a model of a block is fitted on, and what it is asked."""

    used: Rows
    known: Any
    judged: Any


@dataclass
class Matrices:
    """Answers of recipes to the rows of blocks.

    Args:
        rows: labelled, in time order; those of all blocks are among them.
        newest: rows that the history "newest" means.
        goes_on: whether there is time left, for what takes long by itself: embedding all texts.
    """

    stream: StreamSettings
    rows: Rows
    blocks: Sequence[Block]
    seed: int
    newest: int
    goes_on: Callable[[], bool] = lambda: True
    _tables: dict[tuple[str, str], Any] = field(default_factory=dict)
    _made: dict[tuple[str, int | None, bool, int], Matrix] = field(default_factory=dict)

    def answers(self, recipe: Recipe, at: int) -> Predictions:
        """What `recipe`, fitted before block `at`, answers on it.

        Raises:
            NotTrainable: it cannot be fitted.
            ModelUnusable: it does not answer.
        """
        block = self.blocks[at]
        if recipe.is_own:
            fitted = fit(recipe, self.stream, block.before, self.seed, self.newest)
            return answer(fitted.model, self.stream, block.judged.features)
        matrix = self._matrix(recipe, at)
        model = build_estimator(recipe, self.stream, self.seed)
        weights = learning_weights(recipe, self.stream, matrix.used, self.newest)
        fit_estimator(recipe, model, matrix.known, targets(self.stream, matrix.used), **weights)
        return read_answers(model, self.stream, matrix.judged)

    def answered(self, recipe: Recipe, at: int) -> Rows:
        """The rows of block `at` with what `recipe`, fitted before it, answers; raises as `answers`."""
        predicted, score = self.answers(recipe, at)
        return self.blocks[at].judged.with_meta(predicted=predicted.astype(object), score=score)

    def _matrix(self, recipe: Recipe, at: int) -> Matrix:
        key = (recipe.feature, recipe.max_features, recipe.history == "newest", at)
        if key not in self._made:
            block = self.blocks[at]
            used = learnable(self.stream, block.before, recipe, self.newest)
            made = build_features(recipe, self.stream, self._counting)
            known = made.fit_transform(self._read(used))
            self._made[key] = Matrix(used, known, made.transform(self._read(block.judged)))
        return self._made[key]

    def _counting(self, column: str, kind: str, limit: int | None) -> Any:
        from trueup_model.text_counts import Selected, Table

        if (column, kind) not in self._tables:
            texts = self.rows.features[[column]]
            self._tables[column, kind] = Table(texts, kind, self._embedded(texts) if kind == SENTENCES else None)
        return Selected(self._tables[column, kind], limit)

    def _embedded(self, texts: pd.DataFrame) -> np.ndarray:
        """The sentence embeddings of a column.

        Raises:
            NotTrainable: there was no time for them, or they cannot be made here any more.
        """
        from trueup_model.cleaning import plain_text
        from trueup_model.embeddings import ReadingTimeIsUp, embed
        from trueup_model.weights import EmbeddingsUnusable, weights_in_use

        try:
            return embed(weights_in_use(), plain_text(texts), self.goes_on)
        except (EmbeddingsUnusable, ReadingTimeIsUp) as error:
            raise NotTrainable(f"Sentence embeddings are out of the contest: {error}") from error

    def _read(self, part: Rows) -> pd.DataFrame:
        """The feature columns of some of the rows; where a text stood, its position among all."""
        if not self.stream.text:
            return part.features[list(self.stream.features)]
        place = pd.Index(self.rows.meta["seq"]).get_indexer(part.meta["seq"])
        return part.features[list(self.stream.features)].assign(**dict.fromkeys(self.stream.text, place))
