"""What the search does once for all candidates comes to the very answers of the plain pipelines."""

from __future__ import annotations

import numpy as np
import pytest

from tests.made_rows import Kind, make_rows
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.candidates import recipes as recipes
from trueup.training.candidates.recipes import Recipe, candidates, default_recipes
from trueup.training.models.feature_cache import Matrices
from trueup.training.models.fitting import answer, fit
from trueup.training.models.recency import recent_row_count
from trueup.training.models.validation_blocks import validation_blocks
from trueup.training.search import search
from trueup_model.text_counts import Table


def _same_as_plain(stream: StreamSettings, rows: Rows, tried: tuple[Recipe, ...]) -> None:
    blocks = validation_blocks(stream, rows)
    newest = recent_row_count(stream, rows)
    shared = Matrices(stream, rows.take(rows.labelled), blocks, 7, newest)
    for recipe in tried:
        for at, block in enumerate(blocks):
            plain = fit(recipe, stream, block.before, 7, newest).model
            expected = answer(plain, stream, block.judged.features)
            for given, wanted in zip(shared.answers(recipe, at), expected, strict=True):
                np.testing.assert_array_equal(given, wanted, err_msg=recipe.name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "table", "regression"])
def test_shared_work_gives_the_answers_of_the_plain_pipeline(kind: Kind) -> None:
    """Every kind of default candidate answers each block to the last bit as its own pipeline, fitted alone, does."""
    stream, rows = make_rows(500, 2, kind, unlabelled=0.1)
    rows = rows.take(~rows.meta["evaluation"].to_numpy())
    slow = ("random_forest", "gradient_boosting", "adaboost")
    _same_as_plain(stream, rows, tuple(r for r in candidates(stream) if r.history != "all" or r.model in slow[:1]))


def test_hashed_words_and_calibration_are_shared_the_same_way() -> None:
    """So do hashed words, and the calibrated form of a candidate."""
    stream, rows = make_rows(700, 2)
    rows = rows.take(~rows.meta["evaluation"].to_numpy())
    calibrated = Recipe("linear_svm", "union", 500, "aged", (("C", 0.3),), "sigmoid")
    _same_as_plain(stream, rows, (*default_recipes(stream, 10**9)[:3], calibrated))


def test_words_of_a_limit_are_those_of_the_plain_vectoriser() -> None:
    """With more words than may be kept, the shared count keeps the very words of the pipeline, ties included."""
    stream, rows = make_rows(700, 3)
    rows = rows.take(~rows.meta["evaluation"].to_numpy())
    counts = Recipe("naive_bayes", "bow", 40, "all", (("smoothing", 0.5),))
    _same_as_plain(stream, rows, (counts, Recipe("logistic_regression", "union", 90, "newest", (("C", 1.0),))))


@pytest.mark.slow
def test_texts_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One search counts a column's words, single words and letters once each, however many candidates there are."""
    made: list[str] = []
    build = Table.__init__

    def counted(self: Table, column: object, kind: str, *given: object) -> None:
        made.append(kind)
        build(self, column, kind, *given)

    monkeypatch.setattr(Table, "__init__", counted)
    stream, rows = make_rows(600, 0)
    search(stream, rows.take(~rows.meta["evaluation"].to_numpy()), candidates(stream), 0, lambda: 0.0)
    assert sorted(made) == ["letters", "single words", "words"]


def test_much_text_is_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the stated number of characters every candidate hashes its words, and learns from them."""
    stream, rows = make_rows(600, 0)
    assert "hashed" not in {recipe.feature for recipe in candidates(stream, rows)}
    monkeypatch.setattr(recipes, "MUCH_TEXT", 1000)
    tried = candidates(stream, rows)
    assert {recipe.feature for recipe in tried} == {"hashed"}
    found = search(stream, rows.take(~rows.meta["evaluation"].to_numpy()), tried, 0, lambda: 0.0)
    assert found.trials[0].metrics["f1_macro"] > 0.7
