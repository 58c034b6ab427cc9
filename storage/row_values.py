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
    if pa.types.is_dictionary(column.type) and is_text(column.type.value_type):
        return _spread(column)
    values = column.to_pandas(date_as_object=False, deduplicate_objects=alike)
    if is_text(column.type):
        return np.asarray(values)
    return np.asarray(values.astype("object").where(values.notna(), None))


def _spread(column: pa.ChunkedArray) -> np.ndarray:
    """Of texts that stand as numbers beside a list of the few: one object each, None where missing."""
    spread, start = np.empty(len(column), object), 0
    for chunk in column.chunks:
        texts = np.array([*chunk.dictionary.to_pylist(), None], object)
        numbers = chunk.indices.fill_null(len(texts) - 1).to_numpy()
        np.take(texts, numbers, out=spread[start : start + len(chunk)], mode="clip")
        start += len(chunk)
    return spread


def release_memory() -> None:
    """Give back what Arrow would keep for its next table: 100 MB of a million rows."""
    pa.default_memory_pool().release_unused()
