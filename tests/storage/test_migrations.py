"""The schema: made by migrations alone, and the same as the tables that the code speaks of."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import trueup.storage.alert_tables
import trueup.storage.erasure.erasure_tables
import trueup.storage.sources.source_tables
import trueup.storage.trainers.trainer_tables  # noqa: F401 - as above
from trueup.storage.database import HEAD, Database, open_database
from trueup.storage.errors import ConfigError, StoreUnusable
from trueup.storage.tables import metadata


def test_the_migrations_make_the_tables(database: Database) -> None:
    """What the migrations leave behind differs in nothing from trueup.storage.tables, on both databases."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_the_newest_migration_is_the_head() -> None:
    """HEAD in trueup.storage.database names the newest file, or an old store would be taken for a current one."""
    files = sorted((Path(__file__).parents[2] / "storage" / "migrations" / "versions").glob("[0-9]*.py"))
    assert files[-1].name.startswith(f"{HEAD}_")


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """A store is migrated once."""
    for _ in range(2):
        database = open_database("", tmp_path)
        with database.read() as connection:
            assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == HEAD
        database.close()


def test_several_machines_may_be_first_at_once(empty_postgres: str, tmp_path: Path) -> None:
    """Each with a home of its own, on a database that nobody has used: one makes the tables, the others wait for it."""
    ready = threading.Barrier(4)

    def first(number: int) -> str:
        home = tmp_path / str(number)
        home.mkdir()
        ready.wait(30)
        database = open_database(empty_postgres, home)
        with database.read() as connection:
            found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
        database.close()
        return str(found)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(first, range(4))) == [HEAD] * 4


def test_a_store_of_a_newer_trueup_is_left_alone(tmp_path: Path) -> None:
    """An unknown schema version is refused with what to do, and stays as it was."""
    database = open_database("", tmp_path)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(StoreUnusable, match="newer trueup"):
        open_database("", tmp_path)


def test_sqlite_is_opened_safely(tmp_path: Path) -> None:
    """WAL, foreign keys and a busy timeout are on for every connection."""
    database = open_database("", tmp_path)
    with database.read() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {p}").scalar() for p in ("journal_mode", "foreign_keys")]
        timeout = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
    database.close()
    assert found == ["wal", 1]
    assert timeout >= 10_000


@pytest.mark.parametrize(("before", "after"), [(None, 8_192), (4_096, 4_096)])
def test_a_store_keeps_the_pages_that_it_was_made_with(tmp_path: Path, before: int | None, after: int) -> None:
    """One that is made now has larger ones than SQLite's own."""
    if before:
        with closing(sqlite3.connect(tmp_path / "trueup.db")) as made:
            made.executescript(f"PRAGMA page_size = {before}; CREATE TABLE one (a)")
    database = open_database("", tmp_path)
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA page_size").scalar() == after
    database.close()


def test_other_databases_are_refused(tmp_path: Path) -> None:
    """A URL of another database is a wrong setting, said in one line."""
    with pytest.raises(ConfigError, match="SQLite or PostgreSQL"):
        open_database("mysql://h/d", tmp_path)
