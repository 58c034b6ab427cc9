"""How each database writes what a source asks of it: types, one order, its clock. All comparing happens there."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from trueup.storage.errors import SourceFailed
from trueup.storage.sources.source_marks import CursorMark

_TYPE = re.compile(r"[A-Za-z_][\w .]*(\(\d+(, ?\d+)?\))?[\w ]*")


class SqlDialect:
    """What SQLAlchemy reaches and is not named below: values go back to it as its driver gave them.

    promises: what cannot be promised of the database, for a person; empty where all can.
    """

    promises = (
        "trueup cannot make this database refuse writing or end what takes too long, and does not use its clock: give "
        "an account that may only read, with a time limit of its own, and look_back as a number of rows"
    )

    def quoted(self, name: str) -> str:
        """A column of the query, as an expression."""
        return f's."{name.replace(chr(34), chr(34) * 2)}"'

    def param(self, name: str) -> str:
        """The place of a value."""
        return f":{name}"

    def kind(self, name: str) -> str:
        """The type of a column, as an expression; NULL: as the driver shows it."""
        return "NULL"

    def text(self, name: str, kind: str) -> str:
        """A column as it is kept in a mark."""
        return self.quoted(name)

    def ordered(self, expression: str, kind: str) -> str:
        """An expression in the one order that everything is compared by."""
        return expression

    def bound(self, name: str, kind: str) -> str:
        """A mark that is given as the value `name`, as an expression in that order."""
        return self.param(name)

    def mark(self, value: Any, kind: str | None) -> CursorMark:
        """What is kept of a value."""
        if isinstance(value, str | int | float | Decimal):
            return CursorMark(str(value), type(value).__name__)
        if isinstance(value, date):
            return CursorMark(value.isoformat(), type(value).__name__)
        raise SourceFailed(
            f"The cursor or id of the query is a {type(value).__name__}, which cannot be kept; cast it to a text, a "
            "number or a time in the query."
        )

    def value(self, mark: CursorMark) -> Any:
        """What a mark is given back as."""
        read: dict[str, Any] = {
            "int": int, "float": float, "Decimal": Decimal, "datetime": datetime.fromisoformat,
            "date": date.fromisoformat, "str": str,
        }  # fmt: skip
        return read[mark.kind](mark.value)

    def is_time(self, mark: CursorMark) -> bool:
        """Whether a value is a time that a span can be taken from there."""
        return False

    def earlier(self, query: str, name: str, mark: CursorMark, back: timedelta) -> str:
        """The statement that gives where a pull begins which goes a span back from the value `mark`."""
        return ""

    def until(self, mark: CursorMark, settle: timedelta) -> str:
        """The statement that gives the source's clock less `settle`, as it is kept in a mark."""
        return ""

    def within(self, name: str, kind: str) -> str:
        """The condition that a column is not later than the value `until`."""
        return f"{self.ordered(self.quoted(name), kind)} <= {self.bound('until', kind)}"

    def since(self, name: str, kind: str, day: date) -> str:
        """The condition that a column of times lies on a day or later; empty: it cannot be said in SQL."""
        return ""

    def limited(self, rows: int, after: int = 0) -> str:
        """The end of a statement that gives so many rows."""
        return f"LIMIT {rows} OFFSET {after}" if after else f"LIMIT {rows}"


class Fetching(SqlDialect):
    """Databases that write a limit as SQL:2008 does."""

    def limited(self, rows: int, after: int = 0) -> str:
        return f"OFFSET {after} ROWS FETCH NEXT {rows} ROWS ONLY"


class Backticks(SqlDialect):
    """MySQL and MariaDB."""

    def quoted(self, name: str) -> str:
        return f"s.`{name.replace('`', '``')}`"


class Typed(SqlDialect):
    """PostgreSQL: a mark is the text of a value, cast back to the type that the database named."""

    promises = ""
    times: tuple[str, ...] = ("date", "timestamp without time zone", "timestamp with time zone")
    texts: tuple[str, ...] = ("text", "character varying", "character", "name", "citext")
    as_text = "text"
    collation = '"C"'

    def kind(self, name: str) -> str:
        return f"CAST(pg_typeof({self.quoted(name)}) AS text)"

    def text(self, name: str, kind: str) -> str:
        return f"CAST({self.quoted(name)} AS {self.as_text})"

    def ordered(self, expression: str, kind: str) -> str:
        if kind in self.texts:
            return f"CAST({expression} AS {self.as_text}) COLLATE {self.collation}"
        return expression

    def bound(self, name: str, kind: str) -> str:
        return self.ordered(f"CAST({self.param(name)} AS {self.type(kind)})", kind)

    def type(self, kind: str) -> str:
        """A type's name in a statement."""
        if not _TYPE.fullmatch(kind):
            raise SourceFailed(f"The cursor or id of the query is of the type '{kind}'; cast it to a text or a number.")
        return kind

    def mark(self, value: Any, kind: str | None) -> CursorMark:
        return CursorMark(str(value), str(kind))

    def value(self, mark: CursorMark) -> Any:
        return mark.value

    def is_time(self, mark: CursorMark) -> bool:
        return mark.kind in self.times

    def earlier(self, query: str, name: str, mark: CursorMark, back: timedelta) -> str:
        cast = self.type(mark.kind)
        then = f"CAST({self.param('mark')} AS {cast}) - {_interval(back)}"
        return f"SELECT CAST(CAST({then} AS {cast}) AS {self.as_text}) AS m"

    def until(self, mark: CursorMark, settle: timedelta) -> str:
        return f"SELECT CAST(CAST(now() - {_interval(settle)} AS {self.type(mark.kind)}) AS {self.as_text}) AS m"

    def since(self, name: str, kind: str, day: date) -> str:
        # a day earlier, since the session's time zone is not that of the day
        return f"{self.quoted(name)} >= CAST('{day - timedelta(days=1)}' AS date)" if kind in self.times else ""


class DuckDialect(Typed):
    """DuckDB."""

    times = (
        "DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE",
    )  # fmt: skip
    texts = ("VARCHAR",)
    as_text = "VARCHAR"
    collation = "C"

    def param(self, name: str) -> str:
        return f"${name}"

    def kind(self, name: str) -> str:
        return f"typeof({self.quoted(name)})"


class SqliteDialect(SqlDialect):
    """SQLite, where a type belongs to a value, and times are texts as ISO 8601 writes them, in UTC without a zone."""

    promises = ""

    def kind(self, name: str) -> str:
        return f"typeof({self.quoted(name)})"

    def text(self, name: str, kind: str) -> str:
        column = self.quoted(name)
        return f"CASE typeof({column}) WHEN 'blob' THEN hex({column}) ELSE {column} END"

    def ordered(self, expression: str, kind: str) -> str:
        return f"{expression} COLLATE BINARY"

    def mark(self, value: Any, kind: str | None) -> CursorMark:
        return CursorMark(value if isinstance(value, str) else repr(value), str(kind))

    def value(self, mark: CursorMark) -> Any:
        read: dict[str, Any] = {"integer": int, "real": float, "text": str, "blob": bytes.fromhex}
        return read[mark.kind](mark.value)

    def is_time(self, mark: CursorMark) -> bool:
        return mark.kind == "text" and bool(re.match(r"\d{4}-\d\d-\d\d", mark.value))

    def earlier(self, query: str, name: str, mark: CursorMark, back: timedelta) -> str:
        # the first cursor of that time, so that what follows is compared as texts are
        column = self.quoted(name)
        then = f"{_seconds(column)} >= {_seconds(':mark')} - {back.total_seconds()}"
        return f"SELECT {column} AS m FROM {query} WHERE {then} ORDER BY {column} COLLATE BINARY LIMIT 1"

    def until(self, mark: CursorMark, settle: timedelta) -> str:
        return f"SELECT strftime('%s', 'now') - {settle.total_seconds()} AS m"

    def within(self, name: str, kind: str) -> str:
        column = self.quoted(name)
        return (
            f"NOT ({column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' "
            f"AND coalesce({_seconds(column)} > :until, 0))"
        )

    def since(self, name: str, kind: str, day: date) -> str:
        return f"{self.quoted(name)} >= '{day - timedelta(days=1)}'" if kind == "text" else ""


def dialect_of(backend: str) -> SqlDialect:
    """The dialect of a database by its name in SQLAlchemy's URLs."""
    return {
        "postgresql": Typed, "sqlite": SqliteDialect, "duckdb": DuckDialect, "mysql": Backticks, "mariadb": Backticks,
        "mssql": Fetching, "oracle": Fetching,
    }.get(backend, SqlDialect)()  # fmt: skip


def _seconds(expression: str) -> str:
    return f"CAST(strftime('%s', {expression}) AS integer)"


def _interval(span: timedelta) -> str:
    return f"INTERVAL '{span.total_seconds():.6f} seconds'"
