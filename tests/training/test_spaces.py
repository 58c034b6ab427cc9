"""What `training.spaces` names is drawn by seed, in its space, within the budget, and is searched like the rest."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_rows import Kind, make_rows, make_stream
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.estimators import FAMILIES
from trueup.training.candidates.recipes import Recipe, candidates
from trueup.training.candidates.spaces import PARAMETERS, Parameter, drawn_recipes, space_faults
from trueup.training.models.fitting import answer, fit
from trueup.training.search import search

BOOSTING = {"learning_rate": [0.03, 0.1, 0.3], "max_leaf_nodes": {"low": 7, "high": 63, "scale": "log"}}


def values_of(parameter: Parameter) -> st.SearchStrategy[Any]:
    """A number, a list or a range that a hyperparameter allows."""
    number = (
        st.integers(int(parameter.low), int(parameter.high))
        if parameter.whole
        else st.floats(parameter.low, parameter.high)
    )
    ends = st.tuples(number, number).map(sorted).filter(lambda pair: pair[0] < pair[1])
    scale = st.sampled_from(["linear", "log"])
    ranges = st.tuples(ends, scale).map(lambda told: {"low": told[0][0], "high": told[0][1], "scale": told[1]})
    allowed = ranges.filter(lambda told: told["low"] > 0 or told["scale"] == "linear")
    return number | st.lists(number, min_size=1, max_size=4) | allowed


def spaces_of(families: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Some families, each with some of its hyperparameters."""
    optional = {f: {name: values_of(p) for name, p in PARAMETERS[f].items()} for f in families}
    tables = {f: st.fixed_dictionaries({}, optional=inner).filter(bool) for f, inner in optional.items()}
    return st.fixed_dictionaries({}, optional=tables)


TABLES: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("table", ("logistic_regression", "random_forest", "gradient_boosting", "adaboost")),
    ("regression", ("ridge", "linear_svr", "random_forest", "gradient_boosting")),
    ("text", ("linear_svm", "logistic_regression", "gradient_boosting")),
)
SPACED = st.sampled_from(TABLES).flatmap(
    lambda told: st.builds(
        lambda spaces, budget: make_stream(told[0], spaces=spaces, configurations=budget),
        spaces_of(told[1]),
        st.integers(1, 40),
    )
)


def lies_in(value: object, written: Any) -> bool:
    """Whether a drawn value is one that was written."""
    if isinstance(written, dict):
        return bool(written["low"] <= value <= written["high"])
    return value in (written if isinstance(written, list) else [written])


@settings(max_examples=60, deadline=None)
@given(SPACED, st.integers(0, 2**31 - 1))
def test_what_is_drawn_lies_in_its_space_within_the_budget_without_doubles(stream: StreamSettings, seed: int) -> None:
    """Every value is one that was written; nothing is tried twice, neither of what is drawn nor of the defaults."""
    assert not list(space_faults(stream))
    drawn = drawn_recipes(stream, seed)
    assert len(drawn) <= stream.training.configurations
    assert len({*drawn, *candidates(stream)}) == len(drawn) + len(candidates(stream))
    for recipe in drawn:
        hyper = dict(recipe.hyper)
        for name, written in stream.training.spaces[recipe.model].items():
            assert lies_in(hyper[name], written), (name, written, hyper)
        assert Recipe.from_params(recipe.params()) == recipe


@settings(max_examples=30, deadline=None)
@given(SPACED, st.integers(0, 2**31 - 1))
def test_the_same_seed_draws_the_same_list(stream: StreamSettings, seed: int) -> None:
    """Also when the tables are written in another order."""
    turned = {family: dict(reversed(table.items())) for family, table in reversed(stream.training.spaces.items())}
    other = stream.model_copy(update={"training": stream.training.model_copy(update={"spaces": turned})})
    assert drawn_recipes(stream, seed) == drawn_recipes(other, seed)


def test_another_seed_draws_others() -> None:
    """And the budget is used up where the space is large enough."""
    stream = make_stream("table", spaces={"gradient_boosting": BOOSTING}, configurations=12)
    one, other = drawn_recipes(stream, 1), drawn_recipes(stream, 2)
    assert len(one) == len(other) == 12
    assert set(one) != set(other)


def test_every_value_of_a_list_is_tried_and_every_part_of_a_range() -> None:
    """Of twelve, four with each learning rate, and leaves from both ends of the range."""
    stream = make_stream("table", spaces={"gradient_boosting": BOOSTING}, configurations=12)
    for seed in range(5):
        drawn = [dict(recipe.hyper) for recipe in drawn_recipes(stream, seed)]
        rates = [hyper["learning_rate"] for hyper in drawn]
        assert min(rates.count(rate) for rate in (0.03, 0.1, 0.3)) >= 3
        leaves = [hyper["max_leaf_nodes"] for hyper in drawn]
        assert min(leaves) < 10
        assert max(leaves) > 45


def test_a_space_that_the_budget_covers_is_tried_whole() -> None:
    """Two values over three histories are six configurations; one that is a default already is not repeated."""
    stream = make_stream("table", spaces={"gradient_boosting": {"max_leaf_nodes": [15, 31], "max_iter": 100}})
    drawn = drawn_recipes(stream, 0)
    assert [dict(recipe.hyper)["max_leaf_nodes"] for recipe in drawn] == [31] * 3
    assert {recipe.history for recipe in drawn} == {"all", "newest", "aged"}


def test_families_share_the_budget_and_leave_each_other_what_they_do_not_need() -> None:
    """One value of the forest over three histories leaves seventeen of twenty to boosting."""
    spaces = {"gradient_boosting": BOOSTING, "random_forest": {"min_samples_leaf": 10}}
    drawn = drawn_recipes(make_stream("table", spaces=spaces), 0)
    models = [recipe.model for recipe in drawn]
    assert (models.count("random_forest"), models.count("gradient_boosting")) == (3, 17)


@pytest.mark.parametrize("kind", ["table", "regression"])
def test_every_hyperparameter_that_may_be_tuned_is_taken_by_its_estimator(kind: Kind) -> None:
    """A recipe with a value for each of them is fitted and answers."""
    stream, rows = make_rows(200, 0, kind)
    task = "regression" if kind == "regression" else "classification"
    tuned = [name for name in PARAMETERS if any(f.estimator.name == name and f.task == task for f in FAMILIES)]
    defaults = {recipe.model for recipe in candidates(stream)}
    for family in (name for name in tuned if name in defaults):
        spaces = {family: {name: 3 if p.whole else 0.5 for name, p in PARAMETERS[family].items()}}
        training = stream.training.model_copy(update={"spaces": spaces})
        spaced = stream.model_copy(update={"training": training})
        (recipe, *_) = drawn_recipes(spaced, 0)
        predicted, _ = answer(fit(recipe, spaced, rows, 0, 100).model, spaced, rows.features)
        assert len(predicted) == len(rows)


def test_a_drawn_candidate_wins_where_it_is_surely_better() -> None:
    """It goes through the same search as the candidates, and is among its trials."""
    stream, rows = make_rows(900, 0, "regression")
    useless = Recipe("ridge", "tabular", None, "all", (("alpha", 1e6),))
    spaces = {"ridge": {"alpha": {"low": 0.1, "high": 10.0, "scale": "log"}}}
    training = stream.training.model_copy(update={"spaces": spaces, "configurations": 4})
    drawn = drawn_recipes(stream.model_copy(update={"training": training}), 0)
    learning = rows.take(~rows.meta["evaluation"].to_numpy())
    found = search(stream, learning, (useless, *drawn), 0, lambda: 0.0)
    assert found.winner in drawn
    assert {*drawn} <= {trial.recipe for trial in found.trials}


def test_the_settings_page_names_what_can_be_tuned() -> None:
    """Each family with its hyperparameters, and no others."""
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    lines = re.findall(r"^- (`.+?`): (`.+)$", page.partition("What can be tried:")[2], flags=re.MULTILINE)
    told = {family: re.findall(r"`(\w+)`", named) for families, named in lines for family in families.split("`")[1::2]}
    assert told == {family: list(parameters) for family, parameters in PARAMETERS.items()}
