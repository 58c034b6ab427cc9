"""Challengers that passed and wait for a person: until when, and what becomes of them after that."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from trueup.flows.alert.incidents import incident_for
from trueup.flows.alert.notices import add_notice
from trueup.flows.app import App
from trueup.flows.check.champion import champion_version
from trueup.flows.promote.notifications import attempt_facts
from trueup.reports.alerts.facts import AlertKind
from trueup.storage.leases import Lease
from trueup.storage.promotions import PromotionAttempt, PromotionState
from trueup.storage.stream import StreamSettings


def approval_deadline(stream: StreamSettings, held: PromotionAttempt) -> datetime:
    """When the evidence of an attempt that waits is too old to be promoted on, in as-of time."""
    return held.as_of + stream.policy.approval_span


def held_attempts(app: App, stream: StreamSettings) -> list[PromotionAttempt]:
    """The attempts that wait for a person: held, with nothing that became of their version since."""
    newest: dict[int, PromotionAttempt] = {}
    for past in app.promotions.history(stream.name):
        if past.to_version is not None:
            newest.setdefault(past.to_version, past)
    return [past for past in newest.values() if past.state is PromotionState.HELD]


def expire_held(app: App, lease: Lease, stream: StreamSettings, as_of: datetime, cycle_id: str) -> None:
    """Mark what waited too long as expired; a mail says so where it could have been promoted until then.

    Done again it changes nothing. What a paused stream holds waits until it is resumed.

    Raises:
        LeaseHeld: the lease was lost.
    """
    late = [held for held in held_attempts(app, stream) if as_of > approval_deadline(stream, held)]
    if not late or app.pauses.current(stream.name):
        return
    champion = champion_version(app, stream)
    with lease.transaction(app.database) as connection:
        for held in late:
            app.promotions.move(connection, held.id, PromotionState.EXPIRED, app.now())
            if held.from_version == champion and stream.policy.promotion != "off":
                incident = incident_for(app, stream, held.codes)
                facts = replace(
                    attempt_facts(app, held),
                    kind=AlertKind.EXPIRED,
                    as_of=as_of,
                    cycle_id=cycle_id,
                    until=approval_deadline(stream, held),
                )
                add_notice(app, connection, stream, facts, incident)
