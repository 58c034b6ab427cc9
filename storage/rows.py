"""Rows: records in memory, with what is known about each, kept apart from what a model may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from trueup.storage.policy import Policy
from trueup.storage.timepoints import utc

META = {
    "id": "object",                        # the record's id
    "time": "datetime64[us]",              # event time, UTC
    "seq": "int64",                        # intake order, unique in the stream
    "evaluation": "bool",                  # side of the split: True evaluation, False training
    "content": "int64",                    # hash of the normalised content; equal content, equal hash
    "group": "int64",                      # hash of the unit of the split
    "label": "object",                     # ground truth as known at the time asked for; None where unknown
    "known_at": "datetime64[us]",          # when the label was known; NaT where unknown
    "provenance": "object",                # record, audit or feedback; None where unlabelled
    "predicted": "object",                 # a model version's answer; None where not scored
    "score": "float64",                    # probability of the last class (two classes), of the answer (more), NaN
}


@dataclass(frozen=True)
class Rows:
    """n records: `features` (n × declared columns) and `meta` (n × META), aligned by position.

    Text columns are str, numeric columns float64, categorical and slice columns object; missing is None or NaN.
    The order is (time, seq), oldest first. Neither frame is ever changed in place: Rows made of others share columns.
    """

    features: pd.DataFrame
    meta: pd.DataFrame

    def __len__(self) -> int:
        return len(self.meta)

    def take(self, which: np.ndarray | slice) -> Rows:
        """The rows that a boolean mask, positions or a slice name, in their order.

        Millions of rows are passed through here several times a check, so what is all there is not copied.
        """
        if isinstance(which, np.ndarray) and which.dtype == bool and which.all():
            return self
        features, meta = self.features.iloc[which], self.meta.iloc[which]
        index = pd.RangeIndex(len(meta))
        return Rows(features.set_axis(index, copy=False), meta.set_axis(index, copy=False))

    def newest(self, count: int) -> Rows:
        """The last `count` rows, or all where there are fewer."""
        return self.take(slice(max(0, len(self) - count), None))

    def until(self, moment: datetime) -> Rows:
        """The rows with time ≤ moment (UTC)."""
        limit = np.datetime64(utc(moment).replace(tzinfo=None), "us")
        return self.take(self.meta["time"].to_numpy() <= limit)

    @property
    def labelled(self) -> np.ndarray:
        """Boolean mask of the rows whose label is known."""
        return np.asarray(self.meta["label"].notna())

    def with_meta(self, **columns: object) -> Rows:
        """The same rows with meta columns replaced."""
        held = {name: self.meta[name] for name in self.meta.columns} | columns
        return Rows(self.features, frame_of(held, self.meta.index, META))

    @staticmethod
    def empty(columns: Sequence[str]) -> Rows:
        return Rows(
            pd.DataFrame({c: pd.Series(dtype="object") for c in columns}),
            pd.DataFrame({c: pd.Series(dtype=t) for c, t in META.items()}),
        )


def frame_of(columns: Mapping[str, Any], index: pd.Index, kinds: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Arrays and series as they are, not copied. kinds: of the columns whose dtype is known, as in META.

    Pandas would look for times among the objects of every column: it is let look only where the first value is no text.
    """
    kinds = kinds or {}
    held = {name: _as_it_is(values, index, kinds.get(name) == "object") for name, values in columns.items()}
    return pd.DataFrame(held, index, copy=False)


def _as_it_is(values: Any, index: pd.Index, known: bool) -> Any:
    if not isinstance(values, np.ndarray) or values.dtype != object:
        return values
    known = known or isinstance(next((value for value in values if value is not None), ""), str)
    return pd.Series(values, index, dtype=object, copy=False) if known else values


def stack(parts: Sequence[Rows], columns: Sequence[str]) -> Rows:
    """Several Rows as one, in (time, seq) order."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return Rows.empty(columns)
    meta = pd.concat([part.meta for part in parts], ignore_index=True)
    features = pd.concat([part.features for part in parts], ignore_index=True)
    order = np.lexsort((meta["seq"].to_numpy(), meta["time"].to_numpy()))
    return Rows(features, meta).take(order)


def new_content(rows: Rows, known: Rows) -> Rows:
    """The rows whose content stands nowhere in `known` (invariant 3)."""
    return rows.take(~rows.meta["content"].isin(known.meta["content"].to_numpy()).to_numpy())


def unique_content(rows: Rows, among: Rows) -> Rows:
    """The rows whose content stands only once in `among`, of which they are part (invariant 3)."""
    values, counts = np.unique(among.meta["content"].to_numpy(), return_counts=True)
    return rows.take(np.isin(rows.meta["content"].to_numpy(), values[counts == 1]))


def fills_window(policy: Policy, rows: Rows) -> tuple[bool, str]:
    """Whether rows in time order fill a window, and what that takes, in words."""
    if policy.window_span is None:
        return len(rows) >= (policy.window_records or 0), f"{policy.window_records} records"
    times = rows.meta["time"].to_numpy()
    full = len(rows) >= 30 and times[-1] - times[0] >= np.timedelta64(policy.window_span)
    return full, f"30 records or more that span {policy.window}"
