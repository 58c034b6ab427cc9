"""Rows of a query, page by page: each page and how far it reached are durable together.

Commit order is not the order of the cursor, so each pull begins before the last cursor (`look_back`) and ends before
the source's clock (`settle`); the store knows what it has. Pages within a pull go on by cursor and id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from trueup.feedback.readers import NamedRows
from trueup.feedback.sources.pulling import Pulled, Take
from trueup.feedback.sources.sql_dialects import SqlDialect, dialect_of
from trueup.feedback.sources.sql_place import SqlPlace
from trueup.storage.errors import ConfigError, InputError, SourceFailed
from trueup.storage.formatting import counted_noun
from trueup.storage.incoming import Appended
from trueup.storage.sources.source_marks import CursorMark, SourceMarks

if TYPE_CHECKING:
    import pyarrow as pa

SQL_PAGE = 20_000  # rows of one statement and one transaction
BACK_SPAN = timedelta(hours=1)
BACK_ROWS = 10_000
_OWN = "trueup_"  # begins the names of the columns beside a person's
_CURSOR, _ID = f"{_OWN}cursor", f"{_OWN}id"
_BESIDE = {_CURSOR, f"{_CURSOR}_kind", _ID, f"{_ID}_kind", f"{_OWN}newer"}

Position = tuple[CursorMark, CursorMark | None]


@dataclass(frozen=True)
class AskedRows:
    """What is asked: a query, its growing column, and the one that tells rows of the same cursor apart (or none)."""

    query: str
    cursor: str
    id: str = ""


@dataclass(frozen=True)
class _Page:
    table: pa.Table
    last: Position
    newer: bool  # whether its last cursor is not before the mark
    more: bool


class SqlSource:
    """A query of one database.

    look_back: how far before the last cursor a pull begins: a span, or rows; None: an hour where the cursor is a time,
    else 10,000 rows. settle: how old a row must be by the source's clock. days: id and day of all that a page holds.
    time_column: the event time, where one column holds it. guard: raises ConfigError where the place must not be read.
    """

    def __init__(
        self,
        place: SqlPlace,
        asked: AskedRows,
        marks: SourceMarks,
        *,
        look_back: timedelta | int | None,
        settle: timedelta,
        days: Callable[[NamedRows], Iterable[tuple[str, date]]],
        time_column: str = "",
        guard: Callable[[SqlPlace], None] = lambda place: None,
        page: int = SQL_PAGE,
    ) -> None:
        self._place, self._asked, self._marks = place, asked, marks
        self._back, self._settle, self._days, self._time, self._rows = look_back, settle, days, time_column, page
        self._guard = guard
        self._sql: SqlDialect = dialect_of(place.backend)
        self._from = place.query(asked.query)

    def pull(self, take: Take, *, now: datetime, enough: Callable[[], bool] = lambda: False) -> Pulled:
        """As `StreamSource.pull`. A kill loses nothing: the page that was under way is read again."""
        mark, rows = self._marks.newest(), Appended()
        try:
            self._guard(self._place)
            problems = self._lacking()
            for page in self._pages(self._begin(mark), mark):
                if page.newer or mark is None:
                    mark = page.last[0]
                rows += self._taken(take, page.table, partial(self._marks.keep, mark=mark, now=now))
                if page.more and enough():
                    return Pulled(rows, problems=problems, unfinished=True)
        finally:
            self._place.close()
        return Pulled(rows, problems=problems)

    def reach(self) -> str:
        """As `StreamSource.reach`."""
        try:
            self._guard(self._place)
            shape = self._place.ask(f"SELECT {self._columns()} FROM {self._from} {self._sql.limited(1)}", {})
        finally:
            self._place.close()
        found = "answers" if shape.num_rows else "answers, without a row"
        mark = self._marks.newest()
        read = f", read up to {self._asked.cursor} = {mark.value}" if mark else ", not read yet"
        promises = f"; {self._sql.promises}" if self._sql.promises else ""
        return f"{self._place.shown} {found}{read}{promises}"

    def problems(self) -> tuple[str, ...]:
        """As `StreamSource.problems`."""
        try:
            self._guard(self._place)
            return self._lacking()
        finally:
            self._place.close()

    def rows_by_day(self, since: date) -> Mapping[date, int]:
        """As `StreamSource.rows_by_day`: of the rows that a pull from the beginning would take."""
        days: dict[str, date] = {}
        try:
            self._guard(self._place)
            for page in self._pages(None, None, since):
                days.update(self._days(NamedRows(page.table, self._place.shown)))
        except InputError as error:
            raise self._unfit(error) from None
        finally:
            self._place.close()
        counts: dict[date, int] = {}
        for day in days.values():
            if day >= since:
                counts[day] = counts.get(day, 0) + 1
        return counts

    def _taken(self, take: Take, table: pa.Table, also: Callable[[Connection], None]) -> Appended:
        try:
            return take(table, name=self._place.shown, also=also)
        except InputError as error:
            raise self._unfit(error) from None

    def _unfit(self, error: InputError) -> SourceFailed:
        said = str(error).removeprefix(f"{self._place.shown}: ")
        return SourceFailed(f"The query of {self._place.shown}: {said} Correct `query`, or the stream's settings.")

    def _columns(self) -> str:
        named = [(_CURSOR, self._asked.cursor), *([(_ID, self._asked.id)] if self._asked.id else [])]
        said = [f"{self._sql.text(name, '')} AS {own}, {self._sql.kind(name)} AS {own}_kind" for own, name in named]
        return ", ".join(("s.*", *said))

    def _lacking(self) -> tuple[str, ...]:
        """Rows that never come in, since they have no cursor or no id."""
        none = " OR ".join(f"{self._sql.quoted(n)} IS NULL" for n in (self._asked.cursor, self._asked.id) if n)
        found = self._first(f"SELECT count(*) AS m FROM {self._from} WHERE {none}", {})
        if not found:
            return ()
        named = f"{self._asked.cursor} or {self._asked.id}" if self._asked.id else self._asked.cursor
        return (f"{counted_noun(found, 'row')} of {self._place.shown} left out: without a value in {named}",)

    def _begin(self, mark: CursorMark | None) -> CursorMark | None:
        """The first cursor that is read again; None: from the beginning."""
        if mark is None:
            return None
        timed = self._sql.is_time(mark)
        back = self._back if self._back is not None else BACK_SPAN if timed else BACK_ROWS
        if isinstance(back, timedelta):
            if not timed:
                raise ConfigError(
                    f"look_back is a span of time, and {self._asked.cursor} is no time that {self._place.backend} "
                    "takes one from; write a number of rows, as in look_back = 10000. Nothing was taken in."
                )
            statement = self._sql.earlier(self._from, self._asked.cursor, mark, back)
        else:
            column = self._sql.ordered(self._sql.quoted(self._asked.cursor), mark.kind)
            statement = (
                f"SELECT {self._sql.text(self._asked.cursor, mark.kind)} AS m, "
                f"{self._sql.kind(self._asked.cursor)} AS k FROM {self._from} "
                f"WHERE {column} <= {self._sql.bound('mark', mark.kind)} ORDER BY {column} DESC "
                f"{self._sql.limited(1, back)}"
            )
        found = self._place.ask(statement, {"mark": self._sql.value(mark)})
        if not found.num_rows or found["m"][0].as_py() is None:
            return None
        kind = found["k"][0].as_py() if "k" in found.column_names else mark.kind
        return self._sql.mark(found["m"][0].as_py(), kind)

    def _pages(self, begin: CursorMark | None, mark: CursorMark | None, since: date | None = None) -> Iterator[_Page]:
        """The pages of one pull, in the order of cursor and id."""
        shape = self._place.ask(f"SELECT {self._columns()} FROM {self._from} {self._sql.limited(1)}", {})
        if not shape.num_rows:
            return
        kinds = {
            name: shape[f"{name}_kind"][0].as_py() for name in (_CURSOR, _ID) if f"{name}_kind" in shape.column_names
        }
        until = self._until()
        at: Position | None = None
        while True:
            page = self._page(at, begin, mark, until, kinds, since)
            if page is None:
                return
            yield page
            if not page.more:
                return
            at = page.last

    def _until(self) -> Any:
        """The end of the pull by the source's clock; None where its cursor is no time."""
        cursor = self._asked.cursor
        columns = f"{self._sql.text(cursor, '')} AS m, {self._sql.kind(cursor)} AS k"
        where = f"WHERE {self._sql.quoted(cursor)} IS NOT NULL"
        found = self._place.ask(f"SELECT {columns} FROM {self._from} {where} {self._sql.limited(1)}", {})
        if not found.num_rows:
            return None
        one = self._sql.mark(found["m"][0].as_py(), found["k"][0].as_py())
        return self._first(self._sql.until(one, self._settle), {}) if self._sql.is_time(one) else None

    def _page(
        self,
        at: Position | None,
        begin: CursorMark | None,
        mark: CursorMark | None,
        until: Any,
        kinds: Mapping[str, str | None],
        since: date | None,
    ) -> _Page | None:
        sql, values = self._sql, dict[str, Any]()

        def bound(name: str, value: CursorMark) -> str:
            values[name] = sql.value(value)
            return sql.bound(name, value.kind)

        cursor_kind, id_kind = str(kinds[_CURSOR]), str(kinds.get(_ID))
        cursor = sql.ordered(sql.quoted(self._asked.cursor), cursor_kind)
        key = sql.ordered(sql.quoted(self._asked.id), id_kind) if self._asked.id else ""
        where = [f"{sql.quoted(name)} IS NOT NULL" for name in (self._asked.cursor, self._asked.id) if name]
        if until is not None:
            values["until"] = until
            where.append(sql.within(self._asked.cursor, cursor_kind))
        if at is None and begin is not None:
            where.append(f"{cursor} >= {bound('begin', begin)}")
        if at is not None:
            last = bound("at", at[0])
            tied = f" OR ({cursor} = {last} AND {key} > {bound('at_id', at[1])})" if at[1] else ""
            where.append(f"({cursor} > {last}{tied})")
        newer = f"CASE WHEN {cursor} >= {bound('mark', mark)} THEN 1 ELSE 0 END" if mark else "1"
        if since and self._time and (day := self._since(since)):
            where.append(day)
        found = self._place.ask(
            f"SELECT {self._columns()}, {newer} AS {_OWN}newer FROM {self._from} WHERE {' AND '.join(where)} "
            f"ORDER BY {', '.join(filter(None, (cursor, key)))} {sql.limited(self._rows + 1)}",
            values,
        )
        return self._cut(found) if found.num_rows else None

    def _since(self, day: date) -> str:
        kind = self._place.ask(
            f"SELECT {self._sql.kind(self._time)} AS k FROM {self._from} {self._sql.limited(1)}", {}
        )["k"][0].as_py()
        return self._sql.since(self._time, str(kind), day)

    def _cut(self, found: pa.Table) -> _Page:
        """A page without its last rows where more of the same cursor and id may follow, which would be passed over."""
        more, rows = found.num_rows > self._rows, found.num_rows
        if more:
            following = self._position(found, rows - 1)
            rows -= 1
            while rows and self._position(found, rows - 1) == following:
                rows -= 1
            if not rows:
                named = f"{self._asked.cursor} and {self._asked.id}" if self._asked.id else self._asked.cursor
                raise SourceFailed(
                    f"{self._place.shown}: more than {self._rows:,} rows have the same {named}, so their order is not "
                    "known. Name a column that tells them apart as `id`."
                )
        own = [name for name in found.column_names if name in _BESIDE]
        newer = bool(found[f"{_OWN}newer"][rows - 1].as_py())
        return _Page(found.slice(0, rows).drop_columns(own), self._position(found, rows - 1), newer, more)

    def _position(self, found: pa.Table, row: int) -> Position:
        def mark(name: str) -> CursorMark:
            return self._sql.mark(found[name][row].as_py(), found[f"{name}_kind"][row].as_py())

        return mark(_CURSOR), mark(_ID) if self._asked.id else None

    def _first(self, statement: str, values: Mapping[str, Any]) -> Any:
        return self._place.ask(statement, values)["m"][0].as_py()
