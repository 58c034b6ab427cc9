"""Answers that are too easy: a training that copies them is refused, first champions too; the rest is told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.made_deployments import ONE_CANDIDATE, SETTINGS, START, TRAINED, WINDOW
from tests.made_rows import make_rows, make_stream
from trueup.feedback.intake import ingest
from trueup.flows.app import App, open_app
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.demo.reviews import HEALTHY, make_reviews
from trueup.storage.errors import NotTrainable
from trueup.storage.policy import GatePolicy
from trueup.training.gate.leak import leak_test, overlap_test, perfect_test


def _with_leak(folder: Path, more: str) -> App:
    """A month of reviews, each with its stars written into its text, and nothing trained."""
    (folder / "trueup.toml").write_text(SETTINGS.format(window=WINDOW) + more)
    reviews = make_reviews(1, START, (TRAINED - START) / timedelta(days=1), 400, HEALTHY)
    reviews["text"] = [f"{text} Rating: {stars}" for text, stars in zip(reviews["text"], reviews["stars"], strict=True)]
    reviews.to_csv(folder / "reviews.csv", index=False)
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    ingest(app.store, app.stream("reviews"), [str(folder / "reviews.csv")], now=app.now())
    return app


def test_a_first_champion_that_would_copy_the_answer_is_refused(tmp_path: Path) -> None:
    """The training names the words and their figure, the attempt keeps them, and nothing is registered."""
    app = _with_leak(tmp_path, ONE_CANDIDATE)
    with pytest.raises(NotTrainable, match=r"DATA-LEAK: the last word in 'text' determines the label: it avoids 100"):
        train_now(app, app.stream("reviews"), TRAINED)
    (attempt,) = app.promotions.history("reviews")
    (test,) = [t for t in attempt.gate["tests"] if t["code"] == "DATA-LEAK"]
    assert (test["passed"], test["value"], test["bound"]) == (False, 1.0, 0.98)
    assert app.registry.versions("reviews") == ()
    app.close()


def test_what_is_declared_honest_is_trained_on(tmp_path: Path) -> None:
    """With gate.leak = "allow"; that the metric is all but perfect is told in the gate."""
    app = _with_leak(tmp_path, ONE_CANDIDATE + '\n[streams.reviews.gate]\nleak = "allow"\n')
    done = train_now(app, app.stream("reviews"), TRAINED)
    tests = {t["code"]: t for t in done["gate"]["tests"]}
    assert done["promotion"] is not None
    assert tests["DATA-LEAK"]["said"].endswith('Declared honest (gate.leak = "allow")')
    assert tests["DATA-PERFECT"]["passed"]
    app.close()


def test_made_rows_have_no_leak() -> None:
    """What most tests train on: the figure of the feature that says most is told."""
    stream, rows = make_rows(600, 0)
    test = leak_test(stream, rows)
    assert test.passed
    assert test.value is not None
    assert "closest: " in test.said


def test_a_leaking_column_is_named_in_advice() -> None:
    """A copy of the label among the features; allowed, the sentence stays and the advice goes."""
    stream, rows = make_rows(600, 0)
    column = stream.text[0]
    leaking = rows.features.assign(**{column: rows.meta["label"].astype(str)})
    rows = type(rows)(leaking, rows.meta)
    refused = leak_test(stream, rows)
    assert not refused.passed
    assert f"'{column}' determines the label" in refused.said
    assert "Remove the column" in refused.said
    allowed = leak_test(stream.model_copy(update={"gate": GatePolicy(leak="allow")}), rows)
    assert allowed.passed
    assert allowed.value == refused.value


def test_held_out_texts_that_stand_in_training_are_counted() -> None:
    """Signs, digits and case aside; above half it is a warning, which stops nothing."""
    stream, rows = make_rows(200, 0)
    side = np.arange(200) % 2 == 0
    said = [f"Order {k} arrived!" if k < 120 else f"text {chr(97 + k % 26)}{chr(97 + k // 26)}" for k in range(200)]
    rows = type(rows)(rows.features.assign(**dict.fromkeys(stream.text, said)), rows.meta).with_meta(evaluation=side)
    test = overlap_test(stream, rows)
    assert test.passed
    assert "60 of 100 held-out texts (60 %)" in test.said
    assert test.said.startswith("warning: ")
    assert overlap_test(make_stream("table"), rows).said.startswith("Not applied")


def test_a_metric_that_is_all_but_perfect_is_told() -> None:
    """With enough labelled held-out rows; it stops nothing."""
    stream, _ = make_rows(10, 0)
    assert perfect_test(stream, {"f1_macro": 0.995}, 400).said.startswith("warning: ")
    assert perfect_test(stream, {"f1_macro": 0.995}, 400).passed
    assert not perfect_test(stream, {"f1_macro": 0.9}, 400).said.startswith("warning")
    assert perfect_test(stream, {"f1_macro": 1.0}, 20).said.startswith("Not applied")
