"""Text in columns as `values` reads each cell; only cells that may change are looked at one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trueup.feedback.missing_marks import MissingMarks
from trueup.feedback.values import MISSING_NUMBER, number, plain

_NUMBER = r"^-?[0-9]{1,100}(\.[0-9]{1,100})?$"  # what Arrow reads as Python does
_ZERO_FRACTION = r"^[+-]?[0-9](?:[0-9]|[^\x00-\x7F])*\.0+$"  # of a whole number; Python knows digits beyond ASCII
_LONGEST_WORD = max(map(len, MISSING_NUMBER))


def edges(column: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last byte of each value, uint8 of shape (n,), 0 where it is empty or missing."""
    ends = np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, column.offset * 4)
    held = column.buffers()[2]
    filled = np.diff(ends) > 0
    if held is None or not filled.any():
        return np.zeros(len(column), np.uint8), np.zeros(len(column), np.uint8)
    data = np.frombuffer(held, np.uint8)
    first, last = np.minimum(ends[:-1], len(data) - 1), np.maximum(ends[1:] - 1, 0)
    return np.where(filled, data[first], 0), np.where(filled, data[last], 0)


def blank(column: pa.StringArray) -> np.ndarray:
    """Whether a value is missing or nothing but white space, bool of shape (n,)."""
    first, last = edges(column)
    found = (first == 0) & (last == 0)
    maybe = np.flatnonzero(_outer(first) & _outer(last) & ~found)
    if len(maybe):
        found[maybe] = [not value.strip() for value in column.take(pa.array(maybe)).to_pylist()]
    return found | column.is_null().to_numpy(zero_copy_only=False)


def plainly(column: pa.StringArray) -> pa.StringArray:
    """Every value as `plain` writes it."""
    first, last = edges(column)
    maybe = (_outer(first) | _outer(last)) & (last > 0)
    ends = np.flatnonzero((last == ord("0")) & ~maybe)
    if len(ends):
        found = pc.match_substring_regex(column.take(pa.array(ends)), _ZERO_FRACTION)
        maybe[ends] = found.to_numpy(zero_copy_only=False)
    return _mapped(column, maybe, plain)


def unmarked(column: pa.StringArray, marks: MissingMarks) -> pa.StringArray:
    """Values written plainly, without those that stand for none."""
    if not marks:
        return column
    long = pc.greater(pc.binary_length(column), _LONGEST_WORD).fill_null(True).to_numpy(zero_copy_only=False)
    first, last = edges(column)
    where = np.ones(len(column), dtype=bool) if marks.texts else ~long | _outer(first) | _outer(last)
    return _mapped(column, where, lambda value: None if marks.mark(value) else value)


def finite_numbers(column: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """Finite numbers, float64 of shape (n,) with NaN where missing, and where there is a value that is none."""
    simple = pc.match_substring_regex(column, _NUMBER).fill_null(False)
    read = pc.if_else(simple, column, None).cast(pa.float64()).to_numpy(zero_copy_only=False).astype(float)
    rest = np.flatnonzero(~simple.to_numpy(zero_copy_only=False) & column.is_valid().to_numpy(zero_copy_only=False))
    wrong = np.zeros(len(column), dtype=bool)
    if len(rest):
        coded = column.take(pa.array(rest)).dictionary_encode()
        words = coded.dictionary.to_pylist()
        place = coded.indices.to_numpy()
        values = [number(word) for word in words]
        read[rest] = np.array([np.nan if v is None else v for v in values])[place]
        said = [v is None and w.lower() not in MISSING_NUMBER for v, w in zip(values, words, strict=True)]
        wrong[rest] = np.array(said, dtype=bool)[place]
    return read, wrong


def distinct(column: pa.StringArray, one: Callable[[str], object]) -> np.ndarray:
    """What each value comes to, worked out once for every different one: objects of shape (n,), None where missing."""
    coded = column.dictionary_encode()
    table = np.empty(len(coded.dictionary) + 1, dtype=object)
    table[:-1] = [one(value) for value in coded.dictionary.to_pylist()]
    return table[coded.indices.fill_null(len(table) - 1).to_numpy(zero_copy_only=False)]


def objects_of(column: pa.StringArray) -> np.ndarray:
    """Values as str or None, of shape (n,)."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)


def _outer(signs: np.ndarray) -> np.ndarray:
    """Whether a byte at the edge of a value may be white space: a control sign, a space, or beyond ASCII."""
    return (signs <= 32) | (signs >= 127)


def _mapped(column: pa.StringArray, where: np.ndarray, one: Callable[[str], str | None]) -> pa.StringArray:
    """The column with some of its values changed; each different one is worked out once."""
    if not where.any():
        return column
    mask = pa.array(where)
    coded = column.filter(mask).dictionary_encode()
    before = coded.dictionary.to_pylist()
    after = [one(value) for value in before]
    if after == before:
        return column
    return pc.replace_with_mask(column, mask, pa.array(after, pa.string()).take(coded.indices))
