"""The current window of a stream, and whether its check counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trueup.storage.policy import Policy
from trueup.storage.rows import Rows


@dataclass(frozen=True)
class StreamPosition:
    """A record's place in the order of a stream: its time in microseconds, then its intake order."""

    time: int
    seq: int

    def before(self, other: StreamPosition) -> bool:
        return (self.time, self.seq) < (other.time, other.seq)


@dataclass(frozen=True)
class Window:
    """The newest records after the cut-off. full: it holds `window` records, or its span has passed."""

    rows: Rows
    full: bool

    @property
    def first(self) -> StreamPosition | None:
        return _position(self.rows, 0) if len(self.rows) else None

    @property
    def last(self) -> StreamPosition | None:
        return _position(self.rows, len(self.rows) - 1) if len(self.rows) else None

    def counts(self, last_counted: StreamPosition | None) -> bool:
        """Whether a check of this window counts: it is full, and shares no record with the last counted one."""
        first = self.first
        return self.full and first is not None and (last_counted is None or last_counted.before(first))


def window_of(policy: Policy, rows: Rows, *, cut_off: datetime, as_of: datetime) -> Window:
    """The window at `as_of` among `rows`, which hold all records with cut-off < time ≤ as_of or the newest of them."""
    if policy.window_records is not None:
        return Window(rows.newest(policy.window_records), len(rows) >= policy.window_records)
    assert policy.window_span is not None
    start = as_of - policy.window_span
    inside = rows.meta["time"] > start.replace(tzinfo=None)
    return Window(rows.take(inside.to_numpy()), start >= cut_off)


def _position(rows: Rows, position: int) -> StreamPosition:
    meta = rows.meta
    time = meta["time"].to_numpy().astype("datetime64[us]").astype("int64")[position]
    return StreamPosition(int(time), int(meta["seq"].to_numpy()[position]))
