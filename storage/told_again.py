"""What the clock made trueup tell: reminders, escalations and digests, each once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import alert_tables as t
from trueup.storage.database import Database


@dataclass(frozen=True, kw_only=True)
class Digest:
    """A week that one recipient was told of. alert_id: the notice; None: the week in which they were first seen."""

    recipient: str
    week: str
    since: datetime
    until: datetime
    alert_id: str | None = None


class ToldAgain:
    """Reminders, escalations and digests in the store, kept for ever; what stands there is not told again.

    Each is written in the transaction of its notice, so that a crash leaves both or none.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def first_told(self, incident_ids: list[str], severity: str) -> dict[str, datetime]:
        """When the first notice of this severity was written of each incident; what nobody was told of is left out."""
        a = t.alerts.c
        query = sa.select(a.incident_id, sa.func.min(a.created_at)).group_by(a.incident_id)
        query = query.where(a.incident_id.in_(incident_ids), a.severity == severity)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def newest_reminders(self, kind: str) -> dict[str, int]:
        """The highest number that was told, by incident."""
        r = t.reminders.c
        query = sa.select(r.incident_id, sa.func.max(r.number)).where(r.kind == kind).group_by(r.incident_id)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def add_reminder(self, connection: Connection, incident_id: str, kind: str, number: int, at: datetime) -> None:
        """Write one down.

        Raises:
            IntegrityError: another process did.
        """
        row = {"incident_id": incident_id, "kind": kind, "number": number, "at": at}
        connection.execute(sa.insert(t.reminders), row)

    def newest_digests(self) -> dict[str, Digest]:
        """The newest digest of each recipient."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(t.digests).order_by(t.digests.c.until))
            return {row.recipient: Digest(**row._mapping) for row in rows}

    def digests_of(self, alert_ids: list[str]) -> list[Digest]:
        """The digests of these notices, oldest first."""
        query = sa.select(t.digests).where(t.digests.c.alert_id.in_(alert_ids)).order_by(t.digests.c.until)
        with self._database.read() as connection:
            return [Digest(**row._mapping) for row in connection.execute(query)]

    def add_digest(self, connection: Connection, digest: Digest) -> None:
        """Write one down.

        Raises:
            IntegrityError: another process did.
        """
        connection.execute(sa.insert(t.digests), digest.__dict__)
