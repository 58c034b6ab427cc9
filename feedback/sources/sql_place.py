"""A database that a source reads: one read-only transaction a statement, ended when it takes too long."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine, make_url

from trueup.feedback.sources.postgres_times import times_as_text_if_need_be
from trueup.storage.driver_errors import hide_values, said_by_driver
from trueup.storage.errors import SourceFailed
from trueup.storage.locations import DUCKDB, with_driver
from trueup.storage.secrets import without_secrets

if TYPE_CHECKING:
    import pyarrow as pa

_ASKED_EVERY = 10_000  # steps of SQLite's machine between two looks at the clock
_PATIENCE = 20.0  # seconds that a DuckDB file may be held by whoever fills it
_BREATH = 0.2
_COLON = re.compile(r"(?<![:\w\\]):(?=\w)")  # what SQLAlchemy would take for a value
# what a query is made of: quoted and commented parts, in which a semicolon ends nothing, and single signs
_PARTS = re.compile(r"""'[^']*'|"[^"]*"|\$(\w*)\$.*?\$\1\$|(?P<beside>--[^\n]*|/\*.*?\*/|\s+)|.""", re.DOTALL)
_CONNECT = 15  # seconds for a server to answer
_HELD = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class SqlPlace:
    """Where statements are asked, each in a transaction of its own; nothing is held open between them.

    limit: of one statement. shown: the address without a password.
    """

    def __init__(self, url: str, password: str, limit: timedelta) -> None:
        made = make_url(with_driver(url))
        self.url: URL = made.set(password=password) if password else made
        self.limit = limit
        self.shown = without_secrets(make_url(url).render_as_string(hide_password=True))
        self.backend = made.get_backend_name()
        self._ask: Callable[[str, Mapping[str, Any]], pa.Table] = {
            "sqlite": self._ask_sqlite, DUCKDB: self._ask_duckdb,
        }.get(self.backend, self._ask_server)  # fmt: skip
        self._engine: Engine | None = None

    @property
    def file(self) -> Path | None:
        """The file of SQLite or DuckDB; None: a server."""
        return Path(self.url.database or "") if self.backend in ("sqlite", DUCKDB) else None

    def query(self, written: str) -> str:
        """A person's query as a table of a statement, in which its columns are those of `s`."""
        said = _without_end(written)
        return f"({said if self.file else _COLON.sub(chr(92) + ':', said)}\n) s"

    def ask(self, statement: str, values: Mapping[str, Any]) -> pa.Table:
        """The rows that a statement gives.

        Raises:
            SourceFailed: the database cannot be reached, refuses the statement, or takes too long.
        """
        try:
            return self._ask(statement, values)
        except SourceFailed:
            raise
        except Exception as error:  # of whichever driver
            own = getattr(error, "orig", None) or error
            said = " ".join(said_by_driver(own).split())
            own.args = (said,)  # whoever shows what it was raised from shows no row either
            todo = (
                "See that it answers, that the login is right, and that `query`, `cursor` and `id` name what is there."
            )
            raise self._failed(said.rstrip(".?"), todo) from error

    def close(self) -> None:
        """Let go of the server."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _ask_sqlite(self, statement: str, values: Mapping[str, Any]) -> pa.Table:
        file = self.file
        assert file is not None
        if not file.is_file():
            raise self._failed("there is no such file", "Make it, mount it, or correct `sql`.")
        ends = time.monotonic() + self.limit.total_seconds()
        address = f"file:{quote(str(file))}?mode=ro"
        opened = closing(sqlite3.connect(address, uri=True, timeout=self.limit.total_seconds()))
        # a cursor that is left open keeps its connection, and so the lock that the exporter waits for
        with opened as connection, closing(connection.cursor()) as cursor:
            connection.text_factory = _text
            connection.set_progress_handler(lambda: int(time.monotonic() > ends), _ASKED_EVERY)
            try:
                cursor.execute(statement, values)
                return arrow_rows([column[0] for column in cursor.description], cursor.fetchall())
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF in _HELD:
                    why = f"another program has been writing to it for longer than time_limit ({self._limit})"
                    raise self._failed(why, "Let that program commit sooner, or raise time_limit.") from error
                raise (self._too_long() if time.monotonic() > ends else error) from error

    def _ask_duckdb(self, statement: str, values: Mapping[str, Any]) -> pa.Table:
        import duckdb

        # what is not there is not fetched from the network; a query reads no SQLite file by a library of its own
        config: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        ends = time.monotonic() + _PATIENCE
        while True:
            try:
                connection = duckdb.connect(str(self.file), read_only=True, config=config)
                break
            except (duckdb.IOException, duckdb.ConnectionException) as error:
                held = "lock" in str(error) or "different configuration" in str(error)
                if not held:
                    raise
                if time.monotonic() > ends:
                    why = f"another program has held it open for longer than {_PATIENCE:g} s"
                    raise self._failed(why, "Let that program close it after each export.") from error
                time.sleep(_BREATH)
        stop = Timer(self.limit.total_seconds(), connection.interrupt)
        stop.daemon = True
        stop.start()
        try:
            used = {name: value for name, value in values.items() if f"${name}" in statement}
            return connection.sql(statement, params=used).to_arrow_table()
        except duckdb.InterruptException as error:
            raise self._too_long() from error
        finally:
            stop.cancel()
            connection.close()

    def _ask_server(self, statement: str, values: Mapping[str, Any]) -> pa.Table:
        engine = self._engine = self._engine or self._connected()
        with engine.connect() as connection:
            if self.backend == "postgresql":
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")
                connection.exec_driver_sql("SET LOCAL datestyle = ISO")  # a role's own may be one that no driver reads
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = {self._milliseconds}")
            streamed = connection.execution_options(stream_results=True)
            try:
                result = streamed.execute(sa.text(statement), values)
                return arrow_rows(list(result.keys()), result.all())
            except sa.exc.DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) == "57014":
                    raise self._too_long() from error
                raise
            finally:
                connection.rollback()

    @property
    def _milliseconds(self) -> int:
        return max(int(self.limit.total_seconds() * 1000), 1)

    def _connected(self) -> Engine:
        own: dict[str, Any] = {}
        if self.backend == "postgresql":
            # no prepared statements, since a pooler between may give each transaction another server process
            own = {"connect_timeout": _CONNECT, "prepare_threshold": None, "application_name": "trueup source"}
            own = {key: value for key, value in own.items() if key not in self.url.query}
        engine = sa.create_engine(self.url, hide_parameters=True, pool_size=1, pool_pre_ping=True, connect_args=own)
        hide_values(engine)
        if self.backend == "postgresql":
            sa.event.listen(engine, "connect", lambda made, _: times_as_text_if_need_be(made))
        return engine

    @property
    def _limit(self) -> str:
        return f"{self.limit.total_seconds():g} s"

    def _too_long(self) -> SourceFailed:
        why = f"a statement took longer than time_limit ({self._limit})"
        return self._failed(why, "An index on cursor and id makes each page quick.")

    def _failed(self, why: str, todo: str) -> SourceFailed:
        return SourceFailed(
            f"{self.shown} cannot be read: {why}. What was taken in before is kept, and the next pull goes on where "
            f"this one stopped. {todo}"
        )


def _without_end(query: str) -> str:
    """A query without the semicolons that end it, and what is said after them."""
    end = len(query)
    for part in reversed([part for part in _PARTS.finditer(query) if part["beside"] is None]):
        if part.group() != ";":
            break
        end = part.start()
    return query[:end].strip()


def arrow_rows(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Rows of a driver as columns; a column of several types as text, the same text for a value on every page."""
    import pyarrow as pa

    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return pa.Table.from_arrays([_column([_plain(v) for v in column]) for column in columns], names=list(names))


def _text(raw: bytes) -> str:
    """A text of SQLite, which takes any bytes for one; what is not UTF-8 becomes the sign for it."""
    return raw.decode("utf-8", "replace")


def _column(values: list[Any]) -> pa.Array:
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if len(kinds) > 1:
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    if kinds <= {int}:
        try:
            return pa.array(values, pa.int64())
        except (OverflowError, pa.ArrowInvalid):
            return pa.array([None if value is None else str(value) for value in values], pa.string())
    return pa.array(values)


def _plain(value: Any) -> Any:
    """A value as Arrow takes it, and as a file would hold it."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value
    if isinstance(value, date):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return str(value)
