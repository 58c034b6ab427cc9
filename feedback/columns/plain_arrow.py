"""Columns that a file types, as the text that `written` makes of each value, where all of them can be written at once.

A column of which that is not certain (objects, bytes, decimals, times of a zone or beyond Python's years, infinity,
NUL) is none of them: its rows are written one by one.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as types

_MICROS = (-62_135_596_800_000_000, 253_402_300_799_999_999)  # the years 1 to 9999
_DAYS = (-719_162, 2_932_896)


def written_at_once(column: pa.Array) -> pa.StringArray | None:
    """A column of n values as text, null where `written` says None; None: its values need a look each."""
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    try:
        if types.is_null(kind):
            return column.cast(pa.string())
        if types.is_string(kind) or types.is_large_string(kind):
            return _texts(column.cast(pa.string()))
        if types.is_boolean(kind):
            return pc.if_else(column, "True", "False")
        if types.is_integer(kind):
            return column.cast(pa.string())
        if types.is_float32(kind) or types.is_float64(kind):
            return _floats(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
        if types.is_timestamp(kind) and kind.tz in (None, "UTC"):
            return _moments(column)
        if types.is_date32(kind):
            return column.cast(pa.string()) if _within(column.cast(pa.int32()), _DAYS) else None
    except pa.ArrowInvalid:  # bytes that are no text, or a value that another type cannot hold
        return None
    return None


def is_exact(kind: pa.DataType) -> bool:
    """Whether `written` makes an `Exact` of the values of a type that `written_at_once` takes."""
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_integer(kind) or types.is_floating(kind))


def _texts(column: pa.StringArray) -> pa.StringArray | None:
    column.validate(full=True)
    ends = np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, column.offset * 4) if len(column) else [0, 0]
    held = column.buffers()[2]
    if held is not None and not np.frombuffer(held, np.uint8)[ends[0] : ends[-1]].all():
        return None
    return pc.if_else(pc.equal(column, ""), None, column)


def _floats(values: np.ndarray) -> pa.StringArray | None:
    if np.isinf(values).any():
        return None
    whole = (np.floor(values) == values) & (np.abs(values) < 2**53)
    texts = pc.replace_with_mask(
        pa.nulls(len(values), pa.string()), pa.array(whole), pa.array(values[whole].astype(np.int64)).cast(pa.string())
    )
    others = ~whole & ~np.isnan(values)
    return pc.replace_with_mask(texts, pa.array(others), pa.array(map(repr, values[others].tolist()), pa.string()))


def _moments(column: pa.Array) -> pa.StringArray | None:
    micros = column.cast(pa.timestamp("us", column.type.tz))
    if not _within(micros.cast(pa.int64()), _MICROS):
        return None
    texts = pc.replace_substring_regex(micros.cast(pa.timestamp("us")).cast(pa.string()), r"\.000000$", "")
    return texts if column.type.tz is None else pc.binary_join_element_wise(texts, "+00:00", "")


def _within(counts: pa.Array, edges: tuple[int, int]) -> bool:
    found = pc.min_max(counts).as_py()
    return found["min"] is None or bool(edges[0] <= found["min"] and found["max"] <= edges[1])
