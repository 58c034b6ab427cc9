"""How late the parts of a stream come, by what each ingest brought."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from trueup.flows.app import App
from trueup.monitoring.lateness import LatePart, latest_part
from trueup.storage.arrivals import newest_arrivals
from trueup.storage.stream import OrderTime, StreamSettings

_NEWEST = 5_000  # records, by arrival: what was fixed long ago is past


def late_part_of(app: App, stream: StreamSettings, as_of: datetime) -> LatePart | None:
    """The part whose lateness would move a signal and is more than `policy.settle` waits for, if there is one."""
    columns = tuple(dict.fromkeys((*stream.categorical, *stream.slices)))
    if not columns or isinstance(stream.time, OrderTime):
        return None
    came = newest_arrivals(app.database, app.archive, stream, columns, as_of=as_of, count=_NEWEST)
    late = latest_part(came.columns, came.times, came.receipt, came.known, _window(stream, came.times))
    return late if late is not None and late.span > stream.policy.settle_span else None


def complete_until(stream: StreamSettings, late: LatePart | None, as_of: datetime) -> datetime:
    """Until when all parts of the feed have reported: `policy.settle` before as-of, or what was measured."""
    return as_of - (late.span if late is not None else stream.policy.settle_span)


def _window(stream: StreamSettings, times: np.ndarray) -> timedelta:
    """How much time a window takes."""
    policy = stream.policy
    if policy.window_span is not None:
        return policy.window_span
    newest = np.sort(times)[-(policy.window_records or len(times)) :]
    span: timedelta = (newest[-1] - newest[0]).item() if len(newest) else timedelta()
    return span
