"""The outbox worked off: one process at a time sends each recipient what waits for them, as one message a stream."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from trueup.flows.alert.batches import AGAIN, LATER, MOOT, NEVER_TOLD, OF_MODELS, Batch, Batches, Waiting, batches
from trueup.flows.alert.channels.channel import DeliveryFailed, Envelope
from trueup.flows.alert.channels.choice import shared_way, way_to
from trueup.flows.alert.delivery import next_try_after
from trueup.flows.alert.holding import held_deliveries
from trueup.flows.alert.messages import message_about
from trueup.flows.alert.notices import recipients
from trueup.flows.alert.routing.clock import write_due
from trueup.flows.alert.routing.quiet_hours import held_until
from trueup.flows.alert.routing.routes import key_of, route_to, streams_by_recipient
from trueup.flows.alert.unreached import tell_others
from trueup.flows.app import App
from trueup.monitoring.severity import Severity
from trueup.storage.errors import LeaseHeld
from trueup.storage.incidents import new_id
from trueup.storage.leases import hold
from trueup.storage.outbox import PENDING, Delivery, Notice

log = logging.getLogger("trueup")

DELIVERY = "@outbox"  # the lease of who delivers; no stream can have this name


def deliver_now(app: App, *, all_pending: bool = False) -> None:
    """Write what the clock brings and send all that is due, or all that is pending or dead.

    What cannot be sent stays, and the log says so.

    One process at a time delivers, so that nothing goes out twice; a second one returns at once. Whoever delivers looks
    again after letting go, so what the second one left behind is not left lying.
    """
    try:
        write_due(app)
    except Exception:
        log.exception("reminders and digests could not be written; what waits is sent all the same")
    if all_pending:
        _make_due(app)
    tried: set[str] = set()
    while _Pass(app).deliveries - tried:
        try:
            with hold(app.database, DELIVERY, clock=app.clock, wait=timedelta(0)):
                met = _Pass(app)
                met.work_off()
                tried |= met.deliveries
        except LeaseHeld:
            log.info("another process delivers alerts at this moment; what is due goes out with its pass")
            return


def _make_due(app: App) -> None:
    """What is dead goes to those of its recipients that the settings still name, or to all that these name by now."""
    now = app.now()
    app.outbox.make_due(now)
    for dead in app.outbox.dead():
        stream = app.settings.streams.get(dead.stream)
        named = recipients(app, stream, Severity(dead.severity)) if stream else ()
        missed = tuple(d.recipient for d in dead.deliveries if d.state == "dead")
        app.outbox.revive(dead, tuple(r for r in missed if r in named) or named or missed, now)


class _Pass:
    """One look at what waits, and the work of it."""

    def __init__(self, app: App) -> None:
        self.app, self.now = app, app.now()
        self.notices = {notice.id: notice for notice in app.outbox.pending()}
        self.waiting: dict[str, tuple[Delivery, Notice]] = {
            delivery.id: (delivery, notice)
            for notice in self.notices.values()
            for delivery in notice.deliveries
            if delivery.state == PENDING
        }
        self.moot = self._moot()
        self.plan: Batches = batches(self._waiting(), self._told())

    @property
    def deliveries(self) -> set[str]:
        """The deliveries that this pass has to do with, by id."""
        in_messages = (one for batch in self.plan.messages for one in batch.waiting)
        return self.moot | {one.delivery for one in (*in_messages, *self.plan.dropped)}

    def work_off(self) -> None:
        """Send each message once; where a server is away, what else goes through it stays as it is."""
        if self.moot:
            self.app.outbox.drop(self.moot, MOOT)
        if self.plan.dropped:
            self.app.outbox.drop([one.delivery for one in self.plan.dropped], NEVER_TOLD)
        away: set[str] = set()
        for batch in self.plan.messages:
            way = shared_way(batch.recipient)
            if way not in away and self._send(batch):
                away.add(way)

    def _send(self, batch: Batch) -> bool:
        """Send one message; whether its server turned out to be at fault."""
        app, ids = self.app, [one.delivery for one in batch.waiting]
        pairs = [self.waiting[delivery] for delivery in ids]
        recipient = pairs[-1][0].recipient
        route = route_to(app.settings, recipient, pairs[-1][1].stream)
        letter, roots = message_about(app, pairs, route, self.now)
        message_id = batch.message_id or f"alert.{new_id()}@{app.settings.smtp.domain}"
        if batch.message_id is None:
            app.outbox.begin(ids, message_id)
        envelope = Envelope(
            to=recipient, message_id=message_id, roots=roots, at=self.now, auto_submitted=route.auto_submitted
        )
        try:
            way_to(app, recipient).send(letter, envelope)
        except DeliveryFailed as failure:
            self._failed(batch, failure)
            return failure.server
        except Exception as error:  # noqa: BLE001 - one message that breaks a channel must not keep the others back
            self._failed(batch, DeliveryFailed(f"the message could not be made ({type(error).__name__}: {error})"))
            return False
        app.outbox.mark_sent(ids, self.now, letter.subject)
        return False

    def _failed(self, batch: Batch, failure: DeliveryFailed) -> None:
        app = self.app
        open_ids = {incident.id for incident in app.incidents.open_ones()}
        with app.database.write() as connection:
            ends: list[datetime | None] = []
            for one in batch.waiting:
                delivery, notice = self.waiting[one.delivery]
                next_try = next_try_after(
                    failure,
                    attempts=delivery.attempts,
                    written_at=notice.created_at,
                    now=self.now,
                    must_live=one.severity is Severity.HIGH and one.incident in open_ids,
                )
                app.outbox.mark_failed(
                    connection,
                    one.delivery,
                    failure.why,
                    next_try,
                    counted=failure.counts and one.due,
                    in_doubt=failure.unknown or notice.facts is None,
                )
                ends.append(next_try)
            given_up = None in ends
            waiting = [replace(one, stream=one.stream or self._any_stream(batch.recipient)) for one in batch.waiting]
            for stream in sorted({one.stream for one in waiting}):
                part = replace(batch, waiting=tuple(one for one in waiting if one.stream == stream))
                tell_others(app, connection, part, failure, self.now, given_up=given_up)
        said = "will not be tried again by itself" if given_up else "waits in the outbox and is tried again"
        log.log(
            logging.ERROR if given_up else logging.WARNING,
            "a message about '%s' could not be delivered and %s (see `trueup alerts list`): %s",
            batch.stream, said, failure.why,
        )  # fmt: skip

    def _any_stream(self, recipient: str) -> str:
        """The stream whose recipients hear that a digest, which is of none, does not reach somebody."""
        found = streams_by_recipient(self.app.settings).items()
        return next((streams[0] for route, streams in found if key_of(route.recipient) == recipient), "")

    def _waiting(self) -> list[Waiting]:
        held = held_deliveries(self.app, self.notices.values(), self.now)
        return [
            Waiting(
                delivery=delivery.id,
                recipient=key_of(delivery.recipient),
                stream=notice.stream,
                kind=notice.kind,
                severity=Severity(notice.severity),
                created_at=notice.created_at,
                incident=notice.incident_id,
                due=delivery.next_try is None or delivery.next_try <= self.now,
                held=delivery.id in held,
                waited=self._waited(delivery, notice),
                message_id=delivery.message_id,
            )
            for delivery, notice in self.waiting.values()
            if delivery.id not in self.moot
        ]

    def _waited(self, delivery: Delivery, notice: Notice) -> bool:
        """Whether it was written in quiet hours of its recipient."""
        route = route_to(self.app.settings, delivery.recipient, notice.stream)
        return held_until(route, Severity(notice.severity), notice.created_at) is not None

    def _moot(self) -> set[str]:
        """The reminders and escalations of incidents that are closed by now, or that somebody has."""
        again = {d.id: n.incident_id for d, n in self.waiting.values() if n.kind in AGAIN and d.message_id is None}
        found = self.app.incidents.of({incident for incident in again.values() if incident})
        over = {i.id for i in found if i.resolved_at is not None or i.acknowledged_by}
        return {delivery for delivery, incident in again.items() if incident in over}

    def _told(self) -> set[tuple[str, str]]:
        incidents = {notice.incident_id for notice in self.notices.values() if notice.incident_id}
        found = self.app.outbox.told(incidents, not_by=LATER | OF_MODELS)
        return {(key_of(recipient), incident) for recipient, incident in found}
