"""The pictures of a training show what the model does, and rows that say nothing give none instead of a failure."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.made_rows import BAD, GOOD, make_rows
from trueup.flows.replay.policies import no_artifacts, replay_policies
from trueup.storage.errors import ModelUnusable
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.artifacts import importance_plots as plots_inputs
from trueup.training.artifacts.answer_plots import JudgedPredictions, calibration, confusion, precision_recall, roc
from trueup.training.artifacts.canvas import shortened
from trueup.training.artifacts.error_examples import MOST_EXAMPLES, error_examples
from trueup.training.artifacts.importance_plots import drops_by_column, moved_by_words
from trueup.training.artifacts.learning_curve import TIME, learning_curve
from trueup.training.artifacts.run_artifacts import pictures
from trueup.training.candidates.recipes import default_recipes
from trueup.training.models.fitting import Fitted, answer, fit

CURVES = {
    "plots/confusion_matrix.png", "plots/roc_curve.png", "plots/precision_recall_curve.png",
    "plots/calibration_curve.png", "plots/learning_curve.png", "error_examples.json",
}  # fmt: skip


def made(stream: StreamSettings, rows: Rows) -> tuple[Fitted, Rows, Rows]:
    """A fitted model, its training side, and the labelled evaluation rows with its answers."""
    side = rows.meta["evaluation"].to_numpy(dtype=bool)
    learning, held = rows.take(~side), rows.take(side & rows.labelled)
    fitted = fit(default_recipes(stream)[0], stream, learning, 1, 300)
    predicted, chances = answer(fitted.model, stream, held.features)
    return fitted, learning, held.with_meta(predicted=predicted, score=chances)


def drawn(stream: StreamSettings, rows: Rows) -> dict[str, bytes]:
    fitted, learning, judged = made(stream, rows)
    return pictures(stream, fitted, learning, judged, 1, time.thread_time)


def ticking(*seconds: float) -> Callable[[], float]:
    """A clock that shows these times."""
    told: Iterator[float] = iter(seconds)
    return lambda: next(told)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("text", CURVES | {"plots/top_words.png"}),
        ("table", CURVES | {"plots/feature_importances.png"}),
        ("regression", {
            "plots/residuals.png", "plots/learning_curve.png", "plots/feature_importances.png", "error_examples.json",
        }),
    ],
)  # fmt: skip
def test_each_kind_of_stream_has_its_pictures(kind: str, wanted: set[str]) -> None:
    """All of them are there, small, and pictures."""
    found = drawn(*make_rows(900, 3, kind, unlabelled=0.1))  # type: ignore[arg-type]
    assert set(found) == wanted
    for name, content in found.items():
        if name.endswith(".png"):
            assert content.startswith(b"\x89PNG")
        assert len(content) < 150_000, name


@pytest.mark.slow
def test_words_and_classes_of_outsiders_are_drawn_as_they_are() -> None:
    """Formula signs, emoji, control signs and half surrogates neither fail nor are read as anything."""
    stream, rows = make_rows(600, 4)
    odd = [r"$\frac{", "💥", "x\x00y", "\ud83d", "<b>", "_" * 90]
    rng = np.random.default_rng(1)
    texts = [f"{text} {odd[rng.integers(len(odd))]}" for text in rows.features["content"]]
    rows = replace(rows, features=rows.features.assign(content=texts))
    assert "plots/top_words.png" in drawn(stream, rows)
    assert (shortened("a $\x07\nb"), shortened("x" * 40, 5)) == (r"a \$ b", "xxxx…")


@pytest.mark.slow
def test_rows_that_say_nothing_give_no_picture() -> None:
    """No rows, few rows, and one class only."""
    stream, rows = make_rows(700, 5)
    fitted, learning, judged = made(stream, rows)
    one_class = judged.take((judged.meta["label"] == "yes").to_numpy())
    for few in (judged.take(slice(0, 0)), judged.take(slice(0, 5)), one_class):
        found = pictures(stream, fitted, learning.take(slice(0, 90)), few, 1, time.thread_time)
        assert "plots/roc_curve.png" not in found
        assert "plots/learning_curve.png" not in found
        assert ("plots/confusion_matrix.png" in found) == (len(few) > 0)


@pytest.mark.slow
def test_more_than_two_classes_are_told_from_the_rest_one_by_one() -> None:
    """Also with more classes than can be drawn, and one that the model does not know."""
    rng = np.random.default_rng(2)
    classes = tuple(f"c{k:02}" for k in range(14))
    chances = rng.dirichlet(np.ones(13), 400)
    predicted = np.array(classes[:13])[chances.argmax(axis=1)]
    truth = np.where(rng.random(400) < 0.5, predicted, rng.choice(classes, 400))
    answers = JudgedPredictions(truth, predicted, classes, classes[:13], chances)
    assert len(answers.curves()) == 8 - ("c13" in sorted(classes, key=lambda c: -int((truth == c).sum()))[:8])
    for picture in (confusion, roc, precision_recall, calibration):
        assert picture(answers), picture.__name__


def test_the_words_that_make_a_class_move_the_model_most() -> None:
    """Asked of the model itself, with the direction."""
    stream, rows = make_rows(900, 6)
    fitted, _, _ = made(stream, rows)
    moved = {one.word: one.by for one in moved_by_words(stream, fitted.model, fitted.used, ("no", "yes"))}
    assert set(GOOD) | set(BAD) <= moved.keys()
    assert all(moved[word] > 0 for word in GOOD)
    assert all(moved[word] < 0 for word in BAD)


def test_the_column_that_carries_the_answer_matters_most() -> None:
    """Exchanging its values costs most; the same seed gives the same figures."""
    stream, rows = make_rows(900, 7, "table")
    fitted, _, judged = made(stream, rows)
    drops = drops_by_column(stream, fitted.model, judged, ("no", "yes"), 1)
    assert max(drops, key=lambda column: drops[column]) == "a"
    assert drops == drops_by_column(stream, fitted.model, judged, ("no", "yes"), 1)


@pytest.mark.slow
def test_a_model_that_does_not_answer_made_records_is_not_drawn_by_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A team's own may refuse a record of one word; the training goes on."""

    def refuse(*_: object) -> None:
        raise ModelUnusable("no")

    monkeypatch.setattr(plots_inputs, "answer", refuse)
    assert set(drawn(*make_rows(700, 8))) == CURVES


def test_the_learning_curve_grows_and_ends_in_time() -> None:
    """More rows, in order, none of the evaluation side; a step that would end too late is not begun."""
    stream, rows = make_rows(1500, 9)
    fitted, learning, _ = made(stream, rows)
    curve = learning_curve(stream, fitted.recipe, learning, 1, time.thread_time)
    assert [one.rows for one in curve] == sorted({one.rows for one in curve})
    assert len(curve) >= 3
    assert curve[-1].rows < 0.8 * len(learning) + 1
    slow = learning_curve(stream, fitted.recipe, learning, 1, ticking(*np.arange(99) * 0.2 * TIME))
    assert 1 <= len(slow) < len(curve)


def test_the_surest_errors_are_a_table_with_ids() -> None:
    """Wrong answers only, the surest first, with what stood in the record; ids lead back to it."""
    stream, rows = make_rows(900, 10)
    _, _, judged = made(stream, rows)
    content = error_examples(stream, judged, ("no", "yes"))
    assert content
    table = pd.DataFrame(**json.loads(content))
    assert len(table) == min(MOST_EXAMPLES, int((judged.meta["label"] != judged.meta["predicted"]).sum()))
    assert (table["label"] != table["answered"]).all()
    assert table["probability"].is_monotonic_decreasing
    assert set(table["id"]) <= set(judged.meta["id"])
    right = judged.with_meta(predicted=judged.meta["label"].to_numpy())
    assert error_examples(stream, right, ("no", "yes")) is None


def test_texts_of_the_errors_are_masked_and_ids_are_not() -> None:
    """Where the files leave the machine a text shows no personal data; records are found by their ids."""
    stream, rows = make_rows(900, 10)
    _, _, judged = made(stream, rows)
    content = error_examples(stream, judged, ("no", "yes"), lambda text: "[masked]")
    assert content
    table = pd.DataFrame(**json.loads(content))
    assert set(table["content"]) == {"[masked]"}
    assert set(table["id"]) <= set(judged.meta["id"])


def test_a_replay_draws_none() -> None:
    """Nobody opens the runs of a scratch home."""
    stream, _ = make_rows(40)
    played = replay_policies(stream, {"default": stream.policy}, ())
    assert {policy.strategies.artifacts for policy in played} == {no_artifacts}
