"""What a check does to the incidents of its stream, and the notices that say so."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.engine import Connection

from trueup.flows.alert.notices import Write, add_notice, cycle_facts, new_incident, with_check
from trueup.flows.app import App
from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check
from trueup.monitoring.incidents import OpenIncident, incident_changes
from trueup.monitoring.policy import Decision, History
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertKind
from trueup.storage.cycles import CycleRecord
from trueup.storage.incidents import Incident
from trueup.storage.stream import StreamSettings

_VOLUME = "DQ-VOLUME"


def incident_updates(
    app: App, stream: StreamSettings, cycle: CycleRecord, check: Check, decision: Decision, history: History
) -> Write:
    """What a check does to incidents and whom it tells, to be written in the decision's transaction.

    An incident that joins the metric or becomes grave is told of again; what else widens it, and all that narrows it,
    is kept and not told.
    """
    standing = {i.id: i for i in app.incidents.open_ones(stream.name)}
    earlier = history.counted[0] if check.counted and history.counted else history.latest
    changes = incident_changes(
        check, decision.codes, [as_open(i) for i in standing.values()], earlier.breached if earlier else (),
        decision.severity,
    )  # fmt: skip

    def write(connection: Connection) -> None:
        def tell(kind: AlertKind, incident: Incident) -> None:
            facts = with_check(cycle_facts(app, stream, cycle, kind), check, decision)
            signals = tuple(s for s in facts.signals if s.code in incident.codes)
            add_notice(app, connection, stream, replace(facts, codes=incident.codes, signals=signals), incident)

        source_fails = any(i.cause == Cause.SOURCE for i in standing.values())
        for opening in changes.opened:
            opened = new_incident(app, stream, opening.causes, opening.codes, cycle.as_of, opening.severity)
            app.incidents.open(connection, opened)
            if not (source_fails and set(opening.codes) == {_VOLUME}):  # who was told of the source knows of it
                tell(AlertKind.INCIDENT_OPENED, opened)
        silent = (i for i in standing.values() if i.codes == (_VOLUME,) and i.id not in changes.resolved)
        if not source_fails and any(signal.code == _VOLUME for signal in check.breached):
            for incident in silent:  # the source is sound again, and still no record comes
                if not app.outbox.of_incident(incident.id):
                    tell(AlertKind.INCIDENT_OPENED, incident)
        for move in changes.moved:
            keep_incident(app, connection, move.incident)
            if move.worse:
                after = replace(
                    standing[move.incident.id], codes=move.incident.codes, severity=str(move.incident.severity)
                )
                tell(AlertKind.INCIDENT_WORSE, after)
        for incident_id in changes.resolved:
            app.incidents.resolve(connection, incident_id, cycle.as_of, "quiet")
            if app.outbox.of_incident(incident_id) or standing[incident_id].codes != (_VOLUME,):
                tell(AlertKind.INCIDENT_RESOLVED, standing[incident_id])

    return write


def as_open(incident: Incident) -> OpenIncident:
    """An incident of the store as the rules see it."""
    return OpenIncident(
        id=incident.id,
        causes=tuple(map(Cause, incident.causes)),
        codes=incident.codes,
        severity=Severity(incident.severity),
        over=incident.over,
    )


def keep_incident(app: App, connection: Connection, after: OpenIncident) -> None:
    """Keep what an open incident has become."""
    app.incidents.change(
        connection,
        after.id,
        cause=str(after.causes[0]),
        causes=list(map(str, after.causes)),
        codes=list(after.codes),
        over=list(after.over),
        severity=str(after.severity),
    )


def incident_for(app: App, stream: StreamSettings, codes: tuple[str, ...]) -> Incident | None:
    """The open incident that a promotion or refusal answers: the one that shares a code with it."""
    standing = app.incidents.open_ones(stream.name)
    return next((i for i in standing if set(i.codes) & set(codes)), None)
