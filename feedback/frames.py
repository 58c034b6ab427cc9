"""Rows in memory as Arrow, so that they go the way of a Parquet file: pandas and Arrow tables of any dirt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from trueup.feedback.typed_values import written
from trueup.storage.errors import InputError


def arrow_table(rows: Any) -> pa.Table:
    """A DataFrame, an Arrow table or record batch (or what exports the Arrow C stream interface) as an Arrow table.

    A named index is a column like the others, one without a name is left out. A column whose values are of several
    types is taken in as the text of each value, as it would stand in a CSV file.

    Raises:
        InputError: it is no table, or its columns are not named by text, once each.
    """
    if isinstance(rows, pd.DataFrame):
        return _of_frame(rows)
    if isinstance(rows, pa.RecordBatch):
        return pa.Table.from_batches([rows])
    if isinstance(rows, pa.Table):
        return rows
    if hasattr(rows, "__arrow_c_stream__"):
        return pa.table(rows)
    raise InputError(
        f"A {type(rows).__name__} cannot be read as records; nothing was stored. Give a path, a pandas DataFrame or an "
        "Arrow table."
    )


def _of_frame(frame: pd.DataFrame) -> pa.Table:
    named = [name for name in frame.index.names if name is not None]
    frame = frame.reset_index(level=named) if named else frame
    wrong = [name for name in frame.columns if not isinstance(name, str)]
    if wrong or frame.columns.has_duplicates:
        twice = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
        listed = ", ".join(f"'{name}'" for name in wrong or twice)
        fault = f"columns whose names are not text: {listed}" if wrong else f"several columns of one name: {listed}"
        raise InputError(f"DataFrame: {fault}. The settings cannot name them. Nothing was stored. Rename them.")
    return pa.table({name: _array(frame[name]) for name in frame.columns})


def _array(column: pd.Series) -> pa.Array:
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return pa.array([written(_plain(value)) for value in column], type=pa.string())


def _plain(value: Any) -> Any:
    """A cell without its array type, None where pandas says that it is missing, as `written` takes it."""
    if value is pd.NA:
        return None
    return value.item() if isinstance(value, np.generic) else value
