"""Recipients whom messages do not reach: who, why, and that others are told of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from trueup.flows.alert.batches import Batch
from trueup.flows.alert.channels.channel import DeliveryFailed
from trueup.flows.alert.channels.choice import shared_way
from trueup.flows.alert.notices import add_notice, recipients
from trueup.flows.alert.routing.routes import key_of
from trueup.flows.app import App
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.outbox import DEAD, PENDING, Delivery

_PATIENCE = timedelta(hours=1)  # that a message may wait for its server before others are told


@dataclass(frozen=True, kw_only=True)
class Unreached:
    """A recipient with messages that did not arrive. state: dead, or pending where they are tried again."""

    recipient: str
    state: str
    alerts: int
    since: datetime
    why: str

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def unreached(app: App, stream: str) -> tuple[Unreached, ...]:
    """Whom the messages of a stream do not reach: those that died, and those that failed and are tried again."""
    missed: dict[tuple[str, str], list[tuple[datetime, Delivery]]] = {}
    for notice in (*app.outbox.dead(), *app.outbox.pending()):
        for delivery in notice.deliveries if notice.stream == stream else ():
            if delivery.error and delivery.state in (DEAD, PENDING):
                found = missed.setdefault((delivery.recipient, delivery.state), [])
                if delivery.id not in {known.id for _, known in found}:
                    found.append((notice.created_at, delivery))
    return tuple(
        Unreached(
            recipient=recipient,
            state=state,
            alerts=len(found),
            since=min(at for at, _ in found),
            why=max(found, key=lambda one: one[0])[1].error or "",
        )
        for (recipient, state), found in sorted(missed.items())
    )


def tell_others(
    app: App, connection: Connection, batch: Batch, failure: DeliveryFailed, now: datetime, *, given_up: bool
) -> None:
    """Tell the stream's other recipients of one whom messages do not reach, once until one reaches them again.

    It is told of whom a message was given up for or refused to for good, and of a server that is away for longer than
    an hour: then those who are told by other ways. Whoever is in trouble themselves is told nothing, so this ends.
    """
    waits = now - min(one.created_at for one in batch.waiting) > _PATIENCE
    stream = app.settings.streams.get(batch.stream)
    if stream is None or not (given_up or failure.permanent or waits) or _told_of(app, batch, now):
        return
    troubled = {*(key_of(one.recipient) for one in unreached(app, batch.stream)), batch.recipient}
    everybody = dict.fromkeys(one for severity in Severity for one in recipients(app, stream, severity))
    way = shared_way(batch.recipient) if failure.server else ""
    others = [one for one in everybody if key_of(one) not in troubled and shared_way(one) != way]
    facts = AlertFacts(
        kind=AlertKind.UNDELIVERED, stream=stream.name, as_of=now, who=batch.recipient, why=failure.why,
        home=str(app.home),
    )  # fmt: skip
    add_notice(app, connection, stream, facts, severity=batch.severity, to=others)


def _told_of(app: App, batch: Batch, now: datetime) -> bool:
    told = [
        notice.created_at
        for notice in app.outbox.of_kind(batch.stream, str(AlertKind.UNDELIVERED))
        if notice.facts and notice.facts["who"] == batch.recipient
    ]
    reached = app.outbox.last_sent(batch.recipient)
    return bool(told) and (reached is None or reached < max(told))
