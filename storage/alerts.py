"""Incidents and the outbox: alerts are written with what they tell of, and kept until they are delivered."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import alert_tables as t
from trueup.storage.database import Database
from trueup.storage.instants import microseconds
from trueup.storage.silences import HELD_KINDS, SilenceLog, silenced


@dataclass(frozen=True, kw_only=True)
class Incident:
    """A condition that is open until it resolves: opened → acknowledged → resolved.

    outcome: how a drift ended: quiet, answered (a version trained on it was promoted), harmless (no challenger was
    better, and quality stayed as it was); None: as its cause says. resolved_by, resolved_why: where a person
    ended it.
    """

    id: str
    stream: str
    cause: str
    codes: tuple[str, ...]
    opened_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolved_why: str | None = None
    outcome: str | None = None
    refusal_told: bool = False

    @property
    def thread(self) -> str:
        """Message-ID of the mail that opened the incident; later mails answer it."""
        return f"<incident.{self.id}@trueup>"


@dataclass(frozen=True, kw_only=True)
class OutboxItem:
    """One alert on its way to people."""

    id: str
    stream: str
    kind: str
    subject: str
    text: str
    html: str
    to: tuple[str, ...]
    message_id: str
    in_reply_to: str
    created_at: datetime
    attempts: int = 0
    state: str = "pending"
    cycle_id: str | None = None
    incident_id: str | None = None
    next_try: datetime | None = None
    sent_at: datetime | None = None
    error: str | None = None

    @property
    def references(self) -> tuple[str, ...]:
        """The thread's Message-IDs: an incident's thread hangs on the mail that opened it."""
        return (self.in_reply_to,) if self.in_reply_to else ()


class AlertStore:
    """Incidents and alerts in the store; the outbox that delivery works on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- incidents ----

    def open_incidents(self, stream: str | None = None) -> list[Incident]:
        where = [t.incidents.c.resolved_at.is_(None)]
        return self._incidents(*where, *([t.incidents.c.stream == stream] if stream else []))

    def incidents(self, stream: str | None = None, *, limit: int | None = 100) -> list[Incident]:
        """The newest `limit` incidents (None: all), newest first."""
        return self._incidents(*([t.incidents.c.stream == stream] if stream else []))[:limit]

    def _incidents(self, *where: Any) -> list[Incident]:
        i = t.incidents.c
        open_first = i.resolved_at.is_not(None)  # among those of one time
        query = sa.select(t.incidents).where(*where).order_by(i.opened_at.desc(), open_first, i.id)
        with self._database.read() as connection:
            return [Incident(**{**row._mapping, "codes": tuple(row.codes)}) for row in connection.execute(query)]

    def open(self, connection: Connection, incident: Incident) -> None:
        connection.execute(sa.insert(t.incidents), incident.__dict__ | {"codes": list(incident.codes)})

    def widen(self, connection: Connection, incident_id: str, codes: tuple[str, ...]) -> None:
        """Keep the codes that an open incident now stands for."""
        self._update_incident(connection, incident_id, codes=list(codes))

    def resolve(self, connection: Connection, incident_id: str, at: datetime, outcome: str | None = None) -> None:
        self._update_incident(connection, incident_id, resolved_at=at, outcome=outcome)

    def end(self, connection: Connection, incident_id: str, at: datetime, who: str, why: str) -> None:
        """Resolve an incident that a person ends."""
        self._update_incident(connection, incident_id, resolved_at=at, resolved_by=who, resolved_why=why)

    def tell_refusal(self, connection: Connection, incident_id: str) -> None:
        """Remember that the incident's thread has had its line on a refused challenger."""
        self._update_incident(connection, incident_id, refusal_told=True)

    def acknowledge(self, connection: Connection, incident_id: str, who: str, at: datetime) -> bool:
        """Mark an open incident as seen, for the first time if it was before; False where no open one has this id."""
        i = t.incidents.c
        done = connection.execute(
            sa.update(t.incidents)
            .where(i.id == incident_id, i.resolved_at.is_(None))
            .values(
                acknowledged_at=sa.func.coalesce(i.acknowledged_at, microseconds(at)),
                acknowledged_by=sa.func.coalesce(i.acknowledged_by, who),
            )
        )
        return done.rowcount == 1

    def _update_incident(self, connection: Connection, incident_id: str, **values: Any) -> None:
        connection.execute(sa.update(t.incidents).where(t.incidents.c.id == incident_id).values(values))

    # ---- outbox ----

    def add(self, connection: Connection, item: OutboxItem) -> None:
        """Put an alert into the outbox, in the transaction of what it tells of; one for nobody is not written.

        What it tells of stands without it: the incident, the attempt, the cycle.
        """
        if not item.to:
            return
        row = dict(item.__dict__)
        row["recipients"] = list(row.pop("to"))
        connection.execute(sa.insert(t.alerts), row)

    def pending(self, now: datetime | None = None) -> list[OutboxItem]:
        """Alerts not yet delivered, oldest first; with `now` only those whose next try is due and nobody silenced."""
        a = t.alerts.c
        query = sa.select(t.alerts).where(a.state == "pending").order_by(a.created_at, a.id)
        if now is not None:
            query = query.where(sa.or_(a.next_try.is_(None), a.next_try <= now))
        waiting = self._list(query)
        held = self.held(now) if now is not None and waiting else frozenset()
        return [item for item in waiting if item.id not in held]

    def held(self, now: datetime) -> frozenset[str]:
        """The pending alerts that wait because somebody silenced what they tell of."""
        silences = SilenceLog(self._database).in_force(now)
        if not silences:
            return frozenset()
        quiet = {i.id for i in self._incidents() if silenced(silences, i.stream, i.id, i.codes)}
        return frozenset(a.id for a in self.pending() if a.incident_id in quiet and a.kind in HELD_KINDS)

    def make_due(self, now: datetime) -> None:
        """Every pending alert may be tried at once."""
        with self._database.write() as connection:
            connection.execute(sa.update(t.alerts).where(t.alerts.c.state == "pending").values(next_try=now))

    def revive(self, alert_id: str, to: tuple[str, ...], now: datetime) -> None:
        """Put a dead alert back among the pending ones, for these recipients; its tries are counted anew."""
        self._update(alert_id, state="pending", recipients=list(to), next_try=now, attempts=0)

    def mark_sent(self, alert_id: str, at: datetime) -> None:
        self._update(alert_id, state="sent", sent_at=at, error=None, next_try=None, attempts=t.alerts.c.attempts + 1)

    def mark_failed(
        self,
        alert_id: str,
        at: datetime,
        why: str,
        next_try: datetime | None,
        *,
        remaining: tuple[str, ...],
        counted: bool = True,
    ) -> None:
        """A try failed for the `remaining` addresses; without a next try the alert is dead, and `status` says so.

        counted: it used up one of the alert's tries; not where the server was at fault.
        """
        self._update(
            alert_id,
            state="dead" if next_try is None else "pending",
            error=why,
            next_try=next_try,
            recipients=list(remaining),
            attempts=t.alerts.c.attempts + int(counted),
        )

    def dead(self) -> list[OutboxItem]:
        """Alerts that are not tried any more by themselves."""
        return self._list(sa.select(t.alerts).where(t.alerts.c.state == "dead"))

    def of_cycle(self, cycle_id: str) -> list[OutboxItem]:
        a = t.alerts.c
        return self._list(sa.select(t.alerts).where(a.cycle_id == cycle_id).order_by(a.created_at, a.id))

    def alerts(self, stream: str | None = None, *, limit: int | None = 100) -> list[OutboxItem]:
        """The newest `limit` alerts (None: all), newest first."""
        a = t.alerts.c
        query = sa.select(t.alerts).order_by(a.created_at.desc(), a.id).limit(limit)
        return self._list(query.where(a.stream == stream) if stream else query)

    def _list(self, query: sa.Select[Any]) -> list[OutboxItem]:
        with self._database.read() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query)]
        return [OutboxItem(to=tuple(row.pop("recipients")), **row) for row in rows]

    def _update(self, alert_id: str, **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(sa.update(t.alerts).where(t.alerts.c.id == alert_id).values(values))


def new_id() -> str:
    """An id for an incident or alert."""
    return uuid.uuid4().hex[:12]
