"""Parts of a feed that come later than the rest, which at the end of a window look like a change of their share.

How late a record comes is told by the newest record known once it is in, as in stream processing's watermarks (Akidau
et al. 2015, "The Dataflow Model", VLDB): no clock is asked, so that a replay of the past says the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

FEWEST_ROWS = 30
FEWEST_RECEIPTS = 3  # in which a part must have come late; fewer may be a backfill
FLOOR = 0.02  # of a window that is missing at its end; less moves no signal
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class LatePart:
    """The records whose `column` is `value` are all there `span` after their time, the others sooner."""

    column: str
    value: str
    span: timedelta

    @property
    def setting(self) -> str:
        """The line to write into the stream's policy."""
        return f'settle = "{in_whole_units(self.span)}"'

    @property
    def said(self) -> str:
        """A sentence, without what follows from it."""
        late = in_whole_units(self.span)
        return f"records with {self.column} = '{self.value}' arrive up to {late} later than the others"


def in_whole_units(span: timedelta) -> str:
    """A span as the settings write it, in days or, below two, in hours; rounded up."""
    if span >= 2 * _DAY:
        return f"{math.ceil(span / _DAY)}d"
    return f"{math.ceil(span / timedelta(hours=1))}h"


def latest_part(
    parts: Mapping[str, np.ndarray], times: np.ndarray, receipt: np.ndarray, known: np.ndarray, window: timedelta
) -> LatePart | None:
    """The part that comes latest, of those whose lateness would move a signal.

    Args:
        parts: by column, the values of n records (objects, None where missing).
        times: their times, datetime64[us].
        receipt: the number of the receipt that each came in with.
        known: the newest time that was known once that receipt was in, datetime64[us].
        window: how much time a window takes.
    """
    found: list[LatePart] = []
    if not len(times) or not window:
        return None
    behind = (known - times) / np.timedelta64(1, "s")
    for column, values in parts.items():
        codes, names = pd.factorize(values)
        there = codes >= 0
        counts, every = np.bincount(codes[there], minlength=len(names)), int(there.sum())
        owner, least, most = _ranges(codes[there], receipt[there], behind[there])
        for k in np.argsort(-counts, kind="stable"):
            own, count = owner == k, int(counts[k])
            if count < FEWEST_ROWS or every - count < FEWEST_ROWS or own.sum() < FEWEST_RECEIPTS:
                continue
            apart = least[own] - np.median(least[~own])
            usual = float(np.median(apart))
            if (apart > 0).sum() < FEWEST_RECEIPTS or usual <= 0:
                continue
            missing = count / every * min(1.0, usual / window.total_seconds())
            if missing >= FLOOR:
                found.append(LatePart(column, str(names[k]), timedelta(seconds=float(np.median(most[own])))))
    return max(found, key=lambda part: part.span, default=None)


def _ranges(codes: np.ndarray, receipt: np.ndarray, behind: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each value in each receipt that holds it: the value's code, and how far its records were behind, from … to."""
    order = np.lexsort((behind, receipt, codes))
    codes, receipt, behind = codes[order], receipt[order], behind[order]
    new = np.append(True, (codes[1:] != codes[:-1]) | (receipt[1:] != receipt[:-1]))[: len(codes)]
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(codes))[: len(first)] - 1
    return codes[first], behind[first], behind[last]
