"""What keeps a delivery back for now: a silence, quiet hours, or a cycle that has more to tell."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from trueup.flows.alert.routing.quiet_hours import held_until
from trueup.flows.alert.routing.routes import route_to
from trueup.flows.app import App
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertKind
from trueup.storage.leases import held_elsewhere
from trueup.storage.outbox import PENDING, Delivery, Notice
from trueup.storage.silences import HELD_KINDS, silenced

_CYCLE_PATIENCE = timedelta(minutes=30)  # that what a cycle opened waits for what the same cycle trains and promotes


def held_notices(app: App, notices: Iterable[Notice], now: datetime) -> frozenset[str]:
    """The ids of those that wait: somebody silenced what they tell of, or their cycle still runs."""
    waiting = list(notices)
    return _silenced(app, waiting, now) | _of_running_cycles(app, waiting, now)


def held_deliveries(app: App, notices: Iterable[Notice], now: datetime) -> frozenset[str]:
    """The ids of the pending deliveries that wait: their notice does, or their recipient has quiet hours."""
    waiting = list(notices)
    held = held_notices(app, waiting, now)
    return frozenset(
        delivery.id
        for notice in waiting
        for delivery in notice.deliveries
        if delivery.state == PENDING and (notice.id in held or _in_quiet_hours(app, notice, delivery, now))
    )


def _in_quiet_hours(app: App, notice: Notice, delivery: Delivery, now: datetime) -> bool:
    if notice.kind == AlertKind.TEST:  # somebody waits for it
        return False
    route = route_to(app.settings, delivery.recipient, notice.stream)
    return held_until(route, Severity(notice.severity), now) is not None


def _silenced(app: App, notices: list[Notice], now: datetime) -> frozenset[str]:
    silences = app.silences.in_force(now)
    concerned = {n.incident_id for n in notices if n.incident_id and n.kind in HELD_KINDS}
    if not silences or not concerned:
        return frozenset()
    quiet = {i.id for i in app.incidents.of(concerned) if silenced(silences, i.stream, i.id, i.codes)}
    return frozenset(n.id for n in notices if n.incident_id in quiet and n.kind in HELD_KINDS)


def _of_running_cycles(app: App, notices: list[Notice], now: datetime) -> frozenset[str]:
    """What another process's cycle has told so far: one message tells all that a cycle did."""
    young = [n for n in notices if n.cycle_id and now - n.created_at < _CYCLE_PATIENCE]
    streams = {n.stream for n in young}
    worked_on = {stream for stream in streams if held_elsewhere(app.database, stream, now)}
    running = {cycle.id for stream in worked_on for cycle in app.cycles.unfinished(stream)}
    return frozenset(n.id for n in young if n.cycle_id in running)
