"""What people are told of a change of the champion that a cycle does not tell of itself."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.engine import Connection

from trueup.flows.alert.incidents import incident_for
from trueup.flows.alert.notices import Write, add_notice, new_incident
from trueup.flows.app import App
from trueup.monitoring.causes import Cause
from trueup.monitoring.severity import severity_of
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.incidents import Incident
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

        def announce(connection: Connection) -> None:
            add_notice(app, connection, stream, facts, incident)

        return announce
    standing = open_rollback(app, stream)
    cause = Cause.ROLLBACK
    opened = standing or new_incident(app, stream, (cause,), ("ROLLBACK",), attempt.as_of, severity_of(cause))
    told = replace(facts, kind=AlertKind.ROLLBACK)

    def write(connection: Connection) -> None:
        if standing is None:
            app.incidents.open(connection, opened)
        add_notice(app, connection, stream, told, opened)

    return write


def refusal_reason(attempt: PromotionAttempt) -> str:
    """Why a refused attempt came to nothing: what failed of its gate, or why nothing could be trained."""
    failed = "; ".join(f"{test['code']}: {test['said']}" for test in attempt.gate["tests"] if not test["passed"])
    return failed if attempt.to_version is not None else attempt.why


def open_rollback(app: App, stream: StreamSettings) -> Incident | None:
    """The incident of a rollback, by hand or by a lost probation, after which nobody has resumed promotion yet."""
    return next((i for i in app.incidents.open_ones(stream.name) if i.cause == Cause.ROLLBACK), None)


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
