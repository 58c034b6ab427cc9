"""The store's database: SQLite in the home folder or PostgreSQL by URL, migrated when opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from trueup.storage.driver_errors import hide_values
from trueup.storage.errors import ConfigError, StoreUnusable
from trueup.storage.locations import with_driver

HEAD = "0024"  # the newest migration; a test holds it against the files
_MIGRATIONS = Path(__file__).parent / "migrations"
# Of each connection to SQLite. page_size: bytes, of a database that is made now: rows go in faster than with 4,096, and
# a row changed alone writes less than with more. cache_size: kibibytes, negative; keys of random ids touch pages all
# over an index.
PRAGMAS = {
    "page_size": 8_192,
    "journal_mode": "WAL",
    "foreign_keys": "ON",
    "busy_timeout": 30_000,
    "synchronous": "FULL",
    "secure_delete": "ON",
    "cache_size": -65_536,
}
_SCANNING = -4_096  # kibibytes of pages while a table is read through, none of which is needed twice
_MIGRATING = 8_387_230_112  # names the advisory lock; any number that no other program takes


class Database:
    """Short transactions over one engine. A writer holds SQLite's write lock from its first statement.

    ask: called before each write; what it raises, the write raises.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.ask: Callable[[], None] = lambda: None
        self._also: Callable[[Connection], None] = lambda connection: None

    def also_writing(self, also: Callable[[Connection], None]) -> Database:
        """The same database, each of whose transactions that write ends with `also` in it."""
        other = Database(self.engine)
        other.ask, other._also = self.ask, also
        return other

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A read whose statements all see one state of the store, as those of SQLite's `read` do anyhow."""
        options = {"isolation_level": "REPEATABLE READ"} if self.engine.dialect.name == "postgresql" else {}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def scan(self) -> Iterator[Connection]:
        """A `snapshot` that reads through much of a table, once: SQLite keeps few of the pages in memory."""
        with self.snapshot() as connection:
            if connection.dialect.name != "sqlite":
                yield connection
                return
            connection.exec_driver_sql(f"PRAGMA cache_size = {_SCANNING}")
            try:
                yield connection
            finally:
                connection.exec_driver_sql(f"PRAGMA cache_size = {PRAGMAS['cache_size']}")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it is durable when the block ends, none of it if the block raises."""
        self.ask()
        with self.write_unasked() as connection:
            yield connection

    @contextmanager
    def write_unasked(self) -> Iterator[Connection]:
        """The same for what has to be written before it is known whether this deployment may write."""
        with self.engine.connect().execution_options(trueup_write=True) as connection, connection.begin():
            yield connection
            self._also(connection)

    def insert_new(self, connection: Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows, leaving out those whose key stands there already."""
        if not rows:
            return
        if connection.dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import insert
        else:
            from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
        connection.execute(insert(table).on_conflict_do_nothing(), rows)

    def close(self) -> None:
        self.engine.dispose()


def open_database(url: str, home: Path) -> Database:
    """The database at `url` (empty: SQLite in `home`), brought to the newest schema.

    Raises:
        ConfigError: the URL names neither SQLite nor PostgreSQL.
        StoreUnusable: it cannot be opened, or was written by a newer trueup.
    """
    url = with_driver(url or f"sqlite:///{home / 'trueup.db'}")
    if not url.startswith(("sqlite:", "postgresql+psycopg:")):
        raise ConfigError(
            f"[store] url begins with '{url.split(':')[0]}:'. The store runs on SQLite or PostgreSQL; leave url empty, "
            "or write postgresql://user@host/database."
        )
    engine = sa.create_engine(url, pool_pre_ping=url.startswith("postgresql"), hide_parameters=True)
    hide_values(engine)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _sqlite_pragmas)
        sa.event.listen(engine, "begin", _sqlite_begin)
    database = Database(engine)
    try:
        _migrate(database, home)
    except sa.exc.DatabaseError as error:
        database.close()
        raise StoreUnusable(
            f"The store cannot be opened: {' '.join(str(error.orig).split())}. Nothing was read or written. See that "
            f"{engine.url.render_as_string()} can be reached; if the file is damaged, restore it from its backup, with "
            "the archive of the same time."
        ) from error
    return database


def _sqlite_pragmas(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _sqlite_begin
    for pragma, value in PRAGMAS.items():
        connection.execute(f"PRAGMA {pragma} = {value}")


def _sqlite_begin(connection: Connection) -> None:
    # A transaction that reads first and writes later cannot wait for another writer: it fails at once. So say it early.
    immediate = connection.get_execution_options().get("trueup_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _revision(database: Database) -> str | None:
    with database.read() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(database: Database, home: Path) -> None:
    if _up_to_date(database):
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with _alone(database, home):
        if not _up_to_date(database):  # somebody else may have been first
            config.attributes["engine"] = database.engine
            command.upgrade(config, "head")


def _up_to_date(database: Database) -> bool:
    found = _revision(database)
    if found not in (None, HEAD) and not list((_MIGRATIONS / "versions").glob(f"{found}_*.py")):
        raise StoreUnusable(
            f"The store's schema is {found}, which this trueup (schema {HEAD}) does not know: a newer trueup wrote it. "
            "Nothing was touched. Install that version again."
        )
    return found == HEAD


@contextmanager
def _alone(database: Database, home: Path) -> Iterator[None]:
    """Keep others from migrating meanwhile: on this machine by a file, on PostgreSQL by a lock in the database."""
    if database.engine.dialect.name == "sqlite":
        from filelock import FileLock

        with FileLock(home / "migrate.lock"):
            yield
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.select(sa.func.pg_advisory_lock(_MIGRATING)))
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(_MIGRATING)))
