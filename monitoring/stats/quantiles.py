"""Quantiles of values that are in order already."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def quantiles(ordered: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Of ascending numbers (n,), n ≥ 1, what `np.quantile` gives to the digit, without ordering a copy of them.

    shares: in [0, 1].
    """
    place = np.asarray(shares, dtype=float) * (len(ordered) - 1)
    below = np.floor(place).astype(np.int64)
    low, high = ordered[below], ordered[np.minimum(below + 1, len(ordered) - 1)]
    part, apart = place - below, high - low
    return np.asarray(np.where(part < 0.5, low + apart * part, high - apart * (1 - part)))
