"""Dirt in the data is answered with a sentence, never with an exception."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_comparisons import compared, made_records, made_stream, meta
from tests.many import examples
from trueup.monitoring.check import Verdict
from trueup.monitoring.signals.measure import measure
from trueup.storage.rows import Rows

pytestmark = pytest.mark.long

Dirt = Callable[[Rows], Rows]


def _columns(**columns: object) -> Dirt:
    return lambda rows: Rows(rows.features.assign(**columns), rows.meta)


def _mixed(rows: Rows) -> Rows:
    values = np.array([1, "two", None, 3.5, Decimal("4"), np.inf, -np.inf, [5], {"six": 6}, pd.NaT], dtype=object)
    column = pd.Series([values[i % len(values)] for i in range(len(rows))], dtype=object)
    return Rows(rows.features.assign(size=column, kind=column, words=column), rows.meta)


DIRT: dict[str, Dirt] = {
    "all missing": _columns(size=np.nan, kind=None, words=None),
    "column absent": lambda rows: Rows(rows.features.drop(columns=["size", "kind", "words"]), rows.meta),
    "empty texts": _columns(words="  "),
    "texts without words": _columns(words="... !!"),
    "constant": _columns(size=1.0, kind="a", words="good"),
    "infinite": _columns(size=np.inf, gap=-np.inf),
    "mixed objects": _mixed,
    "unseen class": lambda rows: rows.with_meta(label="neutral", predicted="neutral"),
    "one class": lambda rows: rows.with_meta(label="positive", predicted="positive"),
    "unlabelled": lambda rows: rows.with_meta(label=None),
    "unscored": lambda rows: rows.with_meta(score=np.nan, predicted=None),
    "scores out of range": lambda rows: rows.with_meta(score=np.inf),
    "numbers as classes": lambda rows: rows.with_meta(label=1, predicted=0),
    "empty": lambda rows: rows.take(slice(0, 0)),
}


@pytest.mark.parametrize("series", [False, True], ids=["records", "series"])
@pytest.mark.parametrize("side", [*(pytest.param(s, marks=pytest.mark.slow) for s in ("reference", "both")), "window"])
@pytest.mark.parametrize("dirt", DIRT)
def test_dirt_never_raises(dirt: str, side: str, series: bool) -> None:
    """Whatever the dirt and the hand it is on, every signal comes back with a sentence and plain numbers."""
    rows = made_records(900, np.random.default_rng(1))
    before, now = rows.take(slice(0, 860)), rows.take(slice(860, None))
    if side != "window":
        before = DIRT[dirt](before)
    if side != "reference":
        now = DIRT[dirt](now)
    for metric in ("f1_macro", "roc_auc"):
        signals, _ = measure(made_stream(series=series, policy={"metric": metric}), compared(before, now))
        assert len({s.code for s in signals}) == len(signals) >= 18
        assert all(s.said.strip() for s in signals)
        assert not any(s.p_value is not None and np.isnan(s.p_value) for s in signals)


@pytest.mark.parametrize("metric", ["mae", pytest.param("rmse", marks=pytest.mark.slow), "r2"])
def test_a_regression_with_constant_or_unreadable_truth(metric: str) -> None:
    """Truth that does not vary, words instead of numbers, no answers: all are answered."""
    rng = np.random.default_rng(2)
    stream = made_stream(task="regression", policy={"metric": metric})
    for label, predicted in ((1.0, 1.0), ("many", 2.0), (np.nan, 1.0), (3.0, None), ("3.5", "3.5")):
        rows = Rows(made_records(200, rng).features, meta(200, rng, label=label, predicted=predicted))
        signals, _ = measure(stream, compared(rows, rows.take(slice(0, 60))))
        assert not [s for s in signals if s.code == "PRF-METRIC" and s.verdict is Verdict.BREACHED]


def test_a_column_that_goes_missing_breaches_its_own_signal_only() -> None:
    """An empty column has nothing to compare, and its missing values are the news."""
    rows = made_records(900, np.random.default_rng(3))
    now = DIRT["column absent"](rows.take(slice(700, None)))
    signals, _ = measure(made_stream(), compared(rows.take(slice(0, 700)), now))
    found = {s.code: s for s in signals}
    assert found["DRF-IN-size"].verdict is Verdict.INSUFFICIENT
    assert "the window holds no values" in found["DRF-IN-size"].said
    assert {c for c, s in found.items() if s.verdict is Verdict.BREACHED} == {
        "DQ-MISSING-size", "DQ-MISSING-kind", "DQ-MISSING-words",
    }


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=8), st.floats(), st.integers()), min_size=30, max_size=60))
def test_any_values_can_stand_in_a_column(values: list[object]) -> None:
    """Categories and numbers of any kind never raise."""
    rng = np.random.default_rng(4)
    before = made_records(120, rng)
    features = made_records(len(values), rng).features.assign(kind=pd.Series(values, dtype=object))
    now = Rows(features.assign(size=features["kind"]), meta(len(values), rng))
    assert measure(made_stream(), compared(before, now))[0]
