"""The log of cycles and what their steps left behind: a killed cycle goes on from its last durable step."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.promotions import PromotionState
from trueup.storage.signal_rows import signal_row, verdict_of_signals

RUNNING, FINISHED, ABANDONED = "running", "finished", "abandoned"


@dataclass(frozen=True)
class CycleRecord:
    """One cycle as the store knows it; `steps` holds the output of each finished step by its name."""

    id: str
    stream: str
    as_of: datetime
    state: str
    steps: dict[str, Any]
    document: dict[str, Any] | None
    ended_at: datetime | None = None
    failures: int = 0


@dataclass(frozen=True)
class CountedCheck:
    """What is remembered of a counted check."""

    as_of: datetime
    version: int
    last_seq: int
    last_time: datetime
    document: dict[str, Any]


class CycleLog:
    """Cycles, checks and decisions in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, stream: str, as_of: datetime, now: datetime) -> CycleRecord:
        """The cycle of this stream and time: the one that stands there (an abandoned one goes on), or a new one."""
        row = {
            "id": uuid.uuid4().hex, "stream": stream, "as_of": as_of, "state": RUNNING, "steps": {},
            "document": None, "started_at": now, "ended_at": None,
        }
        with self._database.write() as connection:
            self._database.insert_new(connection, t.cycles, [row])
            c = t.cycles.c
            here = sa.and_(c.stream == stream, c.as_of == as_of)
            connection.execute(sa.update(t.cycles).where(here, c.state == ABANDONED).values(state=RUNNING))
            return _cycle(connection.execute(sa.select(t.cycles).where(here)).one())

    def find(self, stream: str, as_of: datetime) -> CycleRecord | None:
        c = t.cycles.c
        return self._first(sa.select(t.cycles).where(c.stream == stream, c.as_of == as_of))

    def last_checked(self, stream: str) -> datetime | None:
        """The latest time that a cycle's check looked at, or None."""
        c = t.checks.c
        query = sa.select(sa.func.max(c.as_of)).where(c.stream == stream, c.cycle_id.is_not(None))
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def last_ended(self, stream: str) -> CycleRecord | None:
        """The cycle that finished last by the clock, whatever time it looked at."""
        c = t.cycles.c
        query = sa.select(t.cycles).where(c.stream == stream, c.state == FINISHED).order_by(c.ended_at.desc())
        return self._first(query.limit(1))

    def unfinished(self, stream: str) -> list[CycleRecord]:
        """Cycles that a crash left behind, oldest first."""
        c = t.cycles.c
        query = sa.select(t.cycles).where(c.stream == stream, c.state == RUNNING).order_by(c.as_of)
        with self._database.read() as connection:
            return [_cycle(row) for row in connection.execute(query)]

    def steps_of(self, cycle_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """What the steps of these cycles left behind, by the cycle's id."""
        c = t.cycles.c
        with self._database.read() as connection:
            rows = connection.execute(sa.select(c.id, c.steps).where(c.id.in_(sorted(cycle_ids))))
            return {row.id: row.steps for row in rows}

    def last_step_output(self, stream: str, step: str, *, since: datetime, before: datetime | None = None) -> Any:
        """What a step left behind in the newest cycle with since ≤ time < before where it left anything; else None."""
        c = t.cycles.c
        query = sa.select(c.steps).where(c.stream == stream, c.as_of >= since)
        if before is not None:
            query = query.where(c.as_of < before)
        with self._database.read() as connection:
            found = connection.execution_options(yield_per=1).execute(query.order_by(c.as_of.desc())).scalars()
            return next((steps[step] for steps in found if steps.get(step)), None)

    def record_step(self, connection: Connection, cycle: CycleRecord, step: str, output: Any) -> CycleRecord:
        """Keep a step's output within a transaction; the cycle as it stands once that is committed."""
        steps = {**cycle.steps, step: output}
        connection.execute(sa.update(t.cycles).where(t.cycles.c.id == cycle.id).values(steps=steps))
        return replace(cycle, steps=steps)

    def count_failure(self, connection: Connection, cycle: CycleRecord) -> None:
        """Remember that a try of this cycle failed for a reason that does not pass by itself."""
        c = t.cycles.c
        connection.execute(sa.update(t.cycles).where(c.id == cycle.id).values(failures=c.failures + 1))

    def finish(self, connection: Connection, cycle: CycleRecord, document: dict[str, Any], now: datetime) -> None:
        """Close a cycle with its document."""
        ended = {"state": FINISHED, "document": document, "ended_at": now}
        connection.execute(sa.update(t.cycles).where(t.cycles.c.id == cycle.id).values(ended))

    def abandon(self, connection: Connection, cycle: CycleRecord, now: datetime) -> None:
        """Close a cycle that failed; asked for again it goes on where it stopped.

        A promotion that it had decided is abandoned with it, and a check that nothing was concluded from counts no
        more, so that the next cycle may look at those records.
        """
        steps = cycle.steps
        if steps.get("check") and "decide" not in steps:
            steps = {**steps, "check": self._uncount(connection, steps["check"])}
        connection.execute(
            sa.update(t.promotions)
            .where(t.promotions.c.cycle_id == cycle.id, t.promotions.c.state == str(PromotionState.DECIDED))
            .values(state=str(PromotionState.ABANDONED), at=now)
        )
        connection.execute(
            sa.update(t.cycles).where(t.cycles.c.id == cycle.id).values(state=ABANDONED, steps=steps, ended_at=now)
        )

    def _uncount(self, connection: Connection, left: dict[str, Any]) -> dict[str, Any]:
        document = {**left["check"], "counted": False}
        connection.execute(
            sa.update(t.checks)
            .where(t.checks.c.id == document["report_id"])
            .values(counted=False, document=document)
        )
        return {**left, "check": document}

    def add_check(
        self,
        connection: Connection,
        *,
        stream: str,
        cycle_id: str | None,
        as_of: datetime,
        version: int,
        last: tuple[int, datetime] | None,
        document: dict[str, Any],
        now: datetime,
    ) -> None:
        """Keep a check and its signals; `last` is the place and time of its window's newest record."""
        check_id = document["report_id"]
        rows = [signal_row(check_id, signal) for signal in document["signals"]]
        connection.execute(
            sa.insert(t.checks),
            {
                "id": check_id, "stream": stream, "cycle_id": cycle_id, "as_of": as_of, "version": version,
                "counted": document["counted"], "last_seq": last and last[0], "last_time": last and last[1],
                "document": document, "made_at": now, "verdict": verdict_of_signals([row["verdict"] for row in rows]),
            },
        )
        if rows:
            connection.execute(sa.insert(t.signals), rows)

    def keep_check(self, **facts: Any) -> None:
        """`add_check` in a transaction of its own, for a check that belongs to no cycle."""
        with self._database.write() as connection:
            self.add_check(connection, **facts)

    def counted_checks(
        self, stream: str, *, version: int | None = None, before: datetime | None = None, limit: int | None = None
    ) -> list[CountedCheck]:
        """The counted checks, newest first: those of a version, those earlier than a time, or the newest `limit`."""
        c = t.checks.c
        query = sa.select(t.checks).where(c.stream == stream, c.counted).order_by(c.as_of.desc()).limit(limit)
        query = query if version is None else query.where(c.version == version)
        query = query if before is None else query.where(c.as_of < before)
        with self._database.read() as connection:
            return [
                CountedCheck(row.as_of, row.version, row.last_seq, row.last_time, row.document)
                for row in connection.execute(query)
            ]

    def last_check(self, stream: str, before: datetime) -> CountedCheck | None:
        """The newest check of a cycle earlier than a time, counted or not."""
        c = t.checks.c
        mine = (c.stream == stream) & c.cycle_id.is_not(None) & (c.as_of < before)
        with self._database.read() as connection:
            row = connection.execute(sa.select(t.checks).where(mine).order_by(c.as_of.desc()).limit(1)).first()
        return None if row is None else CountedCheck(row.as_of, row.version, row.last_seq, row.last_time, row.document)

    def reports(
        self, stream: str | None, *, limit: int | None = 50, until: datetime | None = None
    ) -> list[dict[str, Any]]:
        """Checks with their stored documents, newest first; with `until` those that speak of no later time."""
        c = t.checks.c
        query = sa.select(t.checks).order_by(c.as_of.desc(), c.made_at.desc()).limit(limit)
        if stream is not None:
            query = query.where(c.stream == stream)
        if until is not None:
            query = query.where(c.as_of <= until)
        with self._database.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def verdicts_between(self, stream: str, after: datetime, until: datetime) -> list[frozenset[str]]:
        """The verdicts that stand in each check which a cycle made in this time, by the clock; oldest first."""
        c, s = t.checks.c, t.signals.c
        query = sa.select(c.id, s.verdict).outerjoin(t.signals, s.check_id == c.id).distinct()
        query = query.where(c.stream == stream, c.cycle_id.is_not(None), c.made_at > after, c.made_at <= until)
        found: dict[str, set[str]] = {}
        with self._database.read() as connection:
            for check, verdict in connection.execute(query.order_by(c.made_at)):
                found.setdefault(check, set()).add(verdict)
        return [frozenset(verdicts) for verdicts in found.values()]

    def report(self, report_id: str) -> dict[str, Any] | None:
        """One check with its stored document, by its id."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(t.checks).where(t.checks.c.id == report_id)).first()
        return None if row is None else dict(row._mapping)

    def add_decision(
        self, connection: Connection, cycle: CycleRecord, check_id: str | None, decision: dict[str, Any]
    ) -> None:
        connection.execute(
            sa.insert(t.decisions),
            {
                "id": uuid.uuid4().hex, "stream": cycle.stream, "cycle_id": cycle.id, "check_id": check_id,
                "as_of": cycle.as_of, "action": decision["action"], "codes": decision["codes"],
                "reasons": decision["reasons"],
            },
        )

    def _first(self, query: sa.Select[Any]) -> CycleRecord | None:
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _cycle(row)


def _cycle(row: Any) -> CycleRecord:
    return CycleRecord(row.id, row.stream, row.as_of, row.state, row.steps, row.document, row.ended_at, row.failures)
