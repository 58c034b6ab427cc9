"""What drawing hyperparameters gains is told from the cases alone: chosen on one half, shown on the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.promotion import tuning
from benchmarks.promotion.made_tables import RULES, made_table
from benchmarks.promotion.tuning import (
    DEFAULT,
    LARGER,
    WAYS,
    best_way,
    case,
    every_case,
    gain,
    page,
    spaces_of_way,
    times,
)
from trueup.training.candidates.recipes import candidates
from trueup.training.candidates.spaces import drawn_recipes, space_faults


def told(task: str, shown: bool, **metrics: float) -> dict[str, Any]:
    """A case in which each way comes to a metric; those that are not named to that of the default."""
    named = {LARGER: metrics.get("larger", metrics["default"])}
    ways = {way: {"metric": named.get(way, metrics["default"]), "best": metrics["default"], "tried": 18 + most,
                  "seconds": 1.0 + most} for way, most in WAYS.items()}  # fmt: skip
    return {"set": "made", "task": task, "shown": shown, "ways": ways}


def test_a_gain_is_points_of_a_metric_and_percent_of_an_error() -> None:
    """.80 to .82 are two points; an error of 9 after 10 is smaller by ten percent."""
    assert gain(told("classification", True, default=0.80, larger=0.82), LARGER) == pytest.approx(2)
    assert gain(told("regression", True, default=10.0, larger=9.0), LARGER) == pytest.approx(10)


def test_the_way_is_chosen_on_one_half_and_shown_on_the_other() -> None:
    """The verdict names what won where ways were chosen, with its gain on the other cases and its time."""
    cases = [told("classification", shown, default=0.8, larger=0.83 if shown else 0.82) for shown in (True, False)] * 3
    assert best_way([one for one in cases if not one["shown"]]) == LARGER
    assert times(cases, LARGER) == 4
    said = "\n".join(page({"cases": cases}))
    assert f"Chosen on one half: {LARGER}. On the other it gains +3.00 [+3.00, +3.00] points of macro-F1" in said
    assert "more than nothing." in said
    lost = [told("classification", shown, default=0.8, larger=0.79) for shown in (True, False)]
    assert "nothing gained over the default" in "\n".join(page({"cases": lost}))


def test_half_of_the_cases_are_shown() -> None:
    """Each made table and real set has as many cases to choose by as are shown."""
    names = [name.rsplit(",", 1) for name in every_case()]
    seeds = [last for _, last in names if "seed" in last]
    assert len(names) == len(every_case())
    assert seeds.count(" seed 1") == seeds.count(" seed 2")


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_every_way_can_be_set(task: str) -> None:
    """The spaces that are compared are those that a person could write, and draw as many as they say."""
    stream, _ = made_table("additive", task, 100, 0)
    for way, most in WAYS.items():
        update = {"spaces": spaces_of_way(way, task), "configurations": max(most, 1)}
        spaced = stream.model_copy(update={"training": stream.training.model_copy(update=update)})
        assert not list(space_faults(spaced))
        assert len(drawn_recipes(spaced, 0)) == most


def test_made_tables_come_again() -> None:
    """The same seed gives the same rows; each rule has both tasks."""
    for rule in RULES:
        (_, one), (stream, other) = (made_table(rule, "regression", 50, 3) for _ in range(2))
        assert one.features.equals(other.features)
        assert np.array_equal(one.meta["label"], other.meta["label"])
        assert stream.is_regression
        assert set(made_table(rule, "classification", 50, 3)[1].meta["label"]) == {"no", "yes"}


def test_a_case_is_searched_by_every_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way names a winner among its candidates, none better than the best with hindsight; fits are shared."""
    stream, rows = made_table("interactions", "regression", 500, 0)
    few = [recipe for recipe in candidates(stream) if recipe.model == "ridge"]
    monkeypatch.setattr(tuning, "candidates", lambda stream, rows: few)
    monkeypatch.setattr(tuning, "WAYS", {DEFAULT: 0, LARGER: 3})
    found = case(stream, rows.take(slice(0, 300)), rows.take(slice(300, None)), 0)
    default, larger = found["ways"][DEFAULT], found["ways"][LARGER]
    assert (default["tried"], larger["tried"]) == (3, 6)
    assert default["winner"].startswith("ridge")
    assert larger["winner"].startswith("gradient_boosting")
    assert larger["drawn"]
    assert larger["best"] <= larger["metric"] < default["metric"]
    assert larger["seconds"] > default["seconds"] > 0
