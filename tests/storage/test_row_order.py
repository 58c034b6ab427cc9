"""Rows in their order, and where among them a place in intake order stands."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from trueup.storage.row_order import in_order, places_of
from trueup.storage.rows import META, Rows, frame_of

SEQ = st.lists(st.integers(0, 12), unique=True, max_size=12)


def _rows(seq: list[int]) -> Rows:
    whole = {f"__{name}": np.zeros(len(seq), kind) for name, kind in META.items() if name in ("evaluation", "content")}
    whole |= {"__id": np.array([str(k) for k in seq], object), "__group": np.zeros(len(seq), np.int64)}
    whole |= {"__time": np.arange(len(seq)).astype("datetime64[us]"), "__seq": np.array(seq, np.int64)}
    return in_order(whole, [])


@given(SEQ, st.lists(st.integers(-2, 15), max_size=15))
def test_each_place_is_found_where_it_stands(seq: list[int], asked: list[int]) -> None:
    """Rows that stand one beside the other, whose places are counted, and any others, whose are looked for."""
    place, there = places_of(_rows(seq), np.array(asked, np.int64))
    assert there.tolist() == [one in seq for one in asked]
    assert [seq[k] for k in place[there]] == [one for one in asked if one in seq]


@given(st.lists(st.sampled_from([None, "a", 1.5, True, pd.Timestamp("2024-01-01"), float("nan")]), max_size=6))
def test_a_frame_holds_what_pandas_would_make_of_its_columns(values: list[object]) -> None:
    """What is not let through pandas' search for times is what that search would have left as it is."""
    column = np.empty(len(values), object)
    column[:] = values
    index = pd.RangeIndex(len(values))
    pd.testing.assert_frame_equal(frame_of({"c": column}, index), pd.DataFrame({"c": column}, index))
