"""How a stream's checks went over time: counted by the store in even periods, so that no check's document is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.instants import moment_of
from trueup.storage.periods import DAYS, EvenPeriods

_AT_ONCE = 500  # times that are asked for together: each is a parameter of the query


@dataclass(frozen=True)
class CheckExtent:
    """The times that a stream's first and last check speak of."""

    first: datetime
    last: datetime


@dataclass(frozen=True)
class MonthOfChecks:
    """A month, as its first day, with how many checks it has, and in how many of them some signal breached."""

    month: date
    checks: int
    breached: int


@dataclass(frozen=True)
class SignalPeriod:
    """A signal within one period: how often it had which verdict, and the newest of the checks that had the worst.

    at: the time that this check speaks of.
    """

    code: str
    number: int
    breached: int
    ok: int
    unjudged: int
    at: datetime
    report_id: str


@dataclass(frozen=True)
class SignalValue:
    """A signal in one check. threshold, effect and interval are as `Signal` has them."""

    report_id: str
    as_of: datetime
    version: int
    counted: bool
    code: str
    name: str
    verdict: str
    value: float | None
    threshold: float | None
    effect: float | None
    interval: tuple[float, float] | None


class CheckCourses:
    """Looks up how checks went; changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def extent(self, stream: str) -> CheckExtent | None:
        """When the checks begin and end; None without any."""
        at = t.checks.c.as_of
        ends = (sa.select(end(at)).where(t.checks.c.stream == stream) for end in (sa.func.min, sa.func.max))
        with self._database.read() as connection:
            first, last = (connection.execute(query).scalar() for query in ends)
        return None if first is None or last is None else CheckExtent(first, last)

    def months(self, stream: str) -> list[MonthOfChecks]:
        """The months that have checks, newest first."""
        c, s = t.checks.c, t.signals.c
        some = sa.exists().where(s.check_id == c.id, s.verdict == "breached")
        one = sa.select(_number(DAYS).label("day"), sa.case((some, 1), else_=0).label("breached"))
        days = one.where(c.stream == stream).subquery()
        query = sa.select(days.c.day, sa.func.count(), sa.func.sum(days.c.breached)).group_by(days.c.day)
        found: dict[date, list[int]] = {}
        with self._database.read() as connection:
            for day, checks, breached in connection.execute(query):
                month = found.setdefault(DAYS.start(day).date().replace(day=1), [0, 0])
                month[0] += checks
                month[1] += breached
        return [MonthOfChecks(month, *found[month]) for month in sorted(found, reverse=True)]

    def signal_periods(
        self, stream: str, periods: EvenPeriods, since: datetime, until: datetime
    ) -> list[SignalPeriod]:
        """Every signal in every period of the checks with since ≤ time ≤ until; without checks a period is left out."""
        c, s = t.checks.c, t.signals.c
        number = _number(periods).label("number")
        as_of = sa.type_coerce(c.as_of, sa.BigInteger)
        breached = s.verdict == "breached"
        query = (
            sa.select(
                s.code, number,
                sa.func.sum(sa.case((breached, 1), else_=0)).label("breached"),
                sa.func.sum(sa.case((s.verdict == "ok", 1), else_=0)).label("ok"),
                sa.func.count().label("all"),
                sa.func.coalesce(
                    sa.func.max(sa.case((breached, as_of))), sa.func.max(sa.case((s.verdict == "ok", as_of))),
                    sa.func.max(as_of),
                ).label("worst"),
            )
            .join_from(t.checks, t.signals, s.check_id == c.id)
            .where(c.stream == stream, c.as_of >= since, c.as_of <= until)
            .group_by(s.code, number)
        )  # fmt: skip
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            ids = dict(_ids(connection, stream, sorted({row.worst for row in rows})))
        return [
            SignalPeriod(
                r.code, r.number, r.breached, r.ok, r.all - r.breached - r.ok, moment_of(r.worst), ids[r.worst]
            )
            for r in rows
        ]

    def values(
        self,
        stream: str,
        codes: Sequence[str],
        *,
        counted: bool | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int,
    ) -> list[SignalValue]:
        """These signals in the checks that judged them, oldest first: the newest `limit` of those with since ≤ time
        < until, of counted checks, of others (False), or of all (None)."""
        c, s = t.checks.c, t.signals.c
        query = (
            sa.select(
                c.id, c.as_of, c.version, c.counted, s.code, s.name, s.verdict, s.value, s.threshold, s.effect,
                s.interval_low, s.interval_high,
            )
            .join_from(t.checks, t.signals, s.check_id == c.id)
            .where(c.stream == stream, s.code.in_(codes), s.verdict != "insufficient", s.value.is_not(None))
            .order_by(c.as_of.desc(), c.made_at.desc(), c.id)
            .limit(limit)
        )  # fmt: skip
        query = query if counted is None else query.where(c.counted.is_(counted))
        query = query if since is None else query.where(c.as_of >= since)
        query = query if until is None else query.where(c.as_of < until)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            SignalValue(
                row.id, row.as_of, row.version, bool(row.counted), row.code, row.name, row.verdict, row.value,
                row.threshold, row.effect, _interval(row.interval_low, row.interval_high),
            )
            for row in reversed(rows)
        ]  # fmt: skip


def _number(periods: EvenPeriods) -> Any:
    """The number of the period that a check lies in, as SQL."""
    begin, length = periods.ticks
    return (sa.type_coerce(t.checks.c.as_of, sa.BigInteger) - begin) // length


def _ids(connection: Connection, stream: str, times: Sequence[int]) -> Iterator[tuple[int, str]]:
    """The checks that speak of these times; of two that speak of one, the one made last comes last."""
    c = t.checks.c
    at = sa.type_coerce(c.as_of, sa.BigInteger)
    for first in range(0, len(times), _AT_ONCE):
        query = sa.select(at, c.id).where(c.stream == stream, at.in_(times[first : first + _AT_ONCE]))
        yield from ((row[0], row[1]) for row in connection.execute(query.order_by(c.made_at)))


def _interval(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)
