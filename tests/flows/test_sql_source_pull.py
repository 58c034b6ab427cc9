"""A query as a stream's source: settings, its password, and a pull into the real store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event

from trueup.feedback.sources.pulling import Feed
from trueup.flows.app import open_app
from trueup.flows.settings import locate, read_settings
from trueup.flows.sources.opening import source_of
from trueup.flows.sources.pull import pull
from trueup.storage.errors import ConfigError, SourceFailed
from trueup.storage.secrets import without_secrets

STREAM = '[streams.reviews]\nid = "id"\ntime = "at"\ntext = ["content"]\n'
SOURCE = '[streams.reviews.source]\nsql = "sqlite:///shop.db"\nquery = "SELECT * FROM reviews;"\ncursor = "at"\n'
FEEDBACK = (
    '[streams.reviews.feedback_source]\nsql = "sqlite:///shop.db"\ncursor = "n"\nlook_back = 5\n'
    'query = "SELECT rowid AS n, * FROM said"\n'
)


def shop(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "shop.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_records_and_feedback_of_a_query_come_in_once(tmp_path: Path) -> None:
    """The database is found beside the settings; a pull of nothing new stores nothing, a late row comes in."""
    (tmp_path / "trueup.toml").write_text(STREAM + SOURCE + FEEDBACK)
    shop(
        tmp_path,
        "CREATE TABLE reviews (id INTEGER PRIMARY KEY, at TEXT, content TEXT)",
        "CREATE TABLE said (record_id INTEGER, kind TEXT, value TEXT, user TEXT, at TEXT)",
        *(f"INSERT INTO reviews VALUES ({k}, '2024-01-0{k} 10:00:00', 'good phone {k}')" for k in range(1, 8)),
        "INSERT INTO said VALUES (3, 'label', 'positive', 'ann', '2024-02-01 10:00:00')",
    )
    app = open_app(tmp_path / "trueup.toml")
    stream = app.settings.stream("reviews")
    assert pull(app, stream, Feed.RECORDS).rows.accepted == 7
    assert pull(app, stream, Feed.FEEDBACK).rows.accepted == 1
    shop(tmp_path, "INSERT INTO reviews VALUES (8, '2024-01-07 09:30:00', 'late')")
    again = pull(app, stream, Feed.RECORDS).rows
    assert (again.accepted, again.quarantined) == (1, 0)
    days = source_of(app, stream, Feed.RECORDS).rows_by_day(date(2024, 1, 6))
    assert sum(days.values()) == 3
    app.close()


def test_a_page_and_how_far_it_reached_are_one_transaction(tmp_path: Path) -> None:
    """As many commits as pages, so that no kill falls between rows and mark."""
    (tmp_path / "trueup.toml").write_text(STREAM + SOURCE)
    shop(
        tmp_path,
        "CREATE TABLE reviews (id INTEGER PRIMARY KEY, at TEXT, content TEXT)",
        "INSERT INTO reviews VALUES (0, '2024-01-01', 'first')",
    )
    app = open_app(tmp_path / "trueup.toml")
    pull(app, app.settings.stream("reviews"), Feed.RECORDS)  # the deployment makes the store its own
    shop(
        tmp_path,
        "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 21000) INSERT INTO reviews "
        "SELECT k, datetime('2024-01-01', '+' || k || ' seconds'), 'words ' || k FROM n",
    )
    written: list[int] = []
    event.listen(
        app.database.engine,
        "commit",
        lambda connection: connection.get_execution_options().get("trueup_write") and written.append(1),
    )
    assert pull(app, app.settings.stream("reviews"), Feed.RECORDS).rows.accepted == 21_000
    assert len(written) == 2
    app.close()


def test_a_column_that_the_stream_needs_and_the_query_lacks_is_told(tmp_path: Path) -> None:
    """As a failed source: nothing was stored, and the next pull begins where this one did."""
    (tmp_path / "trueup.toml").write_text(STREAM + SOURCE)
    shop(
        tmp_path,
        "CREATE TABLE reviews (id INTEGER PRIMARY KEY, at TEXT, words TEXT)",
        "INSERT INTO reviews VALUES (1, '2024-01-01', 'x')",
    )
    app = open_app(tmp_path / "trueup.toml")
    with pytest.raises(SourceFailed, match=r"shop\.db: column 'content' missing; it has 'id', 'at', 'words'\."):
        pull(app, app.settings.stream("reviews"), Feed.RECORDS)
    app.close()


def test_what_is_refused_of_a_query_says_where_it_came_from(tmp_path: Path) -> None:
    """By the address of its database."""
    (tmp_path / "trueup.toml").write_text(STREAM + SOURCE)
    shop(
        tmp_path,
        "CREATE TABLE reviews (id INTEGER PRIMARY KEY, at TEXT, content TEXT)",
        "INSERT INTO reviews VALUES (1, '2024-01-01', ''), (2, '2024-01-01', 'x')",
    )
    app = open_app(tmp_path / "trueup.toml")
    assert pull(app, app.settings.stream("reviews"), Feed.RECORDS).rows.quarantined == 1
    (item,) = app.store.quarantine.items(app.settings.stream("reviews"))
    assert item.source == f"sqlite:///{tmp_path}/shop.db"
    app.close()


def test_the_deployments_own_store_is_refused(tmp_path: Path) -> None:
    """A pull that read what it writes would never end, and another library would drop the store's locks."""
    source = SOURCE.replace("shop.db", ".trueup/trueup.db")
    (tmp_path / "trueup.toml").write_text(STREAM + source)
    app = open_app(tmp_path / "trueup.toml")
    with pytest.raises(ConfigError, match="own state"):
        pull(app, app.settings.stream("reviews"), Feed.RECORDS)
    app.close()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('password = "hunter2"', "TRUEUP_STREAMS__REVIEWS__SOURCE__PASSWORD"),
        ('sql = "sqlite://ann:hunter2@db/x"\nquery = "q"\ncursor = "c"', "STREAMS__REVIEWS__SOURCE__PASSWORD"),
        ('sql = "postgresql://db/x?user=ann&password=hunter2"\nquery = "q"\ncursor = "c"', "SOURCE__PASSWORD"),
        ('files = "sftp://ann:hunter2@host/exports/*.csv"', "whole URL as TRUEUP_STREAMS__REVIEWS__SOURCE__FILES"),
        ('sql = "postgresql://ann@db/x"', "query"),
        ('sql = "nothing://db/x"\nquery = "q"\ncursor = "c"', "knows no database"),
        ('sql = "sqlite://"\nquery = "q"\ncursor = "c"', "names no file"),
        ('sql = "sqlite:///a"\nfiles = "*.csv"\nquery = "q"\ncursor = "c"', "one place"),
        ('cursor = "c"', "no database is named"),
        ('sql = "sqlite:///a"\nquery = "q"\ncursor = "c"\nlook_back = "soon"', "not a span"),
        ('sql = "sqlite:///a"\nquery = "q"\ncursor = "c"\nlook_back = -1', "greater than or equal to 0"),
    ],
)  # fmt: skip
def test_settings_that_describe_no_source_are_refused(source: str, said: str) -> None:
    """By the key that is wrong; a password in the file is refused and never repeated."""
    with pytest.raises(ConfigError, match=said) as refused:
        read_settings(f"{STREAM}[streams.reviews.source]\n{source}\n", "trueup.toml")
    assert "hunter2" not in str(refused.value)


def test_the_login_of_a_url_comes_from_a_variable_and_is_kept_out_of_what_a_server_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packages repeat parts of an address that no longer look like one."""
    monkeypatch.setenv("TRUEUP_STREAMS__REVIEWS__SOURCE__FILES", "ftp://ann:0pen-sesame@127.0.0.1:1/exports/*.csv")
    (tmp_path / "trueup.toml").write_text(f"{STREAM}[streams.reviews.source]\nsettle = '0s'\n")
    app = open_app(tmp_path / "trueup.toml")
    assert without_secrets("no bucket 'ann:0pen-sesame@127.0.0.1'") == "no bucket 'ann:***@127.0.0.1'"
    with pytest.raises(SourceFailed, match=r"ftp://ann:\*\*\*@127"):
        pull(app, app.settings.stream("reviews"), Feed.RECORDS)
    app.close()


def test_the_password_comes_from_a_variable_and_is_kept_out_of_every_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the deployment is open, whoever repeats it."""
    monkeypatch.setenv("TRUEUP_STREAMS__REVIEWS__SOURCE__PASSWORD", "0pen-sesame")
    (tmp_path / "trueup.toml").write_text(STREAM + SOURCE)
    source = locate(None, None, start=tmp_path).settings.stream("reviews").source
    assert source.password.get_secret_value() == "0pen-sesame"
    assert "0pen" not in repr(source)
    app = open_app(tmp_path / "trueup.toml")
    assert without_secrets("with 0pen-sesame") == "with ***"
    app.close()
