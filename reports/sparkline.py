"""The course of a figure in one line of blocks."""

from __future__ import annotations

from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇"  # an odd number, so that a flat line lies within one of them
_LEAST = 0.1  # of the largest value: what the line's height spans at least, so that noise draws no mountains


def sparkline(values: Sequence[float]) -> str:
    """One block a value, the lowest where the value is the lowest; empty for no values."""
    if not values:
        return ""
    low, high = min(values), max(values)
    span = max(high - low, _LEAST * max(abs(low), abs(high))) or 1.0
    middle, steps = (low + high) / 2, len(_BLOCKS) - 1
    return "".join(_BLOCKS[int((value - middle) / span * steps + len(_BLOCKS) / 2)] for value in values)
