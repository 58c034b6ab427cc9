"""Queries as sources, on a real PostgreSQL, SQLite and DuckDB: nothing is missed, nothing is written, nothing hangs."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Connection

from trueup.feedback.sources.own_store import refuse_own_store
from trueup.feedback.sources.sql_place import SqlPlace
from trueup.feedback.sources.sql_source import AskedRows, SqlSource
from trueup.storage.database import Database, open_database
from trueup.storage.errors import ConfigError, SourceFailed
from trueup.storage.incoming import Appended
from trueup.storage.sources.source_marks import SourceMarks

NOW = datetime.now(UTC).replace(microsecond=0)
ASKED = AskedRows("SELECT * FROM reviews", "seen", "id")
_TYPES = {"postgresql": "timestamptz", "sqlite": "text", "duckdb": "timestamp_ns"}


@dataclass
class Warehouse:
    """A database of somebody else's that reviews lie in."""

    url: str
    kind: str

    def run(self, *statements: str) -> None:
        """Each statement, committed."""
        if self.kind == "sqlite":
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as connection, connection:
                for statement in statements:
                    connection.execute(statement)
        elif self.kind == "duckdb":
            import duckdb

            with duckdb.connect(self.url.removeprefix("duckdb:///")) as connection:
                for statement in statements:
                    connection.execute(statement)
        else:
            engine = sa.create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"))
            with engine.begin() as connection:
                for statement in statements:
                    connection.exec_driver_sql(statement)
            engine.dispose()

    def add(self, *rows: tuple[str, timedelta]) -> None:
        """Reviews, each with how long ago its cursor lies."""
        self.run(*(f"INSERT INTO reviews VALUES ('{id}', '{shown(NOW - ago)}', 'words of {id}')" for id, ago in rows))


def shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


@pytest.fixture(params=["postgresql", "sqlite", "duckdb"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    """A database with an empty table of reviews."""
    kind = str(request.param)
    url = f"{kind}:///{tmp_path}/reviews.{kind}"
    if kind == "postgresql":
        url = request.getfixturevalue("empty_postgres")
    made = Warehouse(url, kind)
    made.run(f"CREATE TABLE reviews (id text, seen {_TYPES[kind]}, content text)")
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    """The store, which the marks lie in."""
    home = tmp_path / "home"
    home.mkdir()
    opened = open_database("", home)
    yield opened
    opened.close()


@dataclass
class Kept:
    """Takes rows as intake does: each id once, the mark with the rows; `kill` before the page of that number."""

    store: Database
    ids: list[str] = field(default_factory=list)
    pages: int = 0
    kill: int = 0

    def __call__(self, rows: Any, *, name: str = "", also: Callable[[Connection], None] | None = None) -> Appended:
        self.pages += 1
        if self.pages == self.kill:
            raise KeyboardInterrupt
        new = [one for one in rows["id"].to_pylist() if one not in self.ids]
        with self.store.write() as connection:
            self.ids += new
            if also:
                also(connection)
        return Appended(accepted=len(new), duplicate=rows.num_rows - len(new))


def source(warehouse: Warehouse, store: Database, asked: AskedRows = ASKED, **own: Any) -> SqlSource:
    """The source of a warehouse, in pages of three rows."""
    place = SqlPlace(warehouse.url, "", own.pop("limit", timedelta(seconds=60)))
    marks = SourceMarks(store, "reviews", "records", "one query")
    given = {"look_back": timedelta(minutes=10), "settle": timedelta(seconds=30), "page": 3, **own}
    days = given.pop("days", lambda page: [])
    return SqlSource(place, asked, marks, days=days, **given)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_every_row_comes_in_once_in_pages(warehouse: Warehouse, store: Database) -> None:
    """Also where more rows share a cursor than a page has; a second pull reads again what look_back covers alone."""
    old = [(f"r{k}", minutes(90)) for k in range(8)]
    warehouse.add(("first", minutes(200)), *old, ("last", minutes(60)), ("X", minutes(60)), ("x", minutes(60)))
    kept = Kept(store)
    done = source(warehouse, store).pull(kept, now=NOW)
    assert done.rows.accepted == 12 == len(kept.ids)
    assert not done.problems
    assert kept.ids[0] == "first"
    again = source(warehouse, store).pull(kept, now=NOW)
    assert (again.rows.accepted, again.rows.duplicate) == (0, 3)


def test_a_row_that_is_committed_late_is_found_within_look_back(warehouse: Warehouse, store: Database) -> None:
    """Its cursor lies before the last one; beyond look_back it is not seen, which docs say."""
    warehouse.add(("a", minutes(60)), ("b", minutes(30)))
    kept = Kept(store)
    source(warehouse, store).pull(kept, now=NOW)
    warehouse.add(("late", minutes(35)), ("too late", minutes(50)))
    source(warehouse, store).pull(kept, now=NOW)
    assert kept.ids == ["a", "b", "late"]
    source(warehouse, store, look_back=3).pull(kept, now=NOW)
    assert "too late" in kept.ids


def test_a_row_waits_until_it_is_settled_and_none_of_the_future_moves_the_mark(
    warehouse: Warehouse, store: Database
) -> None:
    """A writer whose clock runs ahead would else make the rows of everybody else look old."""
    warehouse.add(("a", minutes(60)), ("just now", minutes(5)), ("ahead", minutes(-300)))
    kept = Kept(store)
    late = NOW + timedelta(days=900)  # our own clock says nothing
    source(warehouse, store, settle=minutes(30)).pull(kept, now=late)
    assert kept.ids == ["a"]
    warehouse.run(f"UPDATE reviews SET seen = '{shown(NOW - minutes(55))}' WHERE id <> 'a'")
    source(warehouse, store).pull(kept, now=NOW)
    assert sorted(kept.ids) == ["a", "ahead", "just now"]


def test_rows_without_a_cursor_are_counted_and_told(warehouse: Warehouse, store: Database) -> None:
    """They never come in, so a person has to know."""
    warehouse.add(("a", minutes(60)))
    warehouse.run("INSERT INTO reviews VALUES ('b', NULL, 'x'), ('c', NULL, 'x')")
    kept = Kept(store)
    done = source(warehouse, store).pull(kept, now=NOW)
    assert kept.ids == ["a"]
    assert len(done.problems) == 1
    assert done.problems[0].startswith("2 rows of ")
    assert source(warehouse, store).problems() == done.problems  # doctor asks without a pull


@pytest.mark.parametrize("kill", [1, 2, 3])
def test_a_pull_that_is_killed_between_pages_goes_on_from_its_last_page(
    warehouse: Warehouse, store: Database, kill: int
) -> None:
    """Rows and mark are durable together, so that nothing is lost and only look_back is read again."""
    warehouse.add(*((f"r{k}", minutes(500 - 30 * k)) for k in range(9)))
    kept = Kept(store, kill=kill)
    with pytest.raises(KeyboardInterrupt):
        source(warehouse, store).pull(kept, now=NOW)
    before = len(kept.ids)
    done = source(warehouse, store).pull(kept, now=NOW)
    assert kept.ids == [f"r{k}" for k in range(9)]
    assert done.rows.duplicate == min(before, 1)


def test_a_pull_whose_time_is_used_up_leaves_the_rest_to_the_next(warehouse: Warehouse, store: Database) -> None:
    """It says so, and the next one goes on."""
    warehouse.add(*((f"r{k}", minutes(500 - 30 * k)) for k in range(7)))
    kept = Kept(store)
    assert source(warehouse, store).pull(kept, now=NOW, enough=lambda: True).unfinished
    assert len(kept.ids) == 3
    assert not source(warehouse, store).pull(kept, now=NOW).unfinished
    assert len(kept.ids) == 7


def test_texts_are_compared_under_one_collation(warehouse: Warehouse, store: Database) -> None:
    """A column may order 'a' before 'B' and think 'a' and 'A' the same; the pages of a pull must not."""
    collated = {"postgresql": 'COLLATE "default"', "sqlite": "COLLATE NOCASE", "duckdb": "COLLATE NOCASE"}
    warehouse.run(
        f"CREATE TABLE texts (id text, step text {collated[warehouse.kind]})",
        *(
            f"INSERT INTO texts VALUES ('{one}', '{one}')"
            for one in ("a", "A", "B", "b", "ä", "Ä", "Z", "_", "10", "9")
        ),
    )
    kept = Kept(store)
    asked = AskedRows("SELECT * FROM texts", "step", "id")
    for _ in range(2):
        source(warehouse, store, asked, look_back=2, page=2).pull(kept, now=NOW)
    assert kept.ids == sorted(kept.ids, key=lambda one: one.encode())
    assert len(kept.ids) == 10


def test_a_column_of_numbers_is_looked_back_by_rows(warehouse: Warehouse, store: Database) -> None:
    """10 comes after 9, the mark is the number, and gaps in it do not matter."""
    warehouse.run("CREATE TABLE steps (id integer, content text)")
    warehouse.run(*(f"INSERT INTO steps VALUES ({k}, 'x')" for k in (8, 9, 10, 11, 1000)))
    kept = Kept(store)
    asked = AskedRows("SELECT * FROM steps", "id")
    source(warehouse, store, asked, look_back=2).pull(kept, now=NOW)
    warehouse.run("INSERT INTO steps VALUES (500, 'late')", "INSERT INTO steps VALUES (1001, 'new')")
    source(warehouse, store, asked, look_back=2).pull(kept, now=NOW)
    assert kept.ids == [8, 9, 10, 11, 1000, 500, 1001]
    with pytest.raises(ConfigError, match="number of rows"):
        source(warehouse, store, asked).pull(kept, now=NOW)


def test_rows_that_nothing_tells_apart_are_refused_not_passed_over(warehouse: Warehouse, store: Database) -> None:
    """More of them than a page has cannot be read in an order."""
    warehouse.add(*(("same", minutes(60)) for _ in range(5)))
    with pytest.raises(SourceFailed, match="as `id`"):
        source(warehouse, store).pull(Kept(store), now=NOW)


def test_a_statement_that_takes_too_long_is_ended(warehouse: Warehouse, store: Database) -> None:
    """And the pull says which setting it was, and what makes it quick."""
    endless = {
        "postgresql": "SELECT id, seen FROM reviews, pg_sleep(60)",
        "sqlite": "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n) "
        "SELECT CAST(k AS text) AS id, '2020-01-01' AS seen FROM n WHERE k < 0",
        "duckdb": "SELECT CAST(a.range AS text) AS id, now() AS seen FROM range(100000000) a, range(100000) b "
        "WHERE a.range + b.range < 0",
    }
    warehouse.add(("a", minutes(60)))
    asked = AskedRows(endless[warehouse.kind], "seen", "id")
    with pytest.raises(SourceFailed, match="time_limit"):
        source(warehouse, store, asked, limit=timedelta(seconds=0.3)).pull(Kept(store), now=NOW)


def test_the_days_of_a_source_are_counted_by_the_intakes_own_reading(warehouse: Warehouse, store: Database) -> None:
    """A row that was sent twice counts once; what is not settled does not count yet."""
    warehouse.add(("a", minutes(60)), ("a", minutes(50)), ("b", timedelta(days=9)), ("c", minutes(-10)))

    def days(page: Any) -> Iterator[tuple[str, date]]:
        for row in page.table.to_pylist():
            yield row["id"], datetime.fromisoformat(str(row["seen"])).date()

    found = source(warehouse, store, time_column="seen", days=days).rows_by_day((NOW - timedelta(days=3)).date())
    assert sum(found.values()) == 1


def test_reaching_says_what_is_there_and_takes_nothing(warehouse: Warehouse, store: Database) -> None:
    """For doctor."""
    assert "without a row" in source(warehouse, store).reach()
    warehouse.add(("a", minutes(60)))
    source(warehouse, store).pull(Kept(store), now=NOW)
    assert "read up to seen = " in source(warehouse, store).reach()


@pytest.mark.parametrize("wrong", ["SELECT * FROM nothing", "SELECT id FROM reviews", "SELEKT"])
def test_a_query_that_cannot_be_asked_is_a_failed_source(warehouse: Warehouse, store: Database, wrong: str) -> None:
    """In the database's own words, and never by a column's name taken for a text."""
    with pytest.raises(SourceFailed, match=r"cannot be read: .*What was taken in before is kept.*`query`"):
        source(warehouse, store, AskedRows(wrong, "seen", "id")).pull(Kept(store), now=NOW)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM reviews", "SELECT * FROM reviews;", "SELECT * FROM reviews ;; -- all; of it",
        "/* ; */ SELECT * FROM reviews -- it's all\n;\n/* that; is it */\n",
        "SELECT *, ';--' AS k FROM reviews WHERE id <> ';'",
        'SELECT *, id AS "a;--" FROM reviews; -- "', "WITH r AS (SELECT * FROM reviews) SELECT * FROM r;",
    ],
)  # fmt: skip
def test_a_query_may_end_and_be_commented_as_people_write_it(warehouse: Warehouse, store: Database, query: str) -> None:
    """What was tried at a prompt is pasted as it stands there."""
    warehouse.add(("a", minutes(60)))
    kept = Kept(store)
    source(warehouse, store, AskedRows(query, "seen", "id")).pull(kept, now=NOW)
    assert kept.ids == ["a"]


def test_transactions_that_commit_out_of_the_order_of_their_cursor_are_all_found(
    empty_postgres: str, store: Database
) -> None:
    """Two writers take numbers of one sequence; the lower number is committed after a pull has seen the higher."""
    warehouse = Warehouse(empty_postgres, "postgresql")
    warehouse.run("CREATE TABLE reviews (id bigserial PRIMARY KEY, content text)")
    engine = sa.create_engine(empty_postgres.replace("postgresql:", "postgresql+psycopg:"))
    kept, asked = Kept(store), AskedRows("SELECT * FROM reviews", "id")
    with engine.connect() as slow, engine.connect() as quick:
        slow.exec_driver_sql("INSERT INTO reviews (content) VALUES ('slow')")
        quick.exec_driver_sql("INSERT INTO reviews (content) VALUES ('quick')")
        quick.commit()
        source(warehouse, store, asked, look_back=100).pull(kept, now=NOW)
        assert kept.ids == [2]
        slow.commit()
        source(warehouse, store, asked, look_back=100).pull(kept, now=NOW)
    assert kept.ids == [2, 1]
    engine.dispose()


def test_a_source_whose_clock_is_off_is_read_by_its_own_clock(empty_postgres: str, store: Database) -> None:
    """Rows that it dates by a clock two hours behind ours come in once they are settled there."""
    warehouse = Warehouse(empty_postgres + "&options=-csearch_path%3Dpublic,pg_catalog", "postgresql")
    if "?" not in empty_postgres:
        warehouse.url = empty_postgres + "?options=-csearch_path%3Dpublic,pg_catalog"
    warehouse.run(
        "CREATE TABLE reviews (id text, seen timestamptz, content text)",
        f"CREATE TABLE clock AS SELECT CAST('{shown(NOW - minutes(120))}+00' AS timestamptz) AS at",
        "CREATE FUNCTION public.now() RETURNS timestamptz STABLE LANGUAGE sql AS 'SELECT at FROM public.clock'",
        f"INSERT INTO reviews VALUES ('a', '{shown(NOW - minutes(121))}+00'), ('b', '{shown(NOW - minutes(119))}+00')",
    )
    kept = Kept(store)
    source(warehouse, store).pull(kept, now=NOW)
    assert kept.ids == ["a"]
    warehouse.run("UPDATE clock SET at = at + interval '2 minutes'")
    source(warehouse, store).pull(kept, now=NOW)
    assert kept.ids == ["a", "b"]


def test_a_source_is_never_written_to(warehouse: Warehouse, store: Database) -> None:
    """Whatever is asked of it: the database itself refuses, PostgreSQL since its cursor is one of a query."""
    warehouse.add(("a", minutes(60)))
    place = SqlPlace(warehouse.url, "", timedelta(seconds=60))
    for statement in ("DELETE FROM reviews", "CREATE TABLE other (id integer)"):
        with pytest.raises(SourceFailed, match=r"read-?only|syntax error at or near"):
            place.ask(statement, {})
    place.close()
    kept = Kept(store)
    source(warehouse, store).pull(kept, now=NOW)
    assert kept.ids == ["a"]


def test_times_that_python_does_not_know_are_rows_like_any_other(empty_postgres: str, store: Database) -> None:
    """'infinity' in one row stops no other, whatever style of dates the role has; its cursor is compared there."""
    warehouse = Warehouse(empty_postgres, "postgresql")
    warehouse.run(
        "CREATE TABLE reviews (id text, seen timestamptz, until date)",
        "INSERT INTO reviews VALUES ('a', now() - interval '60 min', '2024-02-01'), "
        "('b', '-infinity', 'infinity'), ('c', now() - interval '50 min', '0044-03-15 BC'), "
        "('d', now() - interval '40 min', '12024-01-01'), ('never', 'infinity', NULL)",
        "ALTER ROLE CURRENT_USER SET datestyle = 'German, DMY'",
    )
    shown: dict[str, str] = {}

    class Seen(Kept):
        def __call__(self, rows: Any, **own: Any) -> Appended:
            shown.update(zip(rows["id"].to_pylist(), map(str, rows["until"].to_pylist()), strict=True))
            return super().__call__(rows, **own)

    kept = Seen(store)
    try:
        source(warehouse, store, page=10).pull(kept, now=NOW)
    finally:
        warehouse.run("ALTER ROLE CURRENT_USER RESET datestyle")
    assert kept.ids == ["b", "a", "c", "d"]
    assert shown == {"a": "2024-02-01", "b": "infinity", "c": "0044-03-15 BC", "d": "12024-01-01"}


def test_a_sqlite_file_is_free_again_for_its_exporter(tmp_path: Path, store: Database) -> None:
    """Also after a statement that failed half-way, while somebody still holds its error."""
    warehouse = Warehouse(f"sqlite:///{tmp_path}/reviews.db", "sqlite")
    warehouse.run("CREATE TABLE reviews (id text, seen text, content text)")
    warehouse.add(*((f"r{k}", minutes(60 + k)) for k in range(200)))
    asked = AskedRows(
        "SELECT *, CASE WHEN id = 'r7' THEN abs(-9223372036854775808) END AS k FROM reviews", "seen", "id"
    )
    with pytest.raises(SourceFailed, match="integer overflow") as failed:
        source(warehouse, store, asked).pull(Kept(store), now=NOW)
    with closing(sqlite3.connect(tmp_path / "reviews.db", timeout=0)) as exporter, exporter:
        exporter.execute("INSERT INTO reviews VALUES ('new', '2024-01-01', 'x')")
    assert failed.value.__cause__ is not None


def test_a_sqlite_file_that_is_being_written_is_told_from_a_slow_query(tmp_path: Path, store: Database) -> None:
    """What helps is another thing."""
    warehouse = Warehouse(f"sqlite:///{tmp_path}/reviews.db", "sqlite")
    warehouse.run("CREATE TABLE reviews (id text, seen text, content text)")
    with closing(sqlite3.connect(tmp_path / "reviews.db", isolation_level=None)) as exporter:
        exporter.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceFailed, match="another program has been writing to it"):
            source(warehouse, store, limit=timedelta(seconds=0.1)).pull(Kept(store), now=NOW)


def test_whatever_sqlite_holds_in_a_column_is_read_in_its_own_order(tmp_path: Path, store: Database) -> None:
    """Cursors of every type and texts that are not UTF-8: no row stops the others, and none is passed over."""
    warehouse = Warehouse(f"sqlite:///{tmp_path}/reviews.db", "sqlite")
    warehouse.run(
        "CREATE TABLE reviews (id text, seen, content text)",
        "INSERT INTO reviews VALUES ('blob', x'00ff', 'x'), ('blob 2', x'00ffee', 'x'), ('number', 5, 'x'), "
        "('fraction', 5.25, 'x'), ('text', '2024-01-01', CAST(x'ff41fe' AS text)), ('text 2', '2024-01-02', 'x')",
    )
    kept = Kept(store)
    for _ in range(2):
        source(warehouse, store, look_back=1, page=1).pull(kept, now=NOW)
    assert kept.ids == ["number", "fraction", "text", "text 2", "blob", "blob 2"]


def test_postgresql_is_asked_in_a_read_only_transaction(empty_postgres: str, store: Database) -> None:
    """A function in the query that writes is refused by the database."""
    warehouse = Warehouse(empty_postgres, "postgresql")
    warehouse.run(
        "CREATE TABLE reviews (id text, seen timestamptz, content text)",
        "CREATE FUNCTION spoilt() RETURNS text LANGUAGE sql AS "
        "$$ INSERT INTO reviews VALUES ('spoilt', now(), '') RETURNING id $$",
    )
    with pytest.raises(SourceFailed, match="read-only"):
        source(warehouse, store, AskedRows("SELECT spoilt() AS id, now() AS seen", "seen")).pull(Kept(store), now=NOW)


def test_a_duckdb_file_is_free_again_for_its_exporter(tmp_path: Path, store: Database) -> None:
    """It is closed after each page: another process may open it for writing while a page is being stored."""
    warehouse = Warehouse(f"duckdb:///{tmp_path}/reviews.duckdb", "duckdb")
    warehouse.run("CREATE TABLE reviews (id text, seen timestamp, content text)")
    warehouse.add(*((f"r{k}", minutes(90 - k)) for k in range(7)))
    kept, said = Kept(store), list[str]()

    def take(rows: Any, **more: Any) -> Appended:
        code = f"import duckdb; duckdb.connect({str(tmp_path / 'reviews.duckdb')!r}).close(); print('written')"
        said.append(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        return kept(rows, **more)

    source(warehouse, store).pull(take, now=NOW)
    assert said == ["written\n"] * 3


def test_a_duckdb_file_that_its_exporter_keeps_open_is_told_as_that(
    tmp_path: Path, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for a while; what helps is at the exporter."""
    monkeypatch.setattr("trueup.feedback.sources.sql_place._PATIENCE", 0.3)
    warehouse = Warehouse(f"duckdb:///{tmp_path}/reviews.duckdb", "duckdb")
    warehouse.run("CREATE TABLE reviews (id text, seen timestamp, content text)")
    file = str(tmp_path / "reviews.duckdb")
    code = f"import duckdb; held = duckdb.connect({file!r}); print('held', flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], text=True, **pipes) as exporter:
        assert exporter.stdout is not None
        assert exporter.stdout.readline() == "held\n"
        with pytest.raises(SourceFailed, match="another program has held it open for longer than"):
            source(warehouse, store).pull(Kept(store), now=NOW)
        exporter.communicate("")


@pytest.mark.parametrize(
    "cast",
    [
        "content::int", "content::date", "content::timestamptz", "content::json", "content::int[]", "error(content)",
        "strptime(content, '%Y')", "content::decimal", "date_trunc(content, now())", "now() AT TIME ZONE content",
    ],
)  # fmt: skip
def test_what_duckdb_cannot_convert_is_not_repeated(tmp_path: Path, store: Database, cast: str) -> None:
    """Neither in the message nor in what it was raised from: it is the text of a person."""
    warehouse = Warehouse(f"duckdb:///{tmp_path}/reviews.duckdb", "duckdb")
    warehouse.run(
        "CREATE TABLE reviews (id text, seen timestamp, content text)",
        "INSERT INTO reviews VALUES ('a', '2024-01-01', 'I am \"Ann O''Brien\", Canary Wharf')",
    )
    asked = AskedRows(f"SELECT *, {cast} AS k FROM reviews", "seen", "id")
    with pytest.raises(SourceFailed, match="a value is not what the query takes it for") as failed:
        source(warehouse, store, asked).pull(Kept(store), now=NOW)
    said = f"{failed.value}{failed.value.__cause__!r}"
    assert ("(column content)" in said) == ("::" in cast)
    assert not {"Ann", "Brien", "Wharf"} & set(re.findall(r"\w+", said)), said


def test_a_mark_keeps_the_types_own_precision(tmp_path: Path, store: Database) -> None:
    """Nanoseconds, which Python's times do not have: cut off, the last row would be read for ever."""
    warehouse = Warehouse(f"duckdb:///{tmp_path}/reviews.duckdb", "duckdb")
    warehouse.run("CREATE TABLE reviews (id text, seen timestamp_ns, content text)")
    warehouse.run(*(f"INSERT INTO reviews VALUES ('r{k}', '2024-01-01 00:00:00.00000000{k}', '')" for k in range(1, 8)))
    kept = Kept(store)
    source(warehouse, store, page=1).pull(kept, now=NOW)
    assert kept.pages == 7
    mark = SourceMarks(store, "reviews", "records", "one query").newest()
    assert mark is not None
    assert mark.value.endswith("007")


def test_the_deployments_own_store_is_no_source(tmp_path: Path, store: Database, empty_postgres: str) -> None:
    """Not by its path, nor a link to it, nor anything in the home folder; on a server not by another address either."""
    home = tmp_path / "home"
    (tmp_path / "link.db").symlink_to(home / "trueup.db")
    (tmp_path / "elsewhere").mkdir()
    for file in (home / "trueup.db", tmp_path / "link.db", home / "mlflow.db"):
        with pytest.raises(ConfigError, match="own state"):
            refuse_own_store(SqlPlace(f"sqlite:///{file}", "", minutes(1)), store, home)
    refuse_own_store(SqlPlace(f"sqlite:///{tmp_path}/other.db", "", minutes(1)), store, home)
    server = open_database(empty_postgres, tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="own state"):
        refuse_own_store(SqlPlace(empty_postgres.replace("postgresql:", "postgres:"), "", minutes(1)), server, home)
    server.close()


class Elsewhere(SQLiteDialect_pysqlite):
    """A database that trueup knows nothing of, as SQLAlchemy reaches it."""

    name = "elsewhere"
    supports_statement_cache = True


def test_any_other_database_is_read_and_what_cannot_be_promised_of_it_is_told(tmp_path: Path, store: Database) -> None:
    """By rows back from the last cursor; no clock is asked, so a row of the future comes in at once."""
    registry.register("elsewhere", __name__, "Elsewhere")
    warehouse = Warehouse(f"sqlite:///{tmp_path}/reviews.db", "sqlite")
    warehouse.run("CREATE TABLE reviews (id text, seen text, content text)")
    warehouse.add(*((f"r{k}", minutes(90 - k // 3)) for k in range(9)), ("ahead", minutes(-300)))
    kept, other = Kept(store), Warehouse(f"elsewhere:///{tmp_path}/reviews.db", "elsewhere")
    asked = AskedRows("SELECT * FROM reviews WHERE content LIKE 'words of%:%' OR seen > '2000'", "seen", "id")
    source(other, store, asked, look_back=3).pull(kept, now=NOW)
    assert kept.ids == [*(f"r{k}" for k in range(9)), "ahead"]
    warehouse.add(("late", minutes(89)))
    assert source(other, store, asked, look_back=5).pull(kept, now=NOW).rows.accepted == 1
    said = source(other, store, asked).reach()
    assert "cannot make this database refuse writing or end what takes too long, and does not use its clock" in said
    with pytest.raises(ConfigError, match="write a number of rows"):
        source(other, store, asked, look_back=minutes(10)).pull(kept, now=NOW)


def test_the_password_is_what_opens_the_database(empty_postgres: str, store: Database) -> None:
    """A login that PostgreSQL judges: with the password rows come, with another one none, and it is not repeated."""
    warehouse = Warehouse(empty_postgres, "postgresql")
    engine = sa.create_engine(empty_postgres.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        rules = Path(connection.exec_driver_sql("SHOW hba_file").scalar_one())
    engine.dispose()
    rules.write_text("local all reader scram-sha-256\n" + rules.read_text())
    warehouse.run(
        "CREATE ROLE reader LOGIN PASSWORD 's3cret-word'",
        "SELECT pg_reload_conf()",
        "CREATE TABLE reviews (id text, seen timestamptz, content text)",
        "GRANT SELECT ON reviews TO reader",
    )
    warehouse.add(("a", minutes(60)))
    kept, marks = Kept(store), SourceMarks(store, "reviews", "records", "")
    url = sa.make_url(empty_postgres).set(username="reader", password=None).render_as_string()

    def read(password: str) -> None:
        place = SqlPlace(url, password, timedelta(seconds=60))
        SqlSource(place, ASKED, marks, look_back=None, settle=minutes(1), days=lambda page: []).pull(kept, now=NOW)

    with pytest.raises(SourceFailed, match="reader") as refused:
        read("other-word")
    assert "other-word" not in f"{refused.value}{refused.value.__cause__!r}"
    read("s3cret-word")
    assert kept.ids == ["a"]


def test_a_failed_login_tells_no_password(store: Database) -> None:
    """Neither in the message nor in what it was raised from."""
    place = SqlPlace("postgresql://ann@127.0.0.1:9/reviews", "s3cret-word", timedelta(seconds=5))
    marks = SourceMarks(store, "reviews", "records", "")
    broken = SqlSource(place, ASKED, marks, look_back=None, settle=minutes(1), days=lambda page: [])
    with pytest.raises(SourceFailed, match="ann@127") as failed:
        broken.pull(Kept(store), now=NOW)
    assert "s3cret-word" not in f"{failed.value}{failed.value.__cause__!r}"
