"""The order of rows, and where among them a place in intake order stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from trueup.storage.rows import META, Rows, frame_of


def in_order(whole: Mapping[str, Any], columns: Sequence[str]) -> Rows:
    """Rows of columns, our own with two underscores in front, in (time, seq) order."""
    if not whole:
        return Rows.empty(columns)
    time, seq = whole["__time"], whole["__seq"]
    later = (time[1:] > time[:-1]) | ((time[1:] == time[:-1]) & (seq[1:] > seq[:-1]))
    if not later.all():
        order = np.lexsort((seq, time))
        whole = {name: values[order] for name, values in whole.items()}
    count = len(time)
    unknown = dict.fromkeys(("label", "provenance", "predicted"), np.full(count, None, object))
    unknown |= {"known_at": np.full(count, np.datetime64("NaT", "us")), "score": np.full(count, np.nan)}
    own = {name: whole.get(f"__{name}", unknown.get(name)) for name in META}
    features = {column: whole[column] for column in columns}
    index = pd.RangeIndex(count)
    return Rows(frame_of(features, index), frame_of(own, index, META))


def places_of(rows: Rows, seq: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where among rows each place in intake order stands, and which of them stand there at all."""
    own = rows.meta["seq"].to_numpy()
    if not len(own):
        return np.zeros(len(seq), np.int64), np.zeros(len(seq), bool)
    if own[-1] - own[0] == len(own) - 1 and (own[1:] > own[:-1]).all():  # one beside the other
        place = np.clip(seq - own[0], 0, len(own) - 1)
        return place, own[place] == seq
    order = np.argsort(own, kind="stable")
    found = np.minimum(np.searchsorted(own, seq, sorter=order), len(own) - 1)
    place = order[found]
    return place, own[place] == seq
