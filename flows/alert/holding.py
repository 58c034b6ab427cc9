"""What keeps a delivery back for now: a silence, or a cycle that has more to tell."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from trueup.flows.app import App
from trueup.storage.leases import held_elsewhere
from trueup.storage.outbox import Notice
from trueup.storage.silences import HELD_KINDS, silenced

_CYCLE_PATIENCE = timedelta(minutes=30)  # that what a cycle opened waits for what the same cycle trains and promotes


def held_notices(app: App, notices: Iterable[Notice], now: datetime) -> frozenset[str]:
    """The ids of those that wait: somebody silenced what they tell of, or their cycle still runs."""
    waiting = list(notices)
    return _silenced(app, waiting, now) | _of_running_cycles(app, waiting, now)


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
