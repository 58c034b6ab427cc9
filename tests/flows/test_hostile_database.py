"""A database that quotes rows as it refuses them: no command on PostgreSQL repeats them, nor a URL's password."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.made_person import CANARY, PERSON, settings, with_a_person
from trueup.flows.app import App

SECRET = "s3cret-one"
REFUSING = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION 'no row %%', COALESCE(NEW, OLD) USING DETAIL = 'of ' || COALESCE(NEW.id, OLD.id);
END $$;
CREATE TRIGGER refuse BEFORE {event} ON records FOR EACH ROW EXECUTE FUNCTION refuse();
"""
REFUSALS = {
    "a check of a bulk load": "ALTER TABLE records ADD CONSTRAINT short CHECK (length(id) < 3) NOT VALID",
    "a trigger of a bulk load": REFUSING.format(event="INSERT"),
    "a trigger of a deletion": REFUSING.format(event="DELETE"),
    "a view that takes a word for a number": (
        "ALTER TABLE records RENAME TO held; "
        "CREATE VIEW records AS SELECT h.* FROM held h WHERE h.id::integer IS NOT NULL"
    ),
}


@pytest.fixture
def app(empty_postgres: str, tmp_path: Path) -> Iterator[App]:
    url = sa.make_url(empty_postgres).set(password=SECRET).render_as_string(hide_password=False)
    found = with_a_person(tmp_path / "one", url)
    yield found
    found.close()


def said_by(app: App, *words: str) -> str:
    """What a command that fails writes, to whatever stream."""
    done = subprocess.run(
        [sys.executable, "-m", "trueup.flows.cli.main", *words], cwd=app.home.parent, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("refused", "words", "still_said"),
    [
        ("a check of a bulk load", ("ingest", "new.csv", "--stream", "reviews"), "short"),
        pytest.param(
            "a trigger of a bulk load", ("ingest", "new.csv", "--stream", "reviews"), "a function or trigger",
            marks=pytest.mark.slow,
        ),
        (
            "a trigger of a deletion",
            ("erase", "--user", PERSON, "--stream", "reviews", "--why", "request", "--yes"), "a function or trigger",
        ),
        pytest.param(
            "a view that takes a word for a number", ("export", "--to", "out", "--stream", "reviews"), "integer",
            marks=pytest.mark.slow,
        ),
    ],
)  # fmt: skip
def test_a_refusal_repeats_no_row(app: App, refused: str, words: tuple[str, ...], still_said: str) -> None:
    """Still the reason is told. Rows of a batch are named by no id, text, user or label."""
    (app.home.parent / "new.csv").write_text(
        f"id,at,text,product,user,note,stars\nnew-{CANARY},2024-02-01 10:00,{CANARY},p,{CANARY},n,5\n"
    )
    with app.database.write() as connection:
        connection.exec_driver_sql(REFUSALS[refused])
    said = said_by(app, *words)
    assert still_said in said
    assert CANARY not in said.replace(PERSON, "")
    assert SECRET not in said


@pytest.mark.slow
def test_a_server_that_does_not_answer_tells_no_password(app: App) -> None:
    """Nor does a URL that was changed to another port."""
    (app.home.parent / "trueup.toml").write_text(settings(f"postgresql://ann:{SECRET}@127.0.0.1:9/x?connect_timeout=1"))
    said = said_by(app, "export", "--to", "out", "--stream", "reviews")
    assert "127.0.0.1" in said
    assert SECRET not in said
