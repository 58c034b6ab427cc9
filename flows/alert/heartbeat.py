"""The sign of life for a watcher elsewhere: sent only while alerts are on their way and no stream is overdue."""

from __future__ import annotations

import logging
import urllib.request
from datetime import timedelta

from trueup.flows.alert.holding import held_deliveries
from trueup.flows.app import App
from trueup.flows.check.timeliness import streams_overdue
from trueup.storage.outbox import PENDING

_PATIENCE = timedelta(hours=1)  # that an alert may wait for its mail server
_TIMEOUT_SECONDS = 10.0
log = logging.getLogger("trueup")


def beat(app: App) -> bool:
    """Ask for `[alerts] heartbeat` by GET; whether that was done.

    Not while an alert is dead, or waits for longer than _PATIENCE and nobody silenced it, nor while a stream's cycle is
    overdue, as `trueup status --fail-on stale` decides it: then silence is the alarm. A watcher that does not answer
    fails no cycle.
    """
    url = app.settings.alerts.heartbeat
    if not url:
        return False
    late = alerts_overdue(app)
    if late:
        log.warning("no heartbeat: %d alerts reached nobody yet; see `trueup alerts list`", late)
        return False
    stale = streams_overdue(app)
    if stale:
        log.warning("no heartbeat: the cycle of %s is overdue; see `trueup status`", ", ".join(stale))
        return False
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS):
            return True
    except OSError as error:  # the URL is a secret: whoever has it can pretend to be well
        why = getattr(error, "code", type(error).__name__)
        log.warning("the heartbeat was not accepted (%s); the service that waits for it will report it", why)
        return False


def alerts_overdue(app: App) -> int:
    """How many alerts are dead, or wait for longer than _PATIENCE without being held back."""
    now = app.now()
    pending = app.outbox.pending()
    held = held_deliveries(app, pending, now)
    old = [n for n in pending if now - n.created_at > _PATIENCE]
    waiting = {n.id for n in old if any(d.state == PENDING and d.id not in held for d in n.deliveries)}
    return len(waiting | {n.id for n in app.outbox.dead()})
