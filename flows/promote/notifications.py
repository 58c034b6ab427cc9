"""What people are told of a change of the champion that a cycle does not tell of itself."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.engine import Connection

from trueup.flows.alert.compose import Write, outbox_item
from trueup.flows.alert.incidents import incident_for
from trueup.flows.app import App
from trueup.monitoring.causes import Cause
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.alerts import Incident, new_id
from trueup.storage.promotions import NOT_BY_TRUEUP, ROLLBACKS, PromotionAttempt, PromotionKind
from trueup.storage.stream import StreamSettings


def announcement_of(app: App, stream: StreamSettings, attempt: PromotionAttempt) -> Write:
    """What is written in the transaction that commits a attempt: its mail, and for going back its incident.

    It follows from what is stored alone, so that a promotion finished after a crash is told of like any other.
    """
    if attempt.kind is PromotionKind.REFERENCE:
        return lambda connection: None  # no model came, and nobody is hurt
    facts = attempt_facts(app, attempt)
    if attempt.kind not in ROLLBACKS:
        incident = incident_for(app, stream, attempt.codes)
        facts = replace(facts, incident_id=incident.id) if incident else facts
        return lambda connection: app.alerts.add(connection, outbox_item(app, stream, facts, incident))
    standing = open_rollback(app, stream)
    opened = standing or Incident(
        id=new_id(), stream=stream.name, cause=str(Cause.ROLLBACK), codes=("ROLLBACK",), opened_at=attempt.as_of
    )
    facts = replace(facts, kind=AlertKind.ROLLBACK, incident_id=opened.id)

    def write(connection: Connection) -> None:
        if standing is None:
            app.alerts.open(connection, opened)
        app.alerts.add(connection, outbox_item(app, stream, facts, opened, opens=standing is None))

    return write


def refusal_reason(attempt: PromotionAttempt) -> str:
    """Why a refused attempt came to nothing: what failed of its gate, or why nothing could be trained."""
    failed = "; ".join(f"{test['code']}: {test['said']}" for test in attempt.gate["tests"] if not test["passed"])
    return failed if attempt.to_version is not None else attempt.why


def open_rollback(app: App, stream: StreamSettings) -> Incident | None:
    """The incident of a rollback, by hand or by a lost probation, after which nobody has resumed promotion yet."""
    return next((i for i in app.alerts.open_incidents(stream.name) if i.cause == Cause.ROLLBACK), None)


def attempt_facts(app: App, attempt: PromotionAttempt) -> AlertFacts:
    """The facts of an attempt to change the champion, as far as they follow from what is stored of it."""
    from trueup.training.gate.result import GateTest

    assert attempt.to_version is not None
    version = app.promotions.version(attempt.stream, attempt.to_version)
    by_hand = attempt.kind in NOT_BY_TRUEUP
    told = by_hand or attempt.kind == PromotionKind.PROBATION
    lost = attempt.from_version is None and app.promotions.last_committed(attempt.stream) is not None
    return AlertFacts(
        kind=AlertKind.PROMOTION,
        stream=attempt.stream,
        as_of=attempt.as_of,
        reasons=() if told else (attempt.why,),
        gate=tuple(GateTest(**test) for test in attempt.gate["tests"] if attempt.kind not in ROLLBACKS),
        from_version=attempt.from_version,
        to_version=attempt.to_version,
        run_id=version.run_id if version else None,
        cycle_id=attempt.cycle_id,
        who=attempt.who if by_hand else "",
        forced=attempt.kind == PromotionKind.FORCED,
        lost=lost,
        why=attempt.why if told else "",
        home=str(app.home),
    )
