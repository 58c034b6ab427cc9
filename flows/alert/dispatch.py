"""The outbox worked off: one process at a time tries every alert that is due."""

from __future__ import annotations

import logging
from datetime import timedelta

from trueup.flows.alert.compose import recipients
from trueup.flows.app import App
from trueup.storage.errors import LeaseHeld
from trueup.storage.leases import hold

log = logging.getLogger("trueup")


DELIVERY = "@outbox"  # the lease of who delivers; no stream can have this name


def deliver_now(app: App, *, all_pending: bool = False) -> None:
    """Try every alert that is due, or every pending and dead one; what cannot be sent stays, and the log says so.

    One process at a time delivers, so that no mail goes out twice; a second one returns at once. Whoever delivers looks
    again after letting go, so what the second one left behind is not left lying.
    """
    if all_pending:
        _make_due(app)
    tried: set[str] = set()
    while {alert.id for alert in app.alerts.pending(app.now())} - tried:
        try:
            with hold(app.database, DELIVERY, clock=app.clock, wait=timedelta(0)):
                tried |= _deliver(app)
        except LeaseHeld:
            log.info("another process delivers alerts at this moment; what is due goes out with its pass")
            return


def _make_due(app: App) -> None:
    """Dead alerts go to those of their addresses that the settings still name, or to all that these name by now."""
    now = app.now()
    app.alerts.make_due(now)
    for dead in app.alerts.dead():
        stream = app.settings.streams.get(dead.stream)
        named = recipients(app, stream) if stream else ()
        app.alerts.revive(dead.id, tuple(a for a in dead.to if a in named) or named or dead.to, now)


def _deliver(app: App) -> set[str]:
    """One pass over what is due; the ids of all that it met."""
    from trueup.flows.alert.delivery import deliver
    from trueup.flows.alert.transports import transport_of

    transport = transport_of(app.settings.smtp, app.home / "mail")
    done = deliver(app.alerts, transport, sender=app.settings.smtp.from_, now=app.now())
    for alert_id in done.dead:
        log.error("alert %s could not be delivered and will not be tried again: see `trueup alerts list`", alert_id)
    for alert_id in done.pending:
        log.warning("alert %s could not be delivered yet; it stays in the outbox and is tried again", alert_id)
    return {*done.sent, *done.pending, *done.dead}
