"""Whether a file is a time series, and how much of it one check should look at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

_REGULAR = 0.8         # of the steps from row to row that must be the same
_SAME_TIME = 0.1       # of the rows that may share a time with the row before them
_LABELS = 200          # `policy.min_labels` as it stands by default
_WINDOW = 500          # records, where the rows are no series
_WINDOWS = 10          # that the history of a series should hold
_FEWEST = 30           # records below which nothing is judged


@dataclass(frozen=True)
class Series:
    """step: from one record to the next, None where the rows are no series. window: as `policy.window` takes it."""

    step: timedelta | None
    window: str


def find_series(times: np.ndarray, rows: int) -> Series:
    """A series is regular: nearly every row lies one step after the row before it.

    Args:
        times: of evenly spaced rows in file order, datetime64[us], NaT where unreadable.
        rows: of the whole file.
    """
    known = times[~np.isnat(times)]
    steps = np.diff(known).astype(np.int64)
    if len(steps) < _FEWEST or (steps == 0).mean() > _SAME_TIME:
        return Series(None, str(_WINDOW))
    sizes, counts = np.unique(np.abs(steps[steps != 0]), return_counts=True)
    if not len(counts) or counts.max() < _REGULAR * len(steps):
        return Series(None, str(_WINDOW))
    apart = max(1, round(rows / len(times)))  # rows of the file from one of the sample to the next
    step = timedelta(microseconds=int(sizes[counts.argmax()])) / apart
    return Series(step, _whole_weeks(step, rows))


def series_of_order(step: timedelta, rows: int) -> Series:
    """The series that rows are whose order is their time, one `step` apart."""
    return Series(step, _whole_weeks(step, rows))


def _whole_weeks(step: timedelta, rows: int) -> str:
    """So that every window holds the same weekdays; of as many records as a metric needs labels where ten fit."""
    week = timedelta(days=7)
    weeks = min(math.ceil(_LABELS * step / week), rows * step // (_WINDOWS * week))
    return f"{7 * max(weeks, math.ceil(_FEWEST * step / week))}d"
