"""What people are told of a challenger that a cycle judged."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.engine import Connection

from trueup.flows.alert.failures import open_incident
from trueup.flows.alert.incidents import incident_for
from trueup.flows.alert.label_feed_incident import label_feed_doubted, open_label_feed, resolve_by_gate
from trueup.flows.alert.notices import add_notice, cycle_facts, with_check
from trueup.flows.cycle.context import CycleContext
from trueup.flows.cycle.outputs import CheckOutput, TrainOutput
from trueup.flows.promote.approvals import approval_deadline
from trueup.flows.promote.notifications import refusal_reason
from trueup.monitoring.causes import Cause
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState


def tell_of_gate(context: CycleContext, connection: Connection, planned: PromotionAttempt, held: str) -> None:
    """Tell people of a challenger that waits, and once an incident of one that was refused."""
    app, stream, cycle = context.app, context.stream, context.cycle
    resolve_by_gate(app, stream, cycle, planned.gate)(connection)
    incident = incident_for(app, stream, planned.codes)
    if planned.state is PromotionState.HELD:
        kind = AlertKind.JUDGED if stream.policy.promotion == "off" else AlertKind.APPROVAL
        facts = replace(attempt_told(context, kind, planned), why=held, until=approval_deadline(stream, planned))
        if label_feed_doubted(planned.gate):
            open_label_feed(app, stream, facts)(connection)
        else:
            add_notice(app, connection, stream, facts, incident)
    if planned.state is PromotionState.REFUSED and incident and not incident.refusal_told:
        facts = attempt_told(context, AlertKind.REFUSED, planned)
        app.incidents.tell_refusal(connection, incident.id)
        add_notice(app, connection, stream, facts, incident)
    if planned.state is PromotionState.REFUSED and planned.from_version is None:
        open_incident(app, stream, Cause.NO_CHAMPION, cycle.as_of, refusal_reason(planned), cycle.id)(connection)


def attempt_told(context: CycleContext, kind: AlertKind, planned: PromotionAttempt) -> AlertFacts:
    """What an alert about a challenger tells: the check that asked for it, and its gate."""
    from trueup.training.gate.result import GateTest

    facts = cycle_facts(context.app, context.stream, context.cycle, kind)
    checked, left = context.output_of(CheckOutput), context.output_of(TrainOutput)
    if checked:
        facts = with_check(facts, checked.check, context.decided.decision)
    return replace(
        facts,
        gate=tuple(GateTest(**test) for test in planned.gate["tests"]),
        from_version=planned.from_version,
        to_version=planned.to_version,
        run_id=left.trained.run_id if left and left.trained else None,
        why=planned.why if planned.to_version is None else "",
        again=planned.kind is PromotionKind.AGAIN,
        because=planned.why if planned.kind is PromotionKind.AGAIN else facts.because,
    )
