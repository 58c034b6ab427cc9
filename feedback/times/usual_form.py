"""Times in the form that most programs write, 2024-01-02 03:04:05: a whole column of them is read at once. Pure."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from trueup.feedback.times.time_formats import ISO, ISO_WORD

# Formats that read this form, each with the signs that may stand before the hour.
USUAL_FORMATS = {ISO: b" T", ISO_WORD: b" T", "%Y-%m-%d %H:%M:%S": b" ", "%Y-%m-%dT%H:%M:%S": b"T"}
_LENGTH, _HOUR = 19, 10
_MARKS, _SIGNS = [4, 7, 13, 16], np.frombuffer(b"--::", np.uint8)
_FIRST = np.datetime64("0001-01-01", "us")


def usual_times(values: pa.StringArray, time_format: str) -> np.ndarray | None:
    """n values as a format of USUAL_FORMATS reads them, datetime64[us] of shape (n,); None: not all are such times."""
    if values.null_count or not len(values):
        return None
    ends = np.frombuffer(values.buffers()[1], np.int32, len(values) + 1, values.offset * 4)
    if (np.diff(ends) != _LENGTH).any():
        return None
    signs = np.frombuffer(values.buffers()[2], np.uint8)[ends[0] : ends[-1]].reshape(-1, _LENGTH)
    before = [signs[:, _HOUR] == sign for sign in USUAL_FORMATS[time_format]]
    if not (np.logical_or.reduce(before).all() and (signs[:, _MARKS] == _SIGNS).all()):
        return None
    try:
        times = values.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    return None if (times < _FIRST).any() else np.asarray(times)
