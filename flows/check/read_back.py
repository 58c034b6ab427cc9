"""How far back of a window a check has to read: as far as it looks, and not all that came since the cut-off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from trueup.flows.app import App
from trueup.flows.check.labels import with_resolved_labels
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import TICK

_AHEAD, _FURTHER = 2, 4  # windows that are read first; how many times as many then


def rows_read_back(
    app: App, stream: StreamSettings, champion: VersionRecord, as_of: datetime, *, end: datetime, since: datetime | None
) -> Iterator[Rows]:
    """The newest rows after the champion's cut-off with its answers and their labels, ever more of them, at last all.

    Each part holds whole windows, up to `end` and of records whose labels count, and every row from `since` on.
    """
    policy, cut_off = stream.policy, champion.cut_off
    until = min(end, as_of - stream.label.maturity_span)
    windows = _AHEAD
    while True:
        if policy.window_records is not None:
            start = app.counts.newest_since(stream, windows * policy.window_records, after=cut_off, as_of=until)
        else:
            assert policy.window_span is not None
            start = max(cut_off, until - windows * policy.window_span)
        if since is not None:
            start = max(cut_off, min(start, since - TICK))
        yield with_resolved_labels(
            stream,
            app.reader.read(stream, after=start, as_of=as_of, version=champion.version, ids_in_arrow=True),
        )
        if start <= cut_off:
            return
        windows *= _FURTHER
