"""The outbox: notices written with what they tell of, and their deliveries, kept until each recipient is reached."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import alert_tables as t
from trueup.storage.database import Database
from trueup.storage.incidents import new_id

PENDING, SENT, DEAD, DROPPED = "pending", "sent", "dead", "dropped"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One notice on its way to one recipient: a mail address, or `channel:NAME`.

    state: pending, sent, dead (no longer tried by itself), dropped (there was no need; `error` says why).
    message_id: of the message that told of it, or that may have been taken; None: none did.
    """

    id: str
    alert_id: str
    recipient: str
    state: str = PENDING
    attempts: int = 0
    next_try: datetime | None = None
    message_id: str | None = None
    sent_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that people are told of, as facts; the message is made of them when it is sent.

    facts: None for an alert that an earlier trueup kept as `text`.
    """

    id: str
    stream: str
    kind: str
    severity: str
    subject: str
    facts: dict[str, Any] | None
    created_at: datetime
    cycle_id: str | None = None
    incident_id: str | None = None
    text: str | None = None
    deliveries: tuple[Delivery, ...] = ()

    @property
    def state(self) -> str:
        """pending while anybody waits, else dead if anybody missed it, else sent; dropped if nobody needed it."""
        states = {delivery.state for delivery in self.deliveries}
        return next((state for state in (PENDING, DEAD, SENT, DROPPED) if state in states), SENT)

    @property
    def to(self) -> tuple[str, ...]:
        return tuple(delivery.recipient for delivery in self.deliveries)

    @property
    def attempts(self) -> int:
        return max((delivery.attempts for delivery in self.deliveries), default=0)

    @property
    def next_try(self) -> datetime | None:
        """When it is tried next, None: at once or never."""
        return min((d.next_try for d in self.deliveries if d.state == PENDING and d.next_try), default=None)

    @property
    def sent_at(self) -> datetime | None:
        """When the last of its recipients was reached."""
        return max((d.sent_at for d in self.deliveries if d.sent_at), default=None) if self.state == SENT else None

    @property
    def error(self) -> str | None:
        """What stood in the way of the first recipient who is not reached."""
        return next((d.error for d in self.deliveries if d.state == self.state and d.error), None)


class Outbox:
    """Notices and deliveries in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, connection: Connection, notice: Notice, recipients: Sequence[str]) -> None:
        """Keep a notice, in the transaction of what it tells of; one for nobody is not written.

        What it tells of stands without it: the incident, the attempt, the cycle.
        """
        if not recipients:
            return
        row = {column.name: getattr(notice, column.name) for column in t.alerts.c}
        connection.execute(sa.insert(t.alerts), row)
        connection.execute(
            sa.insert(t.deliveries),
            [
                {"id": new_id(), "alert_id": notice.id, "recipient": recipient, "state": PENDING, "attempts": 0}
                for recipient in dict.fromkeys(recipients)
            ],
        )

    def pending(self) -> list[Notice]:
        """Notices that somebody still waits for, oldest first."""
        return self._notices(t.alerts.c.id.in_(self._with_state(PENDING)))

    def dead(self) -> list[Notice]:
        """Notices that somebody missed: those recipients are not tried any more by themselves, oldest first."""
        return self._notices(t.alerts.c.id.in_(self._with_state(DEAD)))

    def of_cycle(self, cycle_id: str) -> list[Notice]:
        """What a cycle told of, oldest first."""
        return self._notices(t.alerts.c.cycle_id == cycle_id)

    def in_message(self, message_id: str) -> list[Notice]:
        """The notices that a message told, oldest first."""
        d = t.deliveries.c
        return self._notices(t.alerts.c.id.in_(sa.select(d.alert_id).where(d.message_id == message_id)))

    def of(self, ids: Collection[str]) -> list[Notice]:
        """The notices of these ids, oldest first."""
        return self._notices(t.alerts.c.id.in_(sorted(ids))) if ids else []

    def newest(self, stream: str | None = None, *, limit: int | None = 100) -> list[Notice]:
        """The newest `limit` notices (None: all), newest first."""
        a = t.alerts.c
        some = sa.select(a.id).order_by(a.created_at.desc(), a.id).limit(limit)
        some = some.where(a.stream == stream) if stream else some
        return self._notices(a.id.in_(some))[::-1]

    def of_incident(self, incident_id: str) -> list[Notice]:
        """The notices of an incident, oldest first."""
        return self._notices(t.alerts.c.incident_id == incident_id)

    def of_kind(self, stream: str, kind: str) -> list[Notice]:
        """The notices of a kind, oldest first."""
        return self._notices(sa.and_(t.alerts.c.stream == stream, t.alerts.c.kind == kind))

    def told(self, incident_ids: Collection[str], *, not_by: Collection[str]) -> set[tuple[str, str]]:
        """Who was told of which of these incidents, as (recipient, incident), by other kinds than `not_by`."""
        d, a = t.deliveries.c, t.alerts.c
        query = sa.select(d.recipient, a.incident_id).join(t.alerts, a.id == d.alert_id)
        query = query.where(d.state == SENT, a.incident_id.in_(sorted(incident_ids)), a.kind.not_in(sorted(not_by)))
        with self._database.read() as connection:
            return {(row.recipient, row.incident_id) for row in connection.execute(query)}

    def last_sent(self, recipient: str) -> datetime | None:
        """When a recipient was reached last."""
        d = t.deliveries.c
        query = sa.select(sa.func.max(d.sent_at)).where(d.recipient == recipient, d.state == SENT)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    # ---- a message's way out ----

    def begin(self, delivery_ids: Collection[str], message_id: str) -> None:
        """From here on these deliveries may have been taken as this message."""
        self._change(delivery_ids, message_id=message_id)

    def mark_sent(self, delivery_ids: Collection[str], at: datetime, subject: str) -> None:
        """A message with this subject told of these deliveries."""
        d, a = t.deliveries.c, t.alerts.c
        with self._database.write() as connection:
            connection.execute(
                sa.update(t.deliveries)
                .where(d.id.in_(sorted(delivery_ids)))
                .values(state=SENT, sent_at=at, error=None, next_try=None, attempts=d.attempts + 1)
            )
            of_these = sa.select(d.alert_id).where(d.id.in_(sorted(delivery_ids)))
            connection.execute(sa.update(t.alerts).where(a.id.in_(of_these)).values(subject=subject))

    def mark_failed(
        self,
        connection: Connection,
        delivery_id: str,
        why: str,
        next_try: datetime | None,
        *,
        counted: bool,
        in_doubt: bool,
    ) -> None:
        """A try failed; without a next one the delivery is dead, and `status` says so.

        counted: it used up one of its tries. in_doubt: the message may have been taken, so its id stays.
        """
        d = t.deliveries.c
        values = {
            "state": DEAD if next_try is None else PENDING,
            "error": why,
            "next_try": next_try,
            "attempts": d.attempts + int(counted),
        }
        if not in_doubt:
            values["message_id"] = None
        connection.execute(sa.update(t.deliveries).where(d.id == delivery_id).values(values))

    def drop(self, delivery_ids: Collection[str], why: str) -> None:
        """These deliveries are not needed."""
        self._change(delivery_ids, state=DROPPED, error=why, next_try=None)

    def make_due(self, now: datetime) -> None:
        """Every pending delivery may be tried at once."""
        with self._database.write() as connection:
            waiting = t.deliveries.c.state == PENDING
            connection.execute(sa.update(t.deliveries).where(waiting).values(next_try=now))

    def revive(self, notice: Notice, recipients: Sequence[str], now: datetime) -> None:
        """Put what is dead of a notice back on its way, to these recipients; tries are counted anew."""
        d = t.deliveries.c
        dead = {delivery.recipient: delivery for delivery in notice.deliveries if delivery.state == DEAD}
        with self._database.write() as connection:
            for recipient in recipients:
                former = dead.pop(recipient, None)
                if former is not None:
                    here = d.id == former.id
                    values = {"state": PENDING, "next_try": now, "attempts": 0}
                    connection.execute(sa.update(t.deliveries).where(here).values(values))
                elif recipient not in notice.to:
                    row = {"id": new_id(), "alert_id": notice.id, "recipient": recipient, "state": PENDING}
                    connection.execute(sa.insert(t.deliveries), row | {"attempts": 0, "next_try": now})
            given_up = [delivery.id for delivery in dead.values()]
            if given_up:
                why = "the settings no longer name this recipient"
                connection.execute(
                    sa.update(t.deliveries).where(d.id.in_(given_up)).values(state=DROPPED, error=why, next_try=None)
                )

    def _change(self, delivery_ids: Collection[str], **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(
                sa.update(t.deliveries).where(t.deliveries.c.id.in_(sorted(delivery_ids))).values(values)
            )

    def _with_state(self, state: str) -> sa.Select[tuple[str]]:
        return sa.select(t.deliveries.c.alert_id).where(t.deliveries.c.state == state)

    def _notices(self, where: Any) -> list[Notice]:
        a, d = t.alerts.c, t.deliveries.c
        notices = sa.select(t.alerts).where(where).order_by(a.created_at, a.id)
        with self._database.read() as connection:
            rows = connection.execute(notices).all()
            under = sa.select(t.deliveries).where(d.alert_id.in_(sa.select(a.id).where(where)))
            ways: dict[str, list[Delivery]] = {row.id: [] for row in rows}
            for row in connection.execute(under.order_by(d.recipient)):
                ways[row.alert_id].append(Delivery(**row._mapping))
        return [Notice(**row._mapping, deliveries=tuple(ways[row.id])) for row in rows]
