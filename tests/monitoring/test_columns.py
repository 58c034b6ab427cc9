"""Columns as arrays: what counts as levels, and which."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from trueup.monitoring.stats.columns import (
    FEW_VALUES,
    ONE_VALUE,
    as_level_codes,
    as_levels,
    is_discrete,
    missing,
    number_codes,
)
from trueup.storage.rows import Rows

DIRT = st.one_of(
    st.none(), st.just(float("nan")), st.sampled_from(["a", "b", " ", "", "1", "True", 1, 1.0, True]),
    st.lists(st.integers(), max_size=1),
)  # fmt: skip
NUMBERS = st.lists(st.one_of(st.just(float("nan")), st.integers(0, 30).map(float), st.just(-0.0)), max_size=60)


@given(st.lists(DIRT, max_size=12))
def test_codes_are_the_levels(values: list[object]) -> None:
    """What each code names is the level as it is written; -1 stands where it is missing."""
    column = pd.Series(values, dtype=object)
    found, said = as_level_codes(column), as_levels(column)
    assert list(np.append(found.names, None)[found.codes]) == [None if pd.isna(v) else v for v in said]
    assert len(set(found.names)) == len(found.names)


@given(st.lists(DIRT, max_size=12))
def test_what_is_blank_is_missing(values: list[object]) -> None:
    """A column of objects misses what is not there, and texts of white space only."""
    rows = Rows(pd.DataFrame({"x": pd.Series(values, dtype=object)}), pd.DataFrame(index=range(len(values))))
    bare = [level is None or not level.strip() for level in as_levels(rows.features["x"])]
    assert list(missing(rows, "x")) == bare


@given(NUMBERS)
def test_numbers_are_named_as_they_are_written(values: list[float]) -> None:
    """Whole ones without a point, no minus before a zero, and those that look alike under one name."""
    found = number_codes(np.array([*values, 0.1 + 0.2, 0.3]))
    said = list(np.append(found.names, None)[found.codes])
    assert said == [*(None if np.isnan(v) else str(int(v)) for v in values), "0.3", "0.3"]
    assert len(set(found.names)) == len(found.names)


@given(NUMBERS, NUMBERS)
def test_few_or_alike_numbers_are_discrete(reference: list[float], current: list[float]) -> None:
    """At most FEW_VALUES of both sides together, or one of them more than ONE_VALUE of the time."""
    pooled = pd.Series([*reference, *current], dtype=float).dropna()
    counts = pooled.value_counts()
    said = bool(len(counts)) and (len(counts) <= FEW_VALUES or counts.iloc[0] > ONE_VALUE * len(pooled))
    assert is_discrete(np.array(reference, dtype=float), np.array(current, dtype=float)) == said


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 8))
def test_one_value_among_many_is_seen_on_either_side(first: int, second: int, others: int) -> None:
    """However the value that dominates and the others are spread over the sides."""
    many = np.arange(1.0, 31.0)
    reference, current = np.r_[np.zeros(first * 10), many[:others]], np.r_[many[others:], np.zeros(second * 10)]
    share = (first + second) * 10 / ((first + second) * 10 + 30)
    assert is_discrete(reference, current) == (share > ONE_VALUE)
