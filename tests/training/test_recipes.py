"""Candidates are built for every kind of stream, learn, and survive what real columns hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from tests.made_rows import Kind, make_rows, make_stream
from trueup.storage.errors import ConfigError, ModelUnusable, TrueupError
from trueup.storage.rows import Rows
from trueup.storage.stream import LabelPolicy, StreamSettings
from trueup.training.candidates.pipelines import build
from trueup.training.candidates.recipes import Recipe, candidates
from trueup.training.models.fitting import answer, fit
from trueup.training.models.metrics import all_metrics

MIXED = StreamSettings(
    name="mixed",
    time="at",
    text=("title", "body"),
    numeric=("price", "weight"),
    categorical=("shop",),
    label=LabelPolicy(column="y"),
)


def own_candidate(stream: StreamSettings) -> Pipeline:
    """A team's own factory, as `training.candidates` names it."""
    return make_pipeline(build(Recipe("ridge", "tabular", None, "all"), *_as_table(stream))[:-1], LogisticRegression())


def _as_table(stream: StreamSettings) -> tuple[StreamSettings, int]:
    return stream.model_copy(update={"task": "regression"}), 0


def own_without_chances(stream: StreamSettings) -> object:
    from sklearn.svm import LinearSVC

    return LinearSVC()


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("regression", 18),
        *(pytest.param(*kind, marks=pytest.mark.slow) for kind in (("text", 30), ("table", 18))),
    ],
)
def test_every_default_candidate_learns_its_kind_of_stream(kind: Kind, count: int) -> None:
    """Each family, fitted on the older rows, beats a constant on the newer ones."""
    stream, rows = make_rows(900, 1, kind)
    old, new = rows.take(slice(0, 700)), rows.take(slice(700, None))
    recipes = candidates(stream)
    assert len(recipes) == len(set(recipes)) == count
    truth = new.meta["label"].to_numpy()
    for recipe in recipes:
        predicted, chances = answer(fit(recipe, stream, old, 0, 300).model, stream, new.features)
        figures = all_metrics(stream.task, truth, predicted, chances, ("no", "yes"))
        if kind == "regression":
            assert figures["r2"] > 0.1, recipe
        else:
            assert figures["f1_macro"] > 0.55, recipe
            assert figures["roc_auc"] > 0.65, recipe


def test_recipes_survive_the_way_through_mlflow_params() -> None:
    """A recipe read back from its parameters is the same recipe, so a version can be made again."""
    for kind in ("text", "table", "regression"):
        for recipe in candidates(make_stream(kind)):
            assert Recipe.from_params(recipe.params()) == recipe


def _mixed_rows(n: int) -> Rows:
    _, rows = make_rows(n, 3, "text", noise=0.0)
    rng = np.random.default_rng(0)
    features = pd.DataFrame(
        {
            "title": rows.features["content"],
            "body": np.where(rng.random(n) < 0.3, None, rows.features["content"]),
            "price": rng.normal(0, 1, n),
            "weight": np.full(n, np.nan),
            "shop": rng.choice(["a", "b", None], n),
        }
    )
    return Rows(features, rows.meta)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", candidates(MIXED), ids=lambda recipe: recipe.name)
def test_dirty_columns_never_stop_a_model(recipe: Recipe) -> None:
    """Missing values, infinities, unseen levels, blank texts and signs without letters still get an answer each."""
    model = fit(recipe, MIXED, _mixed_rows(200), 0, 150).model
    dirty = pd.DataFrame(
        {
            "title": [None, "", "  ", "👍👍", float("nan"), "great \x00 lovely"],
            "body": [None] * 6,
            "price": [np.inf, -np.inf, np.nan, 1e300, 0.0, 5.0],
            "weight": [np.nan, 1.0, np.nan, np.nan, np.nan, np.nan],
            "shop": ["never seen", None, "a", "b", "a", "a"],
        }
    )
    predicted, chances = answer(model, MIXED, dirty)
    assert len(predicted) == len(chances) == 6
    assert set(predicted) <= {"no", "yes"}
    assert np.isfinite(chances).all()


def test_a_stream_of_blank_texts_can_be_fitted() -> None:
    """All texts empty leaves one word of our own instead of an error about an empty vocabulary."""
    stream, rows = make_rows(60, 0)
    blank = Rows(pd.DataFrame({"content": [None, "", " "] * 20}), rows.meta)
    for recipe in candidates(stream):
        predicted, _ = answer(fit(recipe, stream, blank, 0, 300).model, stream, rows.features)
        assert len(predicted) == 60


def test_classes_weigh_the_same() -> None:
    """With one negative in eight, no family answers everything positive."""
    stream, rows = make_rows(1600, 5, "text", noise=0.0)
    label = rows.meta["label"].to_numpy()
    rare = rows.take(np.flatnonzero((label == "yes") | (np.arange(len(rows)) % 5 == 0)))
    old, new = rare.take(slice(0, 800)), rare.take(slice(800, None))
    for recipe in candidates(stream):
        if recipe.history == "all":
            predicted, _ = answer(fit(recipe, stream, old, 0, 300).model, stream, new.features)
            negative = new.meta["label"].to_numpy() == "no"
            assert np.mean(predicted[negative] == "no") > 0.8, recipe


def test_the_score_is_the_chance_of_the_last_declared_class() -> None:
    """The declared order decides which class the score is about, not the alphabet."""
    stream, rows = make_rows(400, 0)
    turned = stream.model_copy(update={"label": LabelPolicy(column="stars", classes={"yes": ">=4", "no": "<=2"})})
    model = fit(candidates(stream)[0], stream, rows, 0, 300).model
    _, of_yes = answer(model, stream, rows.features)
    _, of_no = answer(model, turned, rows.features)
    np.testing.assert_allclose(of_yes + of_no, 1)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_model() -> None:
    """Fitting twice with one seed gives equal scores to the last digit, which `train --reproduce` stands on."""
    for kind in ("text", "table", "regression"):
        stream, rows = make_rows(300, 0, kind)
        for recipe in candidates(stream):
            first, second = (answer(fit(recipe, stream, rows, 7, 200).model, stream, rows.features) for _ in range(2))
            np.testing.assert_array_equal(first[0], second[0])
            np.testing.assert_array_equal(first[1], second[1])


def test_only_labelled_and_only_the_newest_rows_are_fitted() -> None:
    """A recipe of the newest history uses the newest labelled rows and no others."""
    stream, rows = make_rows(500, 0, unlabelled=0.3)
    labelled = rows.take(rows.labelled)
    every = candidates(stream)[0]
    newest = replace(every, history="newest")
    assert len(fit(every, stream, rows, 0, 100).used) == len(labelled)
    assert fit(newest, stream, rows, 0, 100).used.meta["id"].tolist() == labelled.newest(100).meta["id"].tolist()


def test_one_class_is_refused_in_words() -> None:
    """Labels of a single class name what was found and what is needed."""
    stream, rows = make_rows(100, 0)
    with pytest.raises(TrueupError, match=r"each of two classes, and the labels are yes: 100"):
        fit(candidates(stream)[0], stream, rows.with_meta(label="yes"), 0, 100)


def test_a_teams_own_candidate_is_tried_over_both_histories() -> None:
    """A factory named in the settings is imported, built and answers like the others."""
    stream, rows = make_rows(400, 0, "table")
    stream = stream.model_copy(
        update={"training": stream.training.model_copy(update={"candidates": (f"{__name__}:own_candidate",)})}
    )
    recipes = candidates(stream)
    assert [recipe.history for recipe in recipes] == ["all", "newest"]
    predicted, chances = answer(fit(recipes[0], stream, rows, 0, 100).model, stream, rows.features)
    assert set(predicted) == {"no", "yes"}
    assert chances.min() >= 0


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("logistic", "neither 'default' nor a factory"),
        ("no_such_module:make", "cannot be imported"),
        (f"{__name__}:nothing", "has no function 'nothing'"),
        (f"{__name__}:own_without_chances", "without predict_proba"),
    ],
)
def test_a_candidate_that_cannot_be_made_is_named(named: str, said: str) -> None:
    """A wrong entry of `training.candidates` is a matter of configuration, and says how to write it."""
    with pytest.raises(ConfigError, match=said):
        build(Recipe(named, "own", None, "all"), make_stream("table"), 0)


def test_a_pipeline_that_reads_column_names_is_found_out() -> None:
    """A vectoriser given the data frame answers once per column; that is refused instead of stored."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    stream, rows = make_rows(100, 0)
    silent = make_pipeline(TfidfVectorizer(), LogisticRegression())
    silent.fit(rows.features["content"], rows.meta["label"].astype(str))
    with pytest.raises(ModelUnusable, match="1 answers for 100 rows"):
        answer(silent, stream, rows.features)
