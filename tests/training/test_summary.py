"""The summary of a snapshot says what its rows are, and what outsiders wrote is shown and never run."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.made_rows import BAD, GOOD, make_rows
from trueup.storage.rows import Rows
from trueup.training.artifacts.data_summary import CLASSES, OTHERS, PERIODS, summarise
from trueup.training.artifacts.data_summary_page import summary_files, summary_page


@pytest.mark.parametrize("kind", ["text", "table", "regression"])
def test_the_figures_are_those_of_the_rows(kind: str) -> None:
    """Counts, labels, periods and repeats, for each kind of stream; as JSON and as a page."""
    stream, rows = make_rows(600, 3, kind, unlabelled=0.2)  # type: ignore[arg-type]
    rows = rows.take(np.array([*range(600), 599, 599]))
    found = summarise(stream, rows)
    labels = rows.meta["label"]
    assert (found["rows"], found["evaluation"]) == (602, rows.meta["evaluation"].sum())
    assert found["label"]["labelled"] == labels.notna().sum()
    assert found["label"]["provenance"] == {"record": int(labels.notna().sum())}
    assert len(found["periods"]) == PERIODS
    assert sum(period["rows"] for period in found["periods"]) == 602
    assert sum(period["labelled"] for period in found["periods"]) == labels.notna().sum()
    if kind == "regression":
        assert found["label"]["mean"] == pytest.approx(labels.dropna().astype(float).mean())
    else:
        assert found["label"]["shares"]["yes"] == pytest.approx((labels.dropna() == "yes").mean())
    if kind != "text":
        assert found["numeric"]["b"]["missing"] == rows.features["b"].isna().sum()
        assert sum(one["rows"] for one in found["categorical"]["c"]["top"]) == 602
    assert found["repeated"]["most"][0]["rows"] >= 3
    files = summary_files(stream, rows)
    assert json.loads(files["summary/snapshot.json"]) == found
    assert b"602 rows from" in files["summary/snapshot.html"]


def test_the_words_that_make_a_class_are_found() -> None:
    """Each class has its own, and none of the words that stand everywhere."""
    stream, rows = make_rows(900, 4)
    words = summarise(stream, rows)["text"]["content"]["words_of"]
    assert {one["word"] for one in words["yes"][: len(GOOD)]} == set(GOOD)
    assert {one["word"] for one in words["no"][: len(BAD)]} == set(BAD)
    assert all(one["share"] > one["elsewhere"] for one in [*words["yes"], *words["no"]])


def test_what_records_hold_is_masked_where_it_is_asked_for() -> None:
    """Words, levels and repeated contents, in the page and in the document."""
    stream, rows = make_rows(300, 4)
    stream = stream.model_copy(update={"slices": ("content",)})
    files = summary_files(stream, rows, lambda text: "[masked]")
    for word in (*GOOD, *BAD):
        assert not any(f'"{word}"'.encode() in content or f">{word}<".encode() in content for content in files.values())
    assert b"[masked]" in files["summary/snapshot.json"]


def test_what_outsiders_wrote_is_escaped() -> None:
    """Text, level, slice and class hold markup, control signs and half surrogates; the page holds none of it raw."""
    stream, rows = make_rows(60, 5)
    stream = stream.model_copy(update={"categorical": ("kind",), "slices": ("kind",)})
    evil = '<script>alert("x")</script>\ud83d'
    label = np.where(np.arange(60) % 2, '"><img src=x onerror=y>', "<b>")
    rows = Rows(pd.DataFrame({"content": [evil] * 60, "kind": [evil] * 60}), rows.meta.assign(content=1, label=label))
    stream = stream.model_copy(update={"label": stream.label.model_copy(update={"classes": {}})})
    shown = summary_files(stream, rows)["summary/snapshot.html"].decode()
    assert "<script" not in shown
    assert "<img" not in shown
    assert "<b>" not in shown
    assert "&lt;script&gt;" in shown


def test_rows_that_say_nothing_are_said_to() -> None:
    """One row, no label, no text, no number: a page all the same."""
    stream, rows = make_rows(30, 6, "table")
    bare = rows.take(slice(0, 1)).with_meta(label=[None])
    found = summarise(stream, replace(bare, features=bare.features.assign(a=np.nan, b=np.nan, c=None)))
    assert (found["label"]["labelled"], found["numeric"]["a"]) == (0, {"missing": 1, "quantiles": None})
    assert b"no value" in summary_page(found)
    stream, rows = make_rows(30, 6)
    blank = replace(rows, features=rows.features.assign(content=[None, " "] * 15))
    assert summarise(stream, blank)["text"]["content"]["missing"] == 30
    assert summary_files(stream, blank)


def test_the_rarer_of_many_classes_are_told_together() -> None:
    """No page grows with the number of classes."""
    stream, rows = make_rows(900, 7)
    stream = stream.model_copy(update={"label": stream.label.model_copy(update={"classes": {}})})
    label = [f"c{min(k % 40, 30)}" for k in range(900)]
    found = summarise(stream, rows.with_meta(label=label))
    assert len(found["classes"]) == CLASSES
    assert found["classes"][-1] == OTHERS
    assert sum(found["label"]["shares"].values()) == pytest.approx(1)
