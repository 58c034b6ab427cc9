"""What MLflow's charts show of candidates: titles that differ, and parameters whose first ten letters do."""

from __future__ import annotations

import pytest

from trueup.storage.stream import StreamSettings
from trueup.training.candidates.recipes import Recipe, default_recipes
from trueup.training.candidates.run_params import NONE, full_title, run_params, title, varying_params

STREAMS = {
    "text": StreamSettings(name="t", time="at", text=("words",)),
    "columns": StreamSettings(name="c", time="at", numeric=("x",)),
    "numbers": StreamSettings(name="n", time="at", task="regression", text=("words",)),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_candidates_are_told_apart(kind: str) -> None:
    """Each has a title of its own, and no two values of a parameter begin with the same ten letters."""
    recipes = default_recipes(STREAMS[kind], embed=True)
    assert len({full_title(recipe) for recipe in recipes}) == len(recipes)
    params = varying_params(recipes)
    assert len({tuple(one.values()) for one in params}) == len(recipes)
    for name in params[0]:
        values = {one[name] for one in params}
        assert len({value[:10] for value in values}) == len(values) > 1


@pytest.mark.parametrize("kind", STREAMS)
def test_every_candidate_has_every_parameter_that_varies(kind: str) -> None:
    """MLflow's parallel coordinates drop a run that lacks one."""
    params = varying_params(default_recipes(STREAMS[kind], embed=True))
    assert len({tuple(one) for one in params}) == 1
    assert any(one["hyper.n_estimators"] == NONE for one in params)


def test_titles_are_read_aloud() -> None:
    """As a run's name has them; of a team's own candidate the function's name says enough."""
    recipe = Recipe("linear_svm", "union", 10_000, "newest", (("C", 0.3),), "sigmoid")
    assert title(recipe) == "linear_svm on words+chars"
    assert full_title(recipe) == "linear_svm on words+chars, newest rows, C 0.3, calibrated"
    assert run_params(recipe)["hyper.C"] == "0.3"
    assert title(Recipe("shop.models:deep", "own", None, "all")) == "deep"
