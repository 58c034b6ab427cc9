"""MLflow's database is there whole or not at all, whenever the process that first makes it is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from trueup.training.registry.local_store import make_whole
from trueup.training.registry.local_tables import SCHEMA
from trueup.training.registry.registry import Registry

STATEMENTS = [  # of some 400 that make the tables
    1, 90, 350, *(pytest.param(statement, marks=pytest.mark.slow) for statement in (2, 40, 150, 250)),
]  # fmt: skip


def as_mlflow_does(file: Path) -> None:
    """The tables made in place, as MLflow itself does, and as trueup did before."""
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine_with_retry

    _initialize_tables(create_sqlalchemy_engine_with_retry(f"sqlite:///{file}"))


def killed_at(statement: int, make: Callable[[Path], None], file: Path) -> None:
    """Run `make` in a process of its own, which is killed at a statement."""
    import mlflow.store.db.utils  # noqa: F401  # once, not in every child
    import sqlalchemy as sa

    child = os.fork()
    if child == 0:
        seen = [0]

        def die(*_: object) -> None:
            seen[0] += 1
            if seen[0] == statement:
                os.kill(os.getpid(), signal.SIGKILL)

        sa.event.listen(sa.engine.Engine, "before_cursor_execute", die)
        try:
            make(file)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "it was done before it could be killed"


def schema_of(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_killed_making_leaves_nothing_under_the_name(tmp_path: Path, statement: int) -> None:
    """What was made so far lies beside it, and the next process makes it anew."""
    file = tmp_path / "mlflow.db"
    killed_at(statement, make_whole, file)
    assert not file.exists()
    make_whole(file)
    assert schema_of(file) == SCHEMA
    assert [found.name for found in tmp_path.iterdir()] == ["mlflow.db"]


@pytest.mark.slow
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_half_that_lies_there_is_made_anew(tmp_path: Path, statement: int) -> None:
    """One that MLflow's own making left, of which it says "table … already exists" for ever."""
    file = tmp_path / "mlflow.db"
    killed_at(statement, as_mlflow_does, file)
    make_whole(file)
    assert schema_of(file) == SCHEMA
    assert [found.name for found in tmp_path.iterdir()] == ["mlflow.db"]


def test_mlflow_opens_what_was_made_over_a_half(tmp_path: Path) -> None:
    """Versions can be registered in it at once."""
    made = Registry("", tmp_path / "mlflow")
    killed_at(200, as_mlflow_does, tmp_path / "mlflow.db")
    client = made.client()
    client.create_registered_model("reviews")
    client.create_model_version("reviews", (made.artifact_root / "reviews" / "model").as_uri())
    assert [version.number for version in made.versions("reviews")] == [1]


@pytest.mark.parametrize("content", ["experiments", "registered_models"])
def test_a_database_with_content_is_never_made_anew(tmp_path: Path, content: str) -> None:
    """Tables of another MLflow with something in them stay for a person to upgrade."""
    file = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('older')")
        connection.execute(f"CREATE TABLE {content} (name TEXT)")
        connection.execute(f"INSERT INTO {content} VALUES ('reviews')")
    before = file.read_bytes()
    make_whole(file)
    assert file.read_bytes() == before


def test_a_damaged_file_is_left(tmp_path: Path) -> None:
    """What is no database may be one that a backup restores; MLflow says what is wrong with it."""
    file = tmp_path / "mlflow.db"
    file.write_bytes(b"this was a database once" * 100)
    make_whole(file)
    assert file.read_bytes().startswith(b"this was")
