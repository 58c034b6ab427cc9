"""Incidents and notices as people look them up: lists by filters, and one by its id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from trueup.storage import alert_tables as t
from trueup.storage.database import Database
from trueup.storage.id_lookup import ids_beginning
from trueup.storage.incidents import Incident
from trueup.storage.outbox import DEAD, DROPPED, PENDING, SENT

OPEN, ACKNOWLEDGED, CLOSED = "open", "acknowledged", "closed"
INCIDENT_STATES, NOTICE_STATES = (OPEN, ACKNOWLEDGED, CLOSED), (PENDING, SENT, DEAD, DROPPED)


@dataclass(frozen=True, kw_only=True)
class AlertFilter:
    """Which incidents and notices are meant; what is left out asks for nothing.

    since: of incidents, what is open or was opened or closed since; of notices, what was written since.
    state: of incidents or of notices; a state of the one leaves the other out. "open" has the acknowledged as well.
    severity: high or low. code: what incidents stand for, and the notices of these.
    """

    stream: str | None = None
    since: datetime | None = None
    state: str | None = None
    severity: str | None = None
    code: str | None = None

    def wants(self, incident: Incident) -> bool:
        """Whether an incident is meant."""
        ended = incident.resolved_at
        newer = self.since is None or ended is None or max(ended, incident.opened_at) >= self.since
        states = {CLOSED} if ended else {OPEN, ACKNOWLEDGED} if incident.acknowledged_at else {OPEN}
        return (
            newer
            and (self.state is None or self.state in states)
            and self.severity in (None, incident.severity)
            and (self.code is None or self.code in incident.codes)
        )

    def where(self, incidents: list[str] | None) -> Iterator[Any]:
        """The filter of notices as conditions of SQL; incidents: the only ones whose notices are meant."""
        a = t.alerts.c
        if self.stream is not None:
            yield a.stream == self.stream
        if self.since is not None:
            yield a.created_at >= self.since
        if self.severity is not None:
            yield a.severity == self.severity
        if incidents is not None:
            yield a.incident_id.in_(incidents)
        if self.state in INCIDENT_STATES:
            yield sa.false()
        elif self.state is not None:
            order = (PENDING, DEAD, SENT, DROPPED)  # as `Notice.state` has it
            yield _some(self.state)
            yield from (~_some(graver) for graver in order[: order.index(self.state)])


class AlertLists:
    """Looks incidents and notices up in the store; changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def notices(self, asked: AlertFilter, limit: int | None, incidents: list[str] | None) -> tuple[list[str], int]:
        """The ids of the newest `limit` notices, newest first, and how many there are."""
        a, where = t.alerts.c, list(asked.where(incidents))
        query = sa.select(a.id).where(*where).order_by(a.created_at.desc(), a.id).limit(limit)
        with self._database.read() as connection:
            found = list(connection.execute(query).scalars())
            full = limit is not None and len(found) >= limit
            counting = sa.select(sa.func.count()).select_from(t.alerts).where(*where)
            return found, connection.execute(counting).scalar_one() if full else len(found)

    def notices_beginning(self, typed: str) -> list[str]:
        """The ids of notices that begin so."""
        return ids_beginning(self._database, t.alerts.c.id, typed)

    def incidents_beginning(self, typed: str) -> list[str]:
        """The ids of incidents that begin so."""
        return ids_beginning(self._database, t.incidents.c.id, typed)


def _some(state: str) -> Any:
    """Some delivery of a notice is in a state."""
    d = t.deliveries.c
    return sa.exists().where(d.alert_id == t.alerts.c.id, d.state == state)
