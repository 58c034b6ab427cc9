"""What was refused at intake, with its reason and its raw content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.content import hash64
from trueup.storage.database import Database
from trueup.storage.id_lookup import ids_beginning
from trueup.storage.incoming import QuarantineItem, Refused
from trueup.storage.stream import StreamSettings


@dataclass(frozen=True)
class RefusedFor:
    """What was refused for one reason. kind: record or feedback. first, last: when it was received.

    waiting: not released. released: taken in after all.
    """

    kind: str
    reason: str
    waiting: int
    released: int
    first: datetime
    last: datetime


class QuarantineLog:
    """Refused rows and feedback in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        connection: Connection,
        stream: StreamSettings,
        kind: str,
        refused: Sequence[Refused],
        source: str,
        now: datetime,
    ) -> None:
        rows: dict[str, dict[str, Any]] = {}
        for item in refused:
            key = f"{hash64(f'{kind}|{item.reason}|{item.identity or item.raw}') & (2**64 - 1):016x}"
            rows.setdefault(key, {
                "stream": stream.name, "id": key, "kind": kind, "source": source, "line": item.line,
                "reason": item.reason, "detail": item.detail, "raw": item.raw.replace("\x00", "\\x00"),
                "received_at": now, "happened_at": item.at, "released_at": None,
            })
        self._database.insert_new(connection, t.quarantine, list(rows.values()))

    def items(self, stream: StreamSettings, *, limit: int | None = 100) -> list[QuarantineItem]:
        """What was refused and not yet released, newest first."""
        return self.page(stream, limit=limit)[0]

    def page(
        self,
        stream: StreamSettings,
        *,
        limit: int | None,
        since: datetime | None = None,
        reason: str | None = None,
        kind: str | None = None,
    ) -> tuple[list[QuarantineItem], int]:
        """The newest `limit` items, received since then, refused for this reason, of this kind; how many there are."""
        q = t.quarantine.c
        where = [q.stream == stream.name, q.released_at.is_(None)]
        where += [] if since is None else [q.received_at >= since]
        where += [] if reason is None else [q.reason == reason]
        where += [] if kind is None else [q.kind == kind]
        query = sa.select(t.quarantine).where(*where).order_by(q.received_at.desc(), q.line, q.id).limit(limit)
        with self._database.read() as connection:
            found = [QuarantineItem(**row._mapping) for row in connection.execute(query)]
            counting = sa.select(sa.func.count()).select_from(t.quarantine).where(*where)
            full = limit is not None and len(found) >= limit
            return found, connection.execute(counting).scalar_one() if full else len(found)

    def by_reason(self, stream: StreamSettings) -> list[RefusedFor]:
        """How much was refused for which reason, the most first."""
        q = t.quarantine.c
        waiting = sa.func.sum(sa.case((q.released_at.is_(None), 1), else_=0)).label("waiting")
        query = (
            sa.select(
                q.kind, q.reason, waiting, sa.func.count(), sa.func.min(q.received_at), sa.func.max(q.received_at)
            )
            .where(q.stream == stream.name)
            .group_by(q.kind, q.reason)
            .order_by(waiting.desc(), q.reason, q.kind)
        )
        with self._database.read() as connection:
            return [
                RefusedFor(kind, reason, left, of_all - left, first, last)
                for kind, reason, left, of_all, first, last in connection.execute(query)
            ]

    def beginning(self, stream: StreamSettings, typed: str) -> list[str]:
        """The ids that begin so, released or not."""
        return ids_beginning(self._database, t.quarantine.c.id, typed, t.quarantine.c.stream == stream.name)

    def item(self, stream: StreamSettings, item_id: str) -> QuarantineItem | None:
        q = t.quarantine.c
        query = sa.select(t.quarantine).where(q.stream == stream.name, q.id == item_id)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else QuarantineItem(**row._mapping)

    def mark_released(self, stream: StreamSettings, item_id: str, now: datetime) -> None:
        q = t.quarantine.c
        with self._database.write() as connection:
            connection.execute(
                sa.update(t.quarantine).where(q.stream == stream.name, q.id == item_id).values(released_at=now)
            )

    def forget(self, stream: StreamSettings, item_id: str) -> None:
        """Delete an item: what it speaks of was erased."""
        q = t.quarantine.c
        with self._database.write() as connection:
            connection.execute(sa.delete(t.quarantine).where(q.stream == stream.name, q.id == item_id))
