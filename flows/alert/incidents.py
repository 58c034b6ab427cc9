"""What a check does to the incidents of its stream, and the alerts that say so."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.engine import Connection

from trueup.flows.alert.compose import Write, cycle_facts, outbox_item, with_check
from trueup.flows.app import App
from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check
from trueup.monitoring.incidents import IncidentChanges, incident_changes
from trueup.monitoring.policy import Decision, History
from trueup.reports.alerts.facts import AlertKind
from trueup.storage.alerts import Incident, new_id
from trueup.storage.cycles import CycleRecord
from trueup.storage.stream import StreamSettings


def incident_updates(
    app: App, stream: StreamSettings, cycle: CycleRecord, check: Check, decision: Decision, history: History
) -> Write:
    """What a check does to incidents and whom it tells, to be written in the decision's transaction."""
    standing = {Cause(i.cause): i for i in app.alerts.open_incidents(stream.name)}
    earlier = history.counted[0] if check.counted and history.counted else history.latest
    moved: IncidentChanges = incident_changes(
        check, decision.codes, {cause: i.codes for cause, i in standing.items()}, earlier.breached if earlier else ()
    )

    def write(connection: Connection) -> None:
        for cause, codes in moved.opened.items():
            incident = Incident(
                id=new_id(), stream=stream.name, cause=str(cause), codes=codes, opened_at=cycle.as_of
            )
            app.alerts.open(connection, incident)
            facts = with_check(cycle_facts(app, stream, cycle, AlertKind.INCIDENT_OPENED), check, decision)
            signals = tuple(s for s in facts.signals if s.code in codes)
            facts = replace(facts, incident_id=incident.id, codes=codes, signals=signals)
            app.alerts.add(connection, outbox_item(app, stream, facts, incident, opens=True))
        for cause, codes in moved.widened.items():
            app.alerts.widen(connection, standing[cause].id, codes)
        for cause in moved.resolved:
            _resolve(app, stream, cycle, standing[cause], connection, check, decision)

    return write


def _resolve(
    app: App,
    stream: StreamSettings,
    cycle: CycleRecord,
    incident: Incident,
    connection: Connection,
    check: Check,
    decision: Decision,
) -> None:
    app.alerts.resolve(connection, incident.id, cycle.as_of, "quiet")
    facts = with_check(cycle_facts(app, stream, cycle, AlertKind.INCIDENT_RESOLVED), check, decision)
    signals = tuple(s for s in facts.signals if s.code in incident.codes)
    facts = replace(facts, incident_id=incident.id, codes=incident.codes, signals=signals)
    app.alerts.add(connection, outbox_item(app, stream, facts, incident))


def incident_for(app: App, stream: StreamSettings, codes: tuple[str, ...]) -> Incident | None:
    """The open incident that a promotion or refusal answers: the one that shares a code with it."""
    standing = app.alerts.open_incidents(stream.name)
    return next((i for i in standing if set(i.codes) & set(codes)), None)
