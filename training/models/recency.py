"""How many rows a window is, and how many are "the newest" that a recipe may be fitted on."""

from __future__ import annotations

import numpy as np

from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

LEAST_RECENT = 300  # labelled rows; below, a text model does not learn words


def window_row_count(stream: StreamSettings, rows: Rows) -> int:
    """How many of `rows` the newest window holds (a window given as a span is counted back from the newest row)."""
    if stream.policy.window_records is not None:
        return stream.policy.window_records
    assert stream.policy.window_span is not None
    if not len(rows):
        return 0
    times = rows.meta["time"].to_numpy()
    start = times[-1] - np.timedelta64(stream.policy.window_span)
    return int(len(times) - np.searchsorted(times, start, side="right"))


def recent_row_count(stream: StreamSettings, rows: Rows) -> int:
    """How many labelled rows a recipe with history "newest" is fitted on: one window.

    A confirmed change is about two windows old when it is learnt from; more rows than that would bring the old concept
    back, also in front of the search's first validation block.
    """
    return max(LEAST_RECENT, window_row_count(stream, rows))
