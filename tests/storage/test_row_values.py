"""Columns out of Parquet become the same arrays whatever type they were written with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from trueup.storage.row_values import numeric, objects

WRITTEN: dict[str, list[Any]] = {
    "floats": [1.5, None, float("nan")],
    "whole numbers": [1, None, -3],
    "large whole numbers": [2**60 + 1, 0],
    "truth values": [True, None, False],
    "texts": ["a", None, "2.5", "a"],
    "nothing": [None, None],
    "times": [datetime(2024, 1, 1), None],
    "no rows": [],
}


@pytest.mark.parametrize("name", WRITTEN)
def test_numbers_and_objects_are_what_pandas_makes_of_them(name: str) -> None:
    """The short ways for common types give what the way over pandas gives, which the store's rows are defined by."""
    column = pa.chunked_array([pa.array(WRITTEN[name])])
    series = column.to_pandas(date_as_object=False)
    if name != "times":
        wanted = pd.to_numeric(series, errors="coerce").astype("float64").to_numpy()
        assert numeric(column).dtype == np.float64
        assert np.array_equal(numeric(column), wanted, equal_nan=True)
    given = objects(column)
    assert given.dtype == object
    assert list(given) == list(series.astype("object").where(series.notna(), None))


def test_texts_in_many_chunks_keep_their_order() -> None:
    """A column written in parts, some without any value, is read as one."""
    column = pa.chunked_array([pa.array(["x", None]), pa.array(["y"]), pa.array([None], pa.string())])
    assert list(objects(column)) == list(objects(column, alike=False)) == ["x", None, "y", None]


def test_few_texts_are_spread_over_their_rows() -> None:
    """A column that holds numbers beside its few texts, each part its own, is read as one of texts, each one object."""
    parts = [pa.array(["x", None, "y", "x"]), pa.array(["y", "z"]), pa.array([None, None], pa.string())]
    column = pa.chunked_array([part.dictionary_encode() for part in parts])
    given = objects(column)
    assert list(given) == ["x", None, "y", "x", "y", "z", None, None]
    assert given[0] is given[3]
