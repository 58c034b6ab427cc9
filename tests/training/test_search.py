"""The search compares candidates on later rows of the training side, and stops in time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.made_rows import make_rows
from trueup.storage.errors import TrueupError
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.recipes import Recipe, candidates
from trueup.training.models.validation_blocks import validation_blocks
from trueup.training.search import KEEP, SearchProgress, rungs, search


def _training(rows: Rows) -> Rows:
    return rows.take(~rows.meta["evaluation"].to_numpy())


def _still() -> float:
    return 0.0


def _steps(step: float) -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += step


def test_an_evaluation_row_is_refused() -> None:
    """No model is chosen by an evaluation row: passing one is a mistake of the program, and fails."""
    stream, rows = make_rows(400, 0)
    with pytest.raises(ValueError, match="evaluation rows were passed"):
        search(stream, rows, candidates(stream), 0, _still)


def test_every_block_is_judged_by_what_came_before_it() -> None:
    """Learnt rows precede the block, share no group with it, and the blocks are the newest rows without a gap."""
    stream, rows = make_rows(1200, 0, window=150)
    rows = _training(rows)
    shared = rows.with_meta(group=np.arange(len(rows)) % 150)  # every author comes back
    blocks = validation_blocks(stream, shared)
    for block in blocks:
        assert block.before.meta["time"].max() < block.judged.meta["time"].min()
        assert not set(block.before.meta["group"]) & set(block.judged.meta["group"])
    judged = [name for block in blocks for name in block.judged.meta["id"]]
    assert judged == rows.newest(300).meta["id"].tolist()


def test_all_candidates_are_tried_and_the_plainest_of_equals_wins() -> None:
    """Every recipe gets a trial with its figures; a lead by luck does not win, and margins become chances."""
    stream, rows = make_rows(1500, 0)
    tried = [recipe for recipe in candidates(stream) if recipe.model == "linear_svm" and recipe.history != "newest"]
    found = search(stream, _training(rows), tried, 0, _still, keep=1)
    assert [trial.recipe for trial in found.trials] == tried
    assert {trial.blocks for trial in found.trials} == {3}
    figures = [trial.metrics["f1_macro"] for trial in found.trials]
    assert found.winner.calibration == "sigmoid"
    won = tried.index(found.winner)
    assert won < figures.index(max(figures))
    assert max(figures) - 0.02 < figures[won] < max(figures)
    assert found.untried == ()


@pytest.mark.slow
def test_a_third_goes_on_from_block_to_block() -> None:
    """Successive halving: all are judged on the newest block, few on all three, and the winner is one of these."""
    stream, rows = make_rows(900, 0)
    recipes = candidates(stream)
    found = search(stream, _training(rows), recipes, 0, _still)
    judged = [trial.blocks for trial in found.trials if trial.recipe in recipes]
    assert [sum(blocks >= k for blocks in judged) for k in (1, 2, 3)] == list(rungs(len(recipes), 3, KEEP))
    assert next(trial for trial in found.trials if trial.recipe == found.winner).blocks == 3


def test_the_same_search_comes_to_the_same_end() -> None:
    """Nothing in a search is left to chance: the same rows and seed give the same trials."""
    stream, rows = make_rows(600, 1, "table")
    first, second = (search(stream, _training(rows), candidates(stream)[:8], 3, _still) for _ in range(2))
    assert first == second


@pytest.mark.slow
def test_progress_tells_how_far_the_search_is() -> None:
    """After each fit: how many of how many, the best so far with its figure, the time spent and given."""
    stream, rows = make_rows(900, 0)
    heard: list[SearchProgress] = []
    ticking = _steps(0.01)
    found = search(stream, _training(rows), candidates(stream), 0, lambda: next(ticking), heard.append)
    assert [told.done for told in heard] == list(range(1, heard[-1].of + 1))
    assert heard[0].of == sum(rungs(len(candidates(stream)), 3, KEEP))
    assert heard[-1].best in [trial.recipe for trial in found.trials if trial.blocks == 3]
    assert heard[-1].limit == 300
    assert 0 < heard[0].seconds < heard[-1].seconds


@pytest.mark.slow
def test_an_error_metric_is_better_when_lower() -> None:
    """For regression the smaller mean absolute error wins where it is surely smaller."""
    stream, rows = make_rows(600, 0, "regression")
    useless = Recipe("ridge", "tabular", None, "all", (("alpha", 1e9),))  # shrunk to the mean
    found = search(stream, _training(rows), (useless, *candidates(stream)), 0, _still)
    figures = {trial.recipe: trial.metrics["mae"] for trial in found.trials}
    assert found.winner != useless
    assert figures[found.winner] < 0.9 * figures[useless]


def test_of_equal_candidates_the_earlier_wins() -> None:
    """Room for more words than there are gives equal figures, and the first is kept."""
    stream, rows = make_rows(600, 0)
    plain = Recipe("naive_bayes", "bow", 50_000, "all", (("smoothing", 1.0),))
    again = replace(plain, max_features=60_000)
    for recipes in ((plain, again), (again, plain)):
        found = search(stream, _training(rows), recipes, 0, _still)
        assert found.winner.max_features == recipes[0].max_features


def test_after_a_flip_of_the_labels_the_newest_history_wins() -> None:
    """Two windows after the concept turned, only what learns from the newest rows can be right."""
    stream, rows = make_rows(3000, 0, flip_from=2200, window=400)
    tried = [recipe for recipe in candidates(stream) if recipe.model == "naive_bayes"]
    found = search(stream, _training(rows), tried, 0, _still)
    assert found.winner.history == "newest"
    figures = {trial.recipe: trial.metrics["f1_macro"] for trial in found.trials}
    assert figures[found.winner] > 0.5 > 0.45 > max(f for r, f in figures.items() if r.history == "all")


def test_the_time_limit_stops_with_the_best_so_far() -> None:
    """When the time is up the tried ones decide, and the rest is named as untried."""
    stream, rows = make_rows(600, 0)
    ticking = _steps(20.0)  # each look at the clock costs 20 s of the 5 min
    found = search(stream, _training(rows), candidates(stream), 0, lambda: next(ticking))
    tried = [trial.recipe for trial in found.trials if trial.recipe in candidates(stream)]
    assert 1 <= len(tried) < len(candidates(stream))
    assert tried + list(found.untried) == list(candidates(stream))


def test_one_candidate_is_always_tried() -> None:
    """Even with no time at all the first candidate is judged to its end."""
    stream, rows = make_rows(600, 0)
    ticking = _steps(10_000.0)
    found = search(stream, _training(rows), candidates(stream), 0, lambda: next(ticking))
    assert found.winner == candidates(stream)[0]
    assert found.untried == candidates(stream)[1:]


def test_a_candidate_that_cannot_be_fitted_is_a_failed_trial() -> None:
    """One candidate that refuses the rows is reported with its reason; the others go on."""
    stream, rows = make_rows(600, 0, "table")
    broken = Recipe(f"{__name__}:refuses_rows", "own", None, "all")
    found = search(stream, _training(rows), (broken, candidates(stream)[0]), 0, _still)
    assert "cannot be fitted" in found.trials[0].failed
    assert found.trials[0].metrics == {}
    assert found.winner.model == candidates(stream)[0].model
    with pytest.raises(TrueupError, match="None of 1 candidates"):
        search(stream, _training(rows), (broken,), 0, _still)


def refuses_rows(stream: StreamSettings) -> object:
    """A factory whose model cannot read missing values."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression()


def test_too_few_labels_are_refused_with_the_number_needed() -> None:
    """A stream that is too young says how many labelled rows it takes."""
    stream, rows = make_rows(120, 0)
    with pytest.raises(TrueupError, match=r"labelled training rows are too few .* 180 are needed"):
        search(stream, _training(rows), candidates(stream), 0, _still)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The provided functions or transformer")
def test_labels_of_any_size_are_searched_on() -> None:
    """The largest labels that intake lets in make bad figures at worst, never a crash."""
    stream, rows = make_rows(600, 0, "regression")
    label = rows.meta["label"].to_numpy().copy()
    label[::50] = 1e100
    label[25::50] = -1e100
    found = search(stream, _training(rows.with_meta(label=label)), candidates(stream), 1, _still)
    assert found.winner in [trial.recipe for trial in found.trials]


class Wild:
    """A model that answers with no number."""

    def fit(self, columns: object, target: object) -> Wild:
        return self

    def predict(self, columns: np.ndarray) -> np.ndarray:
        return np.full(len(columns), np.inf)


def wild(stream: StreamSettings) -> object:
    """A team's factory of it."""
    return Wild()


def test_an_answer_that_is_no_number_is_a_failed_trial() -> None:
    """A regression's candidate that answers infinity is out of the contest, and the others go on."""
    stream, rows = make_rows(600, 0, "regression")
    recipes = (Recipe(f"{__name__}:wild", "own", None, "all"), candidates(stream)[0])
    found = search(stream, _training(rows), recipes, 1, _still)
    assert "no finite number" in found.trials[0].failed
    assert found.winner == recipes[1]


def test_a_winner_with_chances_of_its_own_is_calibrated_where_that_helps() -> None:
    """Naive Bayes is too sure of itself: its calibrated form is tried, loses less, and is what will be fitted."""
    stream, rows = make_rows(900, 0)
    plain = Recipe("naive_bayes", "bow", 5000, "all", (("smoothing", 0.5),))
    found = search(stream, _training(rows), (plain,), 0, _still)
    assert [trial.recipe for trial in found.trials] == [plain, replace(plain, calibration="sigmoid")]
    assert found.winner == found.trials[1].recipe


def test_figures_are_numbers() -> None:
    """A figure that is undefined on a block is left out rather than stored as NaN."""
    stream, rows = make_rows(600, 0)
    found = search(stream, _training(rows), candidates(stream)[:1], 0, _still)
    assert all(math.isfinite(value) for value in found.trials[0].metrics.values())
