"""Champion and challenger meet on rows that neither was fitted on."""

from __future__ import annotations

from datetime import UTC

import numpy as np
import pytest

from tests.made_rows import make_rows
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.recipes import candidates
from trueup.training.evaluation.head_to_head import compare_on_new_rows, compare_with_constant, model_predictor
from trueup.training.evaluation.paired import Paired
from trueup.training.gate.metric_tests import judge_challenger, judge_first
from trueup.training.models.fitting import Fitted, fit

CUT = 1200


def _training(rows: Rows) -> Rows:
    return rows.take(~rows.meta["evaluation"].to_numpy())


def _meet(stream: StreamSettings, rows: Rows, model: str = "", history: str = "all") -> tuple[Paired, Fitted]:
    """A champion of the first CUT rows against a challenger of all."""
    plain = "ridge" if stream.task == "regression" else "logistic_regression"
    wanted, small = (model or plain, history), ("bow", "tabular", "top_words")
    recipe = next(r for r in candidates(stream) if (r.model, r.history) == wanted and r.feature in small)
    champion = fit(recipe, stream, _training(rows.take(slice(0, CUT))), 0, 300)
    challenger = fit(recipe, stream, _training(rows), 0, 300)
    paired = compare_on_new_rows(
        stream,
        challenger,
        model_predictor(stream, champion.model),
        rows,
        cut_off=rows.meta["time"][CUT - 1].to_pydatetime().replace(tzinfo=UTC),
        known_contents=rows.meta["content"].to_numpy()[:CUT],
        seed=0,
    )
    return paired, challenger


def test_all_new_labelled_rows_of_both_sides_meet_once() -> None:
    """Every labelled row after the cut-off with new content is judged, and no other."""
    stream, rows = make_rows(1800, 0, unlabelled=0.2)
    paired, _ = _meet(stream, rows)
    expected = rows.labelled & (np.arange(1800) >= CUT)
    assert len(paired) == expected.sum()
    assert paired.evaluation.sum() == (expected & rows.meta["evaluation"].to_numpy()).sum()
    assert paired.classes == ("no", "yes")


def test_the_rows_that_meet_bring_their_slices() -> None:
    """Each judged row comes with its value of every declared slice, in the order of the answers."""
    stream, rows = make_rows(1800, 0)
    version = np.where(np.arange(1800) % 3 == 0, "old", "new").astype(object)
    sliced = Rows(rows.features.assign(version=version), rows.meta.assign(id=version))
    paired, _ = _meet(stream.model_copy(update={"slices": ("version",)}), sliced)
    assert set(paired.slices) == {"version"}
    assert (paired.slices["version"] == "old").sum() == (version[CUT:] == "old").sum()


def test_content_that_the_champion_knows_is_left_out() -> None:
    """A text of the champion's snapshot that comes back is no evidence."""
    stream, rows = make_rows(1800, 0)
    content = rows.meta["content"].to_numpy().copy()
    content[CUT : CUT + 100] = content[:100]
    paired, _ = _meet(stream, rows.with_meta(content=content, group=content))
    assert len(paired) == 500


@pytest.mark.slow
def test_the_challenger_does_not_answer_its_own_training_rows_from_memory() -> None:
    """With labels that are pure chance a model that memorises is right half of the time, not always."""
    stream, rows = make_rows(1800, 0, "text", noise=0.5)
    paired, challenger = _meet(stream, rows, "random_forest")
    assert challenger.recipe.model == "random_forest"
    by_heart = np.mean(challenger.model.predict(challenger.used.features) == challenger.used.meta["label"])
    assert by_heart > 0.8
    right = paired.challenger_predicted == paired.truth
    assert abs(np.mean(right[~paired.evaluation]) - 0.5) < 0.07


def test_rows_of_one_author_are_never_split_between_fit_and_fold() -> None:
    """Groups stay together: an author whose label is his own cannot be recognised in the fold."""
    stream, rows = make_rows(1800, 0, noise=0.0)
    rng = np.random.default_rng(1)
    author = np.arange(1800) // 6
    told = np.where(rng.random(300) < 0.5, "yes", "no").astype(object)[author]
    features = rows.features.assign(content=[f"signed by author{number}" for number in author])
    evaluation = (author % 5) == 0
    by_author = Rows(features, rows.meta.assign(label=told, group=author, evaluation=evaluation))
    paired, _ = _meet(stream, by_author)
    assert abs(np.mean(paired.challenger_predicted == paired.truth) - 0.5) < 0.12
    assert len(np.unique(paired.unit)) == 100


def test_after_a_flip_the_challenger_of_the_newest_rows_passes_the_gate() -> None:
    """When the concept has turned, the new rows show it beyond doubt."""
    stream, rows = make_rows(1800, 0, flip_from=CUT)
    paired, challenger = _meet(stream, rows, history="newest")
    assert challenger.recipe.history == "newest"
    assert judge_challenger(stream.metric, paired, 0).passed


def test_without_a_change_the_same_recipe_is_not_promoted_for_sure() -> None:
    """More rows of the same world are hardly better: the chance stays away from certainty."""
    stream, rows = make_rows(1800, 2)
    better = judge_challenger(stream.metric, _meet(stream, rows)[0], 0).tests[2]
    assert better.value is not None
    assert better.value < 0.98


def test_a_series_is_judged_forward_in_blocks_of_time() -> None:
    """The first sixth of the new rows is only learnt from; the rest stands in units of neighbouring rows."""
    stream, rows = make_rows(1800, 0, "table")
    paired, _ = _meet(stream.model_copy(update={"series": True}), rows)
    assert len(paired) == 500
    units = len(np.unique(paired.unit))
    assert units == 22
    assert (np.diff(paired.unit) >= 0).all()


@pytest.mark.slow
def test_a_series_never_learns_from_what_comes_later() -> None:
    """A sawtooth that only later rows give away cannot be answered; folds by hash would look it up next door."""
    stream, rows = make_rows(1800, 0, "table", noise=0.0)
    rng = np.random.default_rng(0)
    level = np.repeat(rng.choice(["no", "yes"], 90), 20).astype(object)  # a state that holds for twenty rows
    clock = rows.features.assign(a=np.arange(1800.0), b=0.0, c="x")
    walk = Rows(clock, rows.meta.assign(label=level))
    forward, _ = _meet(stream.model_copy(update={"series": True}), walk, "random_forest")
    hashed, _ = _meet(stream, walk, "random_forest")
    assert np.mean(hashed.challenger_predicted == hashed.truth) > 0.85
    assert np.mean(forward.challenger_predicted == forward.truth) < 0.7


def test_numbers_meet_too() -> None:
    """A regression challenger is judged by its errors on the new rows."""
    stream, rows = make_rows(1800, 0, "regression", flip_from=CUT)
    paired, _ = _meet(stream, rows, history="newest")
    assert paired.challenger_predicted.dtype == float
    assert paired.classes == ()
    assert judge_challenger("mae", paired, 0).passed


def test_the_first_champion_meets_a_constant_on_the_evaluation_side() -> None:
    """A learnt model beats the commonest class on rows of the evaluation side; one that learnt noise does not."""
    for noise, passes in ((0.1, True), (0.5, False)):
        stream, rows = make_rows(1000, 4, noise=noise)
        learnt = fit(candidates(stream)[0], stream, _training(rows), 0, 300)
        paired = compare_with_constant(stream, learnt, rows)
        assert paired.evaluation.all()
        assert len(set(paired.opponent_predicted)) == 1
        assert judge_first("accuracy", paired, 0).passed == passes


def test_the_first_regression_meets_the_mean() -> None:
    """The constant of a regression stream is the mean of what was learnt from."""
    stream, rows = make_rows(800, 0, "regression")
    learnt = fit(candidates(stream)[0], stream, _training(rows), 0, 300)
    paired = compare_with_constant(stream, learnt, rows)
    assert np.ptp(paired.opponent_predicted) == 0
    assert judge_first("mae", paired, 0).passed
