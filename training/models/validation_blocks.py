"""The newest labelled rows in contiguous blocks, each to be answered by what was fitted on the rows before it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from trueup.storage.errors import NotTrainable
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.models.feature_cache import Block
from trueup.training.models.recency import window_row_count

VALIDATION_BLOCKS = 3
LEAST_BLOCK = 30  # labelled rows; fewer cannot tell two candidates apart
WANTED_BLOCK = 100  # labelled rows, however small the window
WINDOWS = 2


def validation_blocks(stream: StreamSettings, rows: Rows) -> tuple[Block, ...]:
    """Three contiguous blocks of the newest labelled rows: together two windows, or 300 rows where those are fewer.

    Half of the rows at most. No more than that, or a change of concept that is two windows old would be outvoted by
    the rows before it, and no recipe that learns from the newest rows could win.

    Raises:
        ValueError: an evaluation row is among `rows`; no model is chosen by one (invariant 2).
        NotTrainable: the labelled rows are too few.
    """
    if rows.meta["evaluation"].any():
        raise ValueError("evaluation rows were passed to the search; a model may not be chosen by them")
    labelled = rows.take(rows.labelled)
    n = len(labelled)
    least = 2 * VALIDATION_BLOCKS * LEAST_BLOCK
    if n < least:
        raise NotTrainable(
            f"{n} labelled training rows are too few to compare candidates on; {least} are needed. "
            "Bring in more labelled records."
        )
    validated = min(n // 2, max(WINDOWS * window_row_count(stream, labelled), VALIDATION_BLOCKS * WANTED_BLOCK))
    edges = np.linspace(n - validated, n, VALIDATION_BLOCKS + 1).astype(int)
    groups = labelled.meta["group"].to_numpy()
    return tuple(
        Block(
            labelled.take(np.flatnonzero(~np.isin(groups[:start], groups[start:stop]))),
            labelled.take(slice(start, stop)),
        )
        for start, stop in pairwise(edges)
    )
