"""Alerts of a cycle: composed from its facts, written with what they tell of, delivered afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy.engine import Connection

from trueup.flows.app import App
from trueup.monitoring.check import Check
from trueup.monitoring.incidents import Changes, changes
from trueup.monitoring.policy import Cause, Decision, History, reason_of
from trueup.reports.alert_facts import AlertFacts, AlertKind
from trueup.storage.alerts import Incident, OutboxItem, new_id
from trueup.storage.cycles import CycleRecord
from trueup.storage.errors import LeaseHeld
from trueup.storage.leases import hold
from trueup.storage.stream import Stream

log = logging.getLogger("trueup")

DELIVERY = "@outbox"  # the lease of who delivers; no stream can have this name

Write = Callable[[Connection], None]


def facts_of(app: App, stream: Stream, cycle: CycleRecord, kind: AlertKind) -> AlertFacts:
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
    )


def item(app: App, stream: Stream, facts: AlertFacts, incident: Incident | None, *, opens: bool = False) -> OutboxItem:
    """The outbox's entry for these facts; the one that opens an incident is what the others answer."""
    from trueup.reports.mail import compose

    mail = compose(facts)
    alert_id = new_id()
    return OutboxItem(
        id=alert_id,
        stream=stream.name,
        cycle_id=facts.cycle_id,
        incident_id=incident.id if incident else None,
        kind=str(facts.kind),
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        to=recipients(app, stream),
        message_id=incident.thread if incident and opens else f"<alert.{alert_id}@trueup>",
        in_reply_to=incident.thread if incident and not opens else "",
        created_at=app.now(),
    )


def recipients(app: App, stream: Stream) -> tuple[str, ...]:
    """Whom the stream's alerts go to; where mails stay in the home folder anyway, they need no address of anybody."""
    return stream.alerts.to or (() if app.settings.smtp.uses_server else ("oncall@localhost",))


def incident_writes(
    app: App, stream: Stream, cycle: CycleRecord, check: Check, decision: Decision, history: History
) -> Write:
    """What a check does to incidents and whom it tells, to be written in the decision's transaction."""
    standing = {Cause(i.cause): i for i in app.alerts.open_incidents(stream.name)}
    earlier = history.counted[0] if check.counted and history.counted else history.latest
    moved: Changes = changes(
        check, decision.codes, {cause: i.codes for cause, i in standing.items()}, earlier.breached if earlier else ()
    )

    def write(connection: Connection) -> None:
        for cause, codes in moved.opened.items():
            incident = Incident(
                id=new_id(), stream=stream.name, cause=str(cause), codes=codes, opened_at=cycle.as_of
            )
            app.alerts.open(connection, incident)
            facts = with_check(facts_of(app, stream, cycle, AlertKind.INCIDENT_OPENED), check, decision)
            signals = tuple(s for s in facts.signals if s.code in codes)
            facts = replace(facts, incident_id=incident.id, codes=codes, signals=signals)
            app.alerts.add(connection, item(app, stream, facts, incident, opens=True))
        for cause, codes in moved.widened.items():
            app.alerts.widen(connection, standing[cause].id, codes)
        for cause in moved.resolved:
            _resolve(app, stream, cycle, standing[cause], connection, check, decision)

    return write


def _resolve(
    app: App,
    stream: Stream,
    cycle: CycleRecord,
    incident: Incident,
    connection: Connection,
    check: Check,
    decision: Decision,
) -> None:
    app.alerts.resolve(connection, incident.id, cycle.as_of)
    facts = with_check(facts_of(app, stream, cycle, AlertKind.INCIDENT_RESOLVED), check, decision)
    signals = tuple(s for s in facts.signals if s.code in incident.codes)
    facts = replace(facts, incident_id=incident.id, codes=incident.codes, signals=signals)
    app.alerts.add(connection, item(app, stream, facts, incident))


def incident_for(app: App, stream: Stream, codes: tuple[str, ...]) -> Incident | None:
    """The open incident that a promotion or refusal answers: the one that shares a code with it."""
    standing = app.alerts.open_incidents(stream.name)
    return next((i for i in standing if set(i.codes) & set(codes)), None)


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
