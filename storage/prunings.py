"""What was pruned by policy: marked before its files go, so that a crash between leaves nothing in doubt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import alert_tables
from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.errors import InputError
from trueup.storage.promotions import PromotionState
from trueup.storage.timepoints import to_minute

VERSION, REPORT = "version", "report"


@dataclass(frozen=True, kw_only=True)
class Pruning:
    """A version or a report whose files go, or (with `done_at`) went.

    name: the version's number, the report's id. bytes: freed. left: places that could not be emptied.
    """

    stream: str
    kind: str
    name: str
    decided_at: datetime
    who: str
    done_at: datetime | None = None
    bytes: int = 0
    left: tuple[str, ...] = ()


class PruningLog:
    """Prunings in the store, kept for ever."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decide(self, connection: Connection, prunings: Iterable[Pruning]) -> None:
        """Mark what is to go; what is marked already stays as it is."""
        self._database.insert_new(connection, t.prunings, [{**p.__dict__, "left": list(p.left)} for p in prunings])

    def finish(
        self, connection: Connection, pruning: Pruning, *, freed: int, left: tuple[str, ...], now: datetime
    ) -> Pruning:
        """Its files are gone, but for those in places `left`."""
        changed = {"done_at": now, "bytes": freed, "left": list(left)}
        connection.execute(sa.update(t.prunings).where(_here(pruning)).values(changed))
        return replace(pruning, done_at=now, bytes=freed, left=left)

    def withdraw(self, connection: Connection, pruning: Pruning) -> None:
        """Take a mark back, for what must stay after all."""
        connection.execute(sa.delete(t.prunings).where(_here(pruning)))

    def of(self, stream: str, kind: str) -> list[Pruning]:
        """All of one kind, oldest first."""
        p = t.prunings.c
        query = sa.select(t.prunings).where(p.stream == stream, p.kind == kind).order_by(p.decided_at, p.name)
        with self._database.read() as connection:
            return [Pruning(**{**row._mapping, "left": tuple(row.left)}) for row in connection.execute(query)]

    def version(self, stream: str, version: int) -> Pruning | None:
        """The pruning of a version, or None."""
        return next((p for p in self.of(stream, VERSION) if p.name == str(version)), None)

    def refuse_pruned(self, stream: str, version: int) -> None:
        """Say so where a version was pruned.

        Raises:
            InputError: its files are gone.
        """
        pruned = self.version(stream, version)
        if pruned is not None:
            raise InputError(
                f"v{version} of '{stream}' was pruned at {to_minute(pruned.decided_at)} by {pruned.who}: its model "
                "and its "
                "snapshot are gone, so it can neither answer nor be made again. Its figures and its history stay: "
                f"trueup models show {version} --stream {stream}"
            )

    def quiet_reports(self, stream: str, before: datetime) -> list[str]:
        """Reports made before a time that no conclusion rests on and that are not marked yet, oldest first.

        A conclusion rests on a counted check that breached, and on any whose cycle acted, alerted or judged a version,
        or whose window was accepted as a baseline.
        """
        c, s, d = t.checks.c, t.signals.c, t.decisions.c
        breached = sa.exists().where(s.check_id == c.id, s.verdict == "breached")
        return self._reports(
            stream,
            before,
            sa.and_(c.counted, breached),
            sa.exists().where(d.check_id == c.id, d.action != "none"),
            sa.exists().where(alert_tables.alerts.c.cycle_id == c.cycle_id),
            sa.exists().where(t.promotions.c.cycle_id == c.cycle_id),
        )

    def reports_of_past_incidents(self, stream: str, before: datetime) -> list[str]:
        """All reports made before a time that may go once nothing is open that they speak of, oldest first.

        What stays is of a change of the champion, made or waiting; of an incident that is open, or as new as it is.
        """
        c, p, i, a = t.checks.c, t.promotions.c, alert_tables.incidents.c, alert_tables.alerts.c
        lasting = [str(state) for state in (PromotionState.DECIDED, PromotionState.HELD, PromotionState.COMMITTED)]
        is_open = sa.and_(i.stream == stream, i.resolved_at.is_(None))
        return self._reports(
            stream,
            before,
            sa.exists().where(p.cycle_id == c.cycle_id, p.state.in_(lasting)),
            sa.exists().where(is_open, i.opened_at <= c.as_of),
            sa.exists().where(is_open, a.incident_id == i.id, a.cycle_id == c.cycle_id),
        )

    def _reports(self, stream: str, before: datetime, *kept: Any) -> list[str]:
        """Reports made before a time but for those that are kept, are an accepted baseline, or are marked already."""
        c, p = t.checks.c, t.prunings.c
        baseline = sa.exists().where(t.baselines.c.report_id == c.id)
        marked = sa.exists().where(p.stream == stream, p.kind == REPORT, p.name == c.id)
        query = sa.select(c.id).where(c.stream == stream, c.made_at < before, ~sa.or_(*kept, baseline, marked))
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(c.made_at, c.id)).scalars())


def _here(pruning: Pruning) -> sa.ColumnElement[bool]:
    p = t.prunings.c
    return sa.and_(p.stream == pruning.stream, p.kind == pruning.kind, p.name == pruning.name)
