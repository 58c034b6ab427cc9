"""What people are told, as facts in the outbox: whom, how grave, and under which incident."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from trueup.flows.alert.routing.routes import concerned, routes_for
from trueup.flows.app import App
from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check
from trueup.monitoring.policy import Decision, reason_of
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.reports.alerts.stems import stem_of, stem_with
from trueup.storage.cycles import CycleRecord
from trueup.storage.incidents import Incident, new_id
from trueup.storage.outbox import Notice
from trueup.storage.stream import StreamSettings

Write = Callable[[Connection], None]


def cycle_facts(app: App, stream: StreamSettings, cycle: CycleRecord, kind: AlertKind) -> AlertFacts:
    """The facts that every alert of a cycle shares."""
    return AlertFacts(
        kind=kind, stream=stream.name, as_of=cycle.as_of, cycle_id=cycle.id, home=str(app.home)
    )


def with_check(facts: AlertFacts, check: Check, decision: Decision) -> AlertFacts:
    """Facts with the figures of a check and what was decided."""
    shown = {reason_of(signal) for signal in check.signals}  # the mail has a table of them
    return replace(
        facts,
        signals=check.signals,
        action=str(decision.action),
        codes=decision.codes,
        reasons=tuple(r for r in decision.reasons if r not in shown),
        report_id=check.report_id,
        because=decision.growth,
    )


def new_incident(
    app: App, stream: StreamSettings, causes: Sequence[Cause], codes: Sequence[str], at: datetime, severity: Severity
) -> Incident:
    """An incident that opens now, in as-of time; `causes`: the gravest first."""
    incident_id = new_id()
    return Incident(
        id=incident_id,
        stream=stream.name,
        cause=str(causes[0]),
        causes=tuple(map(str, causes)),
        codes=tuple(codes),
        severity=str(severity),
        stem=stem_of(stream.name, causes[0], at, tuple(codes), stream.task),
        thread=f"incident.{incident_id}@{app.settings.smtp.domain}",
        opened_at=at,
    )


def add_notice(
    app: App,
    connection: Connection,
    stream: StreamSettings,
    facts: AlertFacts,
    incident: Incident | None = None,
    *,
    severity: Severity | None = None,
    to: Sequence[str] | None = None,
) -> str:
    """Write a notice into the outbox, in the transaction of what it tells of; its id.

    severity: where it differs from the incident's; without either it is low. to: where it is not for all whom the
    stream's alerts go to, and for those who were told of the incident before. One for nobody is not written.
    """
    grave = severity or Severity(incident.severity if incident else Severity.LOW)
    notice = Notice(
        id=new_id(),
        stream=stream.name,
        kind=str(facts.kind),
        severity=str(grave),
        subject=incident.stem if incident else stem_with(stream.name, str(facts.kind).replace("_", " ")),
        facts=replace(facts, incident_id=incident.id if incident else facts.incident_id).as_json(),
        created_at=app.now(),
        cycle_id=facts.cycle_id,
        incident_id=incident.id if incident else None,
    )
    if to is None:
        before = [r for n in app.outbox.of_incident(incident.id) for r in n.to] if incident else []
        to = concerned(app.settings, stream.name, grave, before)
    app.outbox.add(connection, notice, to)
    return notice.id


def recipients(app: App, stream: StreamSettings, severity: Severity) -> tuple[str, ...]:
    """Whom alerts of a stream go to that are so grave."""
    return tuple(route.recipient for route in routes_for(app.settings, stream.name, severity))
