"""A quick subset of the detection benchmark, at fixed seeds: what docs/detection.md promises does not slip away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.detection import cells
from benchmarks.detection.document import document

pytestmark = pytest.mark.usefixtures("shared_data")


def _hits(found: list[cells.Cell], method: str, note: str = "") -> float:
    (cell,) = [c for c in found if c.method == method and c.note.startswith(note)]
    return cell.hits / cell.repetitions


@pytest.mark.slow
@pytest.mark.parametrize(
    ("m", "n", "times"),
    [(200, 50, 60), (1000, 200, 40), (5000, 500, 12)],
)
def test_healthy_checks_are_quiet(m: int, n: int, times: int) -> None:
    """At a budget of 1 % hardly a healthy check breaches, and none is acted on at once."""
    found = cells.false_alarms(m, n, 0, times)
    assert _hits(found, "trueup") * times <= 3  # 99.8 % of binomial draws at 60
    assert _hits(found, "trueup, acted on at once") == 0


@pytest.mark.parametrize(
    ("kind", "bound"), [("shift", 0.5), ("scale", 0.9), ("outliers", 0.9), ("humps", 0.8)]
)
def test_numbers_that_changed_are_seen(kind: str, bound: float) -> None:
    """500 records against 5000 at .001; the bounds leave room for 80 repetitions."""
    assert _hits(cells.power_of_numbers(kind, 80), "trueup") >= bound


@pytest.mark.slow
def test_sentiment_is_seen_without_labels() -> None:
    """.65 to .45 positive, 300 real reviews, no label."""
    assert _hits(cells.power_of_score("sentiment", 300, 40), "trueup at .001") >= 0.85


@pytest.mark.slow
def test_a_new_topic_is_seen() -> None:
    """Three of twelve new words in a fifth of 200 texts."""
    assert _hits(cells.power_of_words("topic", 200, 8), "words at .001") == 1


@pytest.mark.slow
def test_a_flip_of_labels_is_seen_once_labels_are_there_and_a_mere_mix_is_not() -> None:
    """15 % of 300 labels turned over; the same number of labels with another mix; and neither before labels come."""
    flipped, mixed = (cells.flips_at_once(kind, 20) for kind in ("label_flip", "prior"))
    for metric in ("accuracy", "f1_macro"):
        assert _hits(flipped, "trueup", metric) >= 0.9
        assert _hits(mixed, "trueup", metric) == 0
    assert _hits(flipped, "trueup", "before labels") == 0


@pytest.mark.slow
def test_a_year_of_checks_wakes_nobody_until_something_happens() -> None:
    """A healthy year is not acted on; three columns that move by .2 deviations are, mostly within a week."""
    assert _hits(cells.years(False, 0, 1), "acted on") == 0
    moved = cells.years(True, 0, 6)
    assert _hits(moved, "detected") == 1
    assert _hits(moved, "detected within a week") >= 0.5


def test_the_document_is_made_of_the_results_alone(tmp_path: Path) -> None:
    """Cells as they are kept become the page's tables."""
    done = [*cells.false_alarms(200, 50, 0, 2), *cells.power_of_numbers("shift", 2), *cells.years(True, 0, 1)]
    (tmp_path / "trueup.jsonl").write_text(json.dumps({"job": "x", "cells": [c.as_json() for c in done]}))
    text = document(tmp_path)
    assert "| **200** |" in text
    assert "False alarms of each signal" in text
