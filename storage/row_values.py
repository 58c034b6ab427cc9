"""Arrow columns as the arrays that rows are made of; the common types without a Python object for every value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from trueup.storage.arrow_columns import is_text


def numeric(column: pa.ChunkedArray) -> np.ndarray:
    """float64 (n,), NaN where missing or no number."""
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_null(column.type):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())
    return np.asarray(pd.to_numeric(column.to_pandas(), errors="coerce").astype("float64"))


def objects(column: pa.ChunkedArray, *, alike: bool = True) -> np.ndarray:
    """Objects (n,), None where missing. alike: few values stand many times, and equal texts become one object."""
    values = column.to_pandas(date_as_object=False, deduplicate_objects=alike)
    if is_text(column.type):
        return np.asarray(values)
    return np.asarray(values.astype("object").where(values.notna(), None))
