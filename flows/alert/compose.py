"""Alerts made of facts: the mail's words, whom it goes to, and its place in the incident's thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy.engine import Connection

from trueup.flows.app import App
from trueup.monitoring.check import Check
from trueup.monitoring.policy import Decision, reason_of
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.alerts import Incident, OutboxItem, new_id
from trueup.storage.cycles import CycleRecord
from trueup.storage.secrets import without_secrets
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
    )


def outbox_item(
    app: App, stream: StreamSettings, facts: AlertFacts, incident: Incident | None, *, opens: bool = False
) -> OutboxItem:
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
        subject=without_secrets(mail.subject),
        text=without_secrets(mail.text),
        html=without_secrets(mail.html),
        to=recipients(app, stream),
        message_id=incident.thread if incident and opens else f"<alert.{alert_id}@trueup>",
        in_reply_to=incident.thread if incident and not opens else "",
        created_at=app.now(),
    )


def recipients(app: App, stream: StreamSettings) -> tuple[str, ...]:
    """Whom the stream's alerts go to; where mails stay in the home folder anyway, they need no address of anybody."""
    return stream.alerts.to or (() if app.settings.smtp.uses_server else ("oncall@localhost",))
