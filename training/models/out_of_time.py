"""The metric's reference: the recipe refitted before each of the last blocks of history and scored on that block.

A random hold-out flatters: it asks about the past that the model knows. What comes next is asked here (invariant 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from trueup.storage.errors import NotTrainable
from trueup.storage.rows import Rows, new_content, stack
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.recipes import Recipe
from trueup.training.models.feature_cache import Block, Matrices
from trueup.training.models.fitting import learnable
from trueup.training.models.recency import recent_row_count

BLOCKS = 4
BLOCKS_OF_SERIES = 8  # a series is judged against its own past windows, so it needs more of them


@dataclass(frozen=True)
class OutOfTime:
    """Labelled rows, in time order, with `predicted` and `score` filled, and the block of each (0 is the oldest)."""

    rows: Rows
    blocks: np.ndarray


def block_edges(stream: StreamSettings, rows: Rows) -> np.ndarray:
    """Positions in `rows` that bound the newest blocks, each one window long, oldest first; the last is len(rows).

    At least half of the rows lie before the first; where not even one window fits so, the newest quarter is the block.
    """
    n = len(rows)
    backwards = np.arange(1, (BLOCKS_OF_SERIES if stream.series else BLOCKS) + 1)
    if stream.policy.window_records is not None:
        starts = n - backwards * stream.policy.window_records
    else:
        times = rows.meta["time"].to_numpy()
        starts = np.searchsorted(times, times[-1] - backwards * np.timedelta64(stream.policy.window_span), side="right")
    starts = starts[starts >= n / 2]
    if not len(starts):
        starts = np.array([n - n // 4])
    return np.array([*sorted(set(starts.tolist())), n])


def out_of_time(stream: StreamSettings, recipe: Recipe, rows: Rows, seed: int) -> OutOfTime:
    """How `recipe` would have answered the last blocks of `rows` at their time.

    Before each block it is fitted on the training-side rows that precede it; labelled rows of the block whose content
    does not stand in what was fitted are scored, of both sides. A block before which too little is known is left out.

    Args:
        rows: the whole snapshot in time order, both sides, labelled or not.
    """
    if not len(rows):
        return OutOfTime(Rows.empty(stream.columns), np.empty(0, dtype=np.int64))
    training = ~rows.meta["evaluation"].to_numpy(dtype=bool)
    newest = recent_row_count(stream, rows)
    edges = block_edges(stream, rows)
    blocks: list[Block] = []
    for start, stop in pairwise(edges):
        past = rows.take(np.flatnonzero(training[:start]))
        try:
            used = learnable(stream, past, recipe, newest)
        except NotTrainable:
            continue  # a young stream: its first blocks have no past to learn from
        block = rows.take(slice(start, stop))
        block = new_content(block.take(block.labelled), used)
        if len(block):
            blocks.append(Block(past, block))
    refits = Matrices(stream, rows.take(rows.labelled), blocks, seed, newest)
    scored = [refits.answered(recipe, at) for at in range(len(blocks))]
    numbers = np.repeat(np.arange(len(scored)), [len(block) for block in scored])
    return OutOfTime(stack(scored, stream.columns), numbers.astype(np.int64))


def held_out_blocks(
    stream: StreamSettings, rows: Rows, judged: Rows, out_of_fold: Rows | None = None
) -> OutOfTime:
    """In place of `out_of_time`, of a model that nobody here can fit again: how it answered the last blocks.

    Args:
        rows: the whole snapshot in time order, both sides.
        judged: its labelled evaluation rows, answered by the model; those whose content it learnt from are left out.
        out_of_fold: further rows, answered by trainings that did not learn from their content.
    """
    judged = new_content(judged, rows.take(~rows.meta["evaluation"].to_numpy(dtype=bool)))
    if out_of_fold is not None:
        judged = stack([judged, out_of_fold.take(out_of_fold.labelled)], stream.columns)
    places = pd.Index(rows.meta["seq"]).get_indexer(judged.meta["seq"])
    numbers = np.searchsorted(block_edges(stream, rows)[:-1], places, side="right") - 1
    return OutOfTime(judged.take(numbers >= 0), numbers[numbers >= 0].astype(np.int64))
