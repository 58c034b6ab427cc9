"""Silences: mails that wait until a time, because somebody knows already what they tell of."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from trueup.storage import alert_tables as a
from trueup.storage import tables as t
from trueup.storage.database import Database

# The kinds of alerts that can be silenced: news of a condition. Changes of the champion are always told at once.
HELD_KINDS = frozenset({"incident_opened", "incident_resolved", "refused", "failure"})


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Until a time nobody is mailed about an incident, or about a code of a stream; `target` is either's name."""

    stream: str
    target: str
    until: datetime
    at: datetime
    who: str
    why: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])


def silenced(silences: Iterable[Silence], stream: str, incident_id: str, codes: Sequence[str]) -> bool:
    """Whether silences in force hold an incident's mails back: one of its own, or of every code that it stands for."""
    targets = {s.target for s in silences if s.stream == stream}
    return incident_id in targets or (bool(codes) and set(codes) <= targets)


class SilenceLog:
    """Silences in the store, kept for ever; of several for one target the newest holds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, silence: Silence) -> None:
        with self._database.write() as connection:
            connection.execute(sa.insert(a.silences), silence.__dict__)

    def in_force(self, now: datetime, stream: str | None = None) -> list[Silence]:
        """Silences that hold at `now`, newest first."""
        s = a.silences.c
        query = sa.select(a.silences).order_by(s.at.desc(), s.id)
        if stream:
            query = query.where(s.stream == stream)
        newest: dict[tuple[str, str], Silence] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                newest.setdefault((row.stream, row.target), Silence(**row._mapping))
        return [silence for silence in newest.values() if silence.until > now]

    def of(self, stream: str, targets: Iterable[str]) -> list[Silence]:
        """Every silence of an incident or of codes, oldest first, also those that are over."""
        s = a.silences.c
        query = sa.select(a.silences).where(s.stream == stream, s.target.in_(list(targets))).order_by(s.at, s.id)
        with self._database.read() as connection:
            return [Silence(**row._mapping) for row in connection.execute(query)]

    def measured(self, stream: str, code: str) -> bool:
        """Whether a check of the stream ever held a signal of this code, or an incident stood for it."""
        query = sa.select(t.signals.c.code).join(t.checks, t.checks.c.id == t.signals.c.check_id)
        query = query.where(t.checks.c.stream == stream, t.signals.c.code == code).limit(1)
        with self._database.read() as connection:
            if connection.execute(query).first():
                return True
            incidents = connection.execute(sa.select(a.incidents.c.codes).where(a.incidents.c.stream == stream))
            return any(code in codes for codes in incidents.scalars())
