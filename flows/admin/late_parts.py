"""Whether part of a file's records stand later in it than their times say, as where it was written as they arrived."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from trueup.feedback.values import plain
from trueup.monitoring.lateness import FEWEST_ROWS, LatePart, latest_part

_BLOCKS = 50  # that the file is read as, each as if it had come in at once


def late_part_in(table: pd.DataFrame, times: np.ndarray, columns: Sequence[str], window: int) -> LatePart | None:
    """The part that comes latest, if the order of the rows shows one.

    A file that lists one part after the other shows none: only where values stand side by side, one can lag.

    Args:
        times: of the rows, datetime64[us], NaT where it cannot be read.
        columns: whose values may be parts.
        window: records.
    """
    readable = ~np.isnat(times)
    times, table = times[readable], table[readable]
    if len(times) < 2 * FEWEST_ROWS:
        return None
    block = np.arange(len(times)) // max(FEWEST_ROWS, len(times) // _BLOCKS)
    ends = np.flatnonzero(np.diff(block, append=-1))
    known = np.maximum.accumulate(times)[ends][block]
    whole = float((times.max() - times.min()) / np.timedelta64(1, "s"))
    span = timedelta(seconds=whole * min(1.0, window / len(times)))
    found = []
    for column in columns:
        values = table[column].map(plain)
        mixed = values.groupby(block).transform("nunique").to_numpy() > 1
        part = {column: values.to_numpy(dtype=object)[mixed]}
        found.append(latest_part(part, times[mixed], block[mixed], known[mixed], span))
    return max((part for part in found if part), key=lambda part: part.span, default=None)
