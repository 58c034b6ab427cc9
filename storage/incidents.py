"""Incidents in the store: conditions that are open until they resolve."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import alert_tables as t
from trueup.storage.database import Database
from trueup.storage.instants import microseconds


@dataclass(frozen=True, kw_only=True)
class Incident:
    """A condition that is open until it resolves: opened → acknowledged → resolved.

    cause: the gravest of `causes`. over: those of its codes that are over, though it is still open.
    severity: high or low; it rises, and never falls while the incident is open. stem: the subject of its messages.
    thread: the id that all its mails refer to, as id@domain.
    outcome: how a drift ended, also where something else of the incident is open still: quiet, answered (a version
    trained on it was promoted), harmless (no challenger was better, and quality stayed as it was); None: as its cause
    says. resolved_by, resolved_why: where a person ended it.
    """

    id: str
    stream: str
    cause: str
    causes: tuple[str, ...]
    codes: tuple[str, ...]
    over: tuple[str, ...] = ()
    severity: str
    stem: str
    thread: str
    opened_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolved_why: str | None = None
    outcome: str | None = None
    refusal_told: bool = False


class IncidentLog:
    """Incidents, open and resolved, kept for ever."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open_ones(self, stream: str | None = None, connection: Connection | None = None) -> list[Incident]:
        """The incidents that are open, newest first; within a transaction where one is given."""
        where = [t.incidents.c.resolved_at.is_(None)]
        return self._list(*where, *([t.incidents.c.stream == stream] if stream else []), connection=connection)

    def newest(self, stream: str | None = None, *, limit: int | None = 100) -> list[Incident]:
        """The newest `limit` incidents (None: all), newest first."""
        return self._list(*([t.incidents.c.stream == stream] if stream else []))[:limit]

    def of(self, ids: Collection[str]) -> list[Incident]:
        """The incidents of these ids, newest first."""
        return self._list(t.incidents.c.id.in_(sorted(ids))) if ids else []

    def open(self, connection: Connection, incident: Incident) -> None:
        connection.execute(sa.insert(t.incidents), asdict(incident))

    def change(self, connection: Connection, incident_id: str, **values: Any) -> None:
        """Keep what is known of an open incident by now: causes, codes, over, severity."""
        connection.execute(sa.update(t.incidents).where(t.incidents.c.id == incident_id).values(values))

    def resolve(self, connection: Connection, incident_id: str, at: datetime, outcome: str | None = None) -> None:
        """End an incident; how one of its causes ended before stays its outcome."""
        known = sa.func.coalesce(t.incidents.c.outcome, outcome)
        self.change(connection, incident_id, resolved_at=microseconds(at), outcome=known)

    def end(self, connection: Connection, incident_id: str, at: datetime, who: str, why: str) -> None:
        """Resolve an incident that a person ends."""
        self.change(connection, incident_id, resolved_at=at, resolved_by=who, resolved_why=why)

    def tell_refusal(self, connection: Connection, incident_id: str) -> None:
        """Remember that the incident's thread has had its line on a refused challenger."""
        self.change(connection, incident_id, refusal_told=True)

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

    def _list(self, *where: Any, connection: Connection | None = None) -> list[Incident]:
        i = t.incidents.c
        open_first = i.resolved_at.is_not(None)  # among those of one time
        query = sa.select(t.incidents).where(*where).order_by(i.opened_at.desc(), open_first, i.id)
        if connection is not None:
            return [_incident(row) for row in connection.execute(query)]
        with self._database.read() as reading:
            return [_incident(row) for row in reading.execute(query)]


def _incident(row: sa.Row[Any]) -> Incident:
    listed = {name: tuple(getattr(row, name)) for name in ("causes", "codes", "over")}
    return Incident(**{**row._mapping, **listed})


def new_id() -> str:
    """An id for an incident, alert or delivery."""
    return uuid.uuid4().hex[:12]
