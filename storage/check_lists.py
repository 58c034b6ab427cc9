"""Checks as people look them up: a list by filters, one by its id, and how a signal went lately."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.id_lookup import ids_beginning
from trueup.storage.signal_rows import SignalRow

_AT_ONCE = 1_000  # checks that are asked for together: each is a parameter of the query


@dataclass(frozen=True, kw_only=True)
class CheckFilter:
    """Which checks are meant; what is left out asks for nothing.

    report_id: the only one. since ≤ time < until: of the time that a check speaks of. verdict: "breached": some signal
    is; "ok": none is, and some was judged; "insufficient": none could be judged. code: with a verdict, that this signal
    has it; without, that it breached.
    """

    report_id: str | None = None
    stream: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    verdict: str | None = None
    code: str | None = None

    def where(self) -> Iterator[Any]:
        """The filter as conditions of SQL."""
        c = t.checks.c
        if self.report_id is not None:
            yield c.id == self.report_id
        if self.stream is not None:
            yield c.stream == self.stream
        if self.since is not None:
            yield c.as_of >= self.since
        if self.until is not None:
            yield c.as_of < self.until
        if self.code is not None:
            yield _has(self.code, self.verdict or "breached")
        elif self.verdict is not None:
            yield c.verdict == self.verdict


@dataclass(frozen=True, kw_only=True)
class SignalFilter:
    """Which signals are meant: of a stream, of one code, and of checks since a time that they speak of."""

    stream: str
    code: str | None = None
    since: datetime | None = None

    def where(self) -> Iterator[Any]:
        """The filter as conditions of SQL."""
        yield from CheckFilter(stream=self.stream, since=self.since).where()
        if self.code is not None:
            yield t.signals.c.code == self.code


@dataclass(frozen=True)
class ListedCheck:
    """A check as a list shows it. verdict: breached, ok, insufficient. breached: codes, in the alphabet's order."""

    report_id: str
    stream: str
    as_of: datetime
    made_at: datetime
    version: int
    counted: bool
    verdict: str
    breached: tuple[str, ...]


@dataclass(frozen=True)
class CheckTime:
    """When a check speaks of, and when it was made; all of it stands in the index of lists."""

    report_id: str
    as_of: datetime
    made_at: datetime
    version: int
    counted: bool


@dataclass(frozen=True)
class KeptDocument:
    """A check with all that it found. cycle_id: None, where a person asked for it."""

    report_id: str
    as_of: datetime
    version: int
    cycle_id: str | None
    document: dict[str, Any]


@dataclass(frozen=True)
class PastValue:
    """A signal at one time; effect: the size of the change, for a metric the drop."""

    as_of: datetime
    value: float | None
    effect: float | None
    verdict: str


class CheckLists:
    """Looks checks up in the store; changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, asked: CheckFilter, limit: int | None) -> tuple[list[ListedCheck], int]:
        """The newest `limit` checks, and how many there are; no check's document is read."""
        c, where = t.checks.c, list(asked.where())
        shown = (c.id, c.stream, c.as_of, c.made_at, c.version, c.counted, c.verdict)
        query = sa.select(*shown).where(*where).order_by(c.as_of.desc(), c.made_at.desc()).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            breached = self._breached(connection, [row.id for row in rows])
            full = limit is not None and len(rows) >= limit
            counting = sa.select(sa.func.count()).select_from(t.checks).where(*where)
            total = connection.execute(counting).scalar_one() if full else len(rows)
        found = [
            ListedCheck(row.id, row.stream, row.as_of, row.made_at, row.version, bool(row.counted),
                        row.verdict, tuple(breached.get(row.id, ())))
            for row in rows
        ]  # fmt: skip
        return found, total

    def times(self, stream: str, limit: int | None) -> list[CheckTime]:
        """The newest `limit` checks of a stream, newest first, from the index alone."""
        c = t.checks.c
        query = sa.select(c.id, c.as_of, c.made_at, c.version, c.counted).where(c.stream == stream)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(c.as_of.desc(), c.made_at.desc()).limit(limit))
            return [CheckTime(*row) for row in rows]

    def documents(self, stream: str, limit: int) -> list[KeptDocument]:
        """The newest `limit` checks of a stream with their documents, newest first."""
        c = t.checks.c
        query = sa.select(c.id, c.as_of, c.version, c.cycle_id, c.document).where(c.stream == stream)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(c.as_of.desc(), c.made_at.desc()).limit(limit))
            return [KeptDocument(*row) for row in rows]

    def signals_of(self, report_ids: Sequence[str]) -> dict[str, list[SignalRow]]:
        """The signals of these checks, by the id of the check."""
        found: dict[str, list[SignalRow]] = {report_id: [] for report_id in report_ids}
        for first in range(0, len(report_ids), _AT_ONCE):
            mine = t.checks.c.id.in_(report_ids[first : first + _AT_ONCE])
            with self._database.read() as connection:
                for signal in (SignalRow(*row) for row in connection.execute(_signal_rows().where(mine))):
                    found[signal.report_id].append(signal)
        return found

    def _breached(self, connection: Connection, ids: list[str]) -> dict[str, list[str]]:
        """The codes that breached in each of these checks."""
        s, found = t.signals.c, defaultdict(list)
        for first in range(0, len(ids), _AT_ONCE):
            mine = s.check_id.in_(ids[first : first + _AT_ONCE])
            query = sa.select(s.check_id, s.code).where(s.verdict == "breached", mine).order_by(s.code)
            for check_id, code in connection.execute(query):
                found[check_id].append(code)
        return found

    def signals(self, asked: SignalFilter, limit: int | None) -> tuple[list[SignalRow], int]:
        """The signals of the newest checks, `limit` rows in all, newest check first; and how many there are."""
        c, s, where = t.checks.c, t.signals.c, list(asked.where())
        order = (c.as_of.desc(), c.made_at.desc(), c.id, s.code)
        query = _signal_rows().where(*where).order_by(*order).limit(limit)
        with self._database.read() as connection:
            found = [SignalRow(*row) for row in connection.execute(query)]
            if limit is None or len(found) < limit:
                return found, len(found)
            counting = sa.select(sa.func.count()).select_from(_joined()).where(*where)
            return found, connection.execute(counting).scalar_one()

    def beginning(self, typed: str, stream: str | None = None) -> list[str]:
        """The ids that begin so."""
        mine = [] if stream is None else [t.checks.c.stream == stream]
        return ids_beginning(self._database, t.checks.c.id, typed, *mine)

    def newest(self, stream: str) -> tuple[str, datetime] | None:
        """The id of a stream's newest check, and the time that it speaks of."""
        c = t.checks.c
        query = sa.select(c.id, c.as_of).where(c.stream == stream).order_by(c.as_of.desc(), c.made_at.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.id, row.as_of)

    def verdicts(self, check_id: str) -> dict[str, int]:
        """How many signals of a check have each verdict."""
        s = t.signals.c
        query = sa.select(s.verdict, sa.func.count()).where(s.check_id == check_id).group_by(s.verdict)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def past_values(self, stream: str, code: str, limit: int) -> list[PastValue]:
        """A signal in the newest `limit` checks that judged it, newest first."""
        c, s = t.checks.c, t.signals.c
        query = (
            sa.select(c.as_of, s.value, s.effect, s.verdict)
            .join_from(t.checks, t.signals, s.check_id == c.id)
            .where(c.stream == stream, s.code == code, s.verdict != "insufficient", s.value.is_not(None))
            .order_by(c.as_of.desc(), c.made_at.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return [PastValue(row.as_of, row.value, row.effect, row.verdict) for row in connection.execute(query)]


def _joined() -> Any:
    """Each signal with its check."""
    return sa.join(t.checks, t.signals, t.signals.c.check_id == t.checks.c.id)


def _signal_rows() -> sa.Select[Any]:
    """Every signal with what a row says of its check, in the order of `SignalRow`."""
    c, s = t.checks.c, t.signals.c
    of_check = {n: c[n] for n in ("stream", "as_of", "counted")} | {"report_id": c.id, "champion": c.version}
    columns = [of_check[name] if name in of_check else s[name] for name in SignalRow.names()]
    return sa.select(*columns).select_from(_joined())


def _has(code: str, verdict: str) -> Any:
    """A check's signal of this code has this verdict."""
    s = t.signals.c
    return sa.exists().where(s.check_id == t.checks.c.id, s.code == code, s.verdict == verdict)
