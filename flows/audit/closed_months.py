"""What a cycle's end does for the store: predictions of months that are over move from SQL to Parquet."""

from __future__ import annotations

import logging

from trueup.flows.app import App
from trueup.storage.errors import TrueupError
from trueup.storage.history.month_moves import close_months
from trueup.storage.leases import hold
from trueup.storage.stream import StreamSettings

log = logging.getLogger("trueup")


def close_months_after_cycle(app: App, stream: StreamSettings) -> None:
    """The schedule's; a failure is told, and fails no cycle: the next one goes on where this one stopped."""
    if not stream.predicts or app.pauses.current(stream.name) is not None:
        return
    try:
        with hold(app.database, stream.name, clock=app.clock) as lease:
            close_months(app.database, app.archive, stream.name, lease, before=app.now())
    except TrueupError as error:
        log.warning("no more predictions of %s move to the archive this time: %s", stream.name, error)
