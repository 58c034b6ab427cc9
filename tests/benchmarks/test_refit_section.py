"""What the section on refitted versions is told by: paired gains, with an interval over cuts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.promotion.refit import LABELS, bounds, every_cut, gains, mean_gain, page


def cut(stream: str, *f1: float) -> dict[str, Any]:
    """A cut on which the fit on both sides gains so much macro-F1 under each split, and loses log loss."""
    before = {"f1_macro": 0.8, "roc_auc": 0.9, "log_loss": 0.3}
    return {"stream": stream, "later": 600, "cells": [
        {"labels": size, "learnt": 0.8 * size, "training": before,
         "all": {"f1_macro": 0.8 + gain, "roc_auc": 0.9, "log_loss": 0.25}} for gain in f1 for size in LABELS
    ]}  # fmt: skip


def test_a_gain_is_above_0_where_the_fit_on_both_sides_is_better() -> None:
    """Also of log loss, which is better when lower."""
    cuts = [cut("made", 0.02, 0.04)]
    assert gains(cuts, "f1_macro", LABELS[:1])[0] == pytest.approx([0.02, 0.04])
    assert gains(cuts, "log_loss", LABELS)[0] == pytest.approx(np.full(2 * len(LABELS), 0.05))


def test_cuts_that_differ_widen_the_interval() -> None:
    """The mean counts every cut alike; its interval is that of other cuts, and holds nothing else where all agree."""
    value, low, high = mean_gain(np.array([[0.0, 0.0], [0.02, 0.04]]))
    assert value == pytest.approx(0.015)
    assert low == 0
    assert 0.03 <= high <= 0.04
    assert mean_gain(np.full((3, 1), 0.01)) == pytest.approx((0.01, 0.01, 0.01))


def test_the_page_says_how_often_it_is_worse() -> None:
    """A row for each number of labels and one for all that have a champion, per kind of stream."""
    lines = "\n".join(page({"cuts": [cut("greenlight", 0.02, -0.02), cut("made", 0.0, 0.0)]}))
    assert lines.count("| 1 of 2 | 1 of 2 |") == len(LABELS)
    assert "| 4 of 8 | 4 of 8 |" in lines
    assert lines.count("| 0 of 2 | 0 of 2 |") == len(LABELS)
    assert bounds({"cuts": []}) == []
    assert len({job.name for job in every_cut()}) == len(every_cut())
