"""The peers of the detection benchmark: what they are asked, what they answer, and how it is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.detection import evidently_defaults, peer_process
from benchmarks.detection.made import CATEGORICAL, NUMERIC, make
from benchmarks.detection.peers_table import Cell, rows

MODEL = {"score", "predicted"}


def verdict(method: str, failed: str | None = None, **columns: bool) -> dict[str, Any]:
    return {"method": method, "columns": columns, "p_values": {}, "failed": failed}


def test_alarms_are_counted_by_method_and_by_what_broke() -> None:
    """An alarm elsewhere counts for any column only; a check that broke off is silent and told of."""
    told = [
        verdict("M", normal=True, five=False), verdict("M", normal=False, five=True),
        verdict("M", normal=False, five=False), verdict("M", failed="ValueError: empty"),
    ]
    found = {row["method"]: row for row in rows(Cell("shift", 5000, 500), 4, told)}
    assert {name: (row["hits"], row["failed"]) for name, row in found.items()} == {
        "M, any column": (2, 1), "M, broken column": (1, 0),
    }
    low, high = found["M, any column"]["interval"]
    assert low < 0.5 < high


def test_a_method_that_does_not_see_the_broken_column_has_no_row_for_it() -> None:
    """Where no column is broken, or the method reads another, only "any column" is told."""
    for kind in ("none", "topic"):
        assert [row["method"] for row in rows(Cell(kind, 200, 50), 1, [verdict("M", normal=True)])] == ["M, any column"]


@pytest.mark.slow
def test_evidently_judges_every_column_and_the_data_set(shared_data: Path) -> None:
    """Eleven verdicts of its defaults with p-values where there are any, and the share of them as its own."""
    reference, current = make("outliers", 1, 1200, 400)
    columns, whole = evidently_defaults.verdicts(reference, current)
    assert set(columns["columns"]) == {*NUMERIC, *CATEGORICAL, "text"} | MODEL
    assert columns["columns"]["normal"]
    assert columns["p_values"] == {}
    assert whole["columns"] == {"data set": sum(columns["columns"].values()) >= 5.5}


@pytest.mark.skipif(not peer_process.PYTHON.exists(), reason="`make bench-peers-env` builds the peers' environment")
def test_the_peers_answer_from_their_own_environment(shared_data: Path) -> None:
    """They see a broad break, fail at no check of plain rows, and CBPE's estimate is near what is measured."""
    from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

    with peer_process.peers() as ask:
        told = {answer["method"]: answer for answer in ask("verdicts", *make("outliers", 1, 4000, 2000))}
        assert not [answer["failed"] for answer in told.values() if answer["failed"]]
        assert told["Frouros"]["columns"]["normal"]
        assert set(told["NannyML univariate"]["columns"]) == {*NUMERIC, *CATEGORICAL} | MODEL
        reference, current = make("none", 1, 3000, 2000)
        estimated = ask("estimates", reference, current.assign(chunk=["a"] * 1000 + ["b"] * 1000))
    assert [answer["chunk"] for answer in estimated] == ["a", "b"]
    first = current[:1000]
    measured = {
        "accuracy": accuracy_score(first["label"], first["predicted"]),
        "roc_auc": roc_auc_score(first["label"] == "positive", first["score"]),
        "f1_macro": f1_score(first["label"], first["predicted"], average="macro"),
    }
    for metric, value in measured.items():
        assert abs(estimated[0][metric] - value) < 0.04, metric
