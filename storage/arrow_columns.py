"""Arrow columns: their types, in one piece, as text, and made of arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds texts or nothing at all."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind))


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values of any type as text (n,), as a CSV file of them would have it; null where missing."""
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        return pa.chunked_array([pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())])
    return column.cast(pa.string())


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece, dictionaries written out."""
    whole = column.combine_chunks()
    whole = pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
    return whole.cast(whole.type.value_type) if pa.types.is_dictionary(whole.type) else whole


def table_of(columns: Mapping[str, np.ndarray]) -> pa.Table:
    """Columns of n values as Arrow: numbers as float64, objects as text; NaN and None are null."""
    return pa.table({
        name: pa.array(values, from_pandas=True) if values.dtype.kind == "f" else pa.array(values, pa.string())
        for name, values in columns.items()
    })  # fmt: skip
