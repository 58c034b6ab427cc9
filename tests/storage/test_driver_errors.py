"""No error of a database holds a person's text or a password: each way in which a driver would tell one."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from trueup.storage.database import Database, open_database
from trueup.storage.driver_errors import values_hidden
from trueup.storage.errors import StoreUnusable
from trueup.storage.secrets import keep_out_of_logs, without_secrets

CANARY = 'canary-7\nsecond canary). line\nthird "canary"'

_NEW_STREAM = sa.text("INSERT INTO streams (name, next_seq) VALUES (:n, 0)")
_STREAM = {"n": "canary"}
_UNWRITABLE = {"n": "canary \ud800"}
_BROKEN = "SELECT CAST(x'63616e617279ff' AS text) AS w"
_ADDRESS = "postgresql://ann:s3cret-one@127.0.0.1:9/x?connect_timeout=1"


@pytest.fixture
def postgres(postgres_store: str, tmp_path: Path) -> Iterator[Database]:
    """A store with a small table of people's words in it."""
    database = open_database(postgres_store, tmp_path)
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE words (id text PRIMARY KEY, n integer NOT NULL)")
        connection.execute(sa.text("INSERT INTO words VALUES (:id, 1)"), {"id": CANARY})
    yield database
    database.close()


def everything_said(error: BaseException) -> str:
    """What any log, page or test runner could print of an error, after another process got it too."""
    log = logging.getLogger("of somebody else")
    keep_out_of_logs()
    record = log.makeRecord(log.name, logging.ERROR, "", 0, "failed: %r", (error,), (type(error), error, None))
    said = [str(error), repr(error), "".join(traceback.format_exception(error)), logging.Formatter().format(record)]
    with suppress(TypeError):  # SQLAlchemy's own are not always to be pickled
        said.append(repr(pickle.loads(pickle.dumps(error))))
    return "\n".join(said)


@pytest.mark.parametrize(
    ("statement", "values", "still_said"),
    [
        ("INSERT INTO words VALUES (:id, 1)", {"id": CANARY}, "words_pkey"),
        ("INSERT INTO words VALUES (:id, NULL)", {"id": CANARY}, 'column "n"'),
        ("INSERT INTO words VALUES ('a', CAST(CAST(:id AS text) AS integer))", {"id": CANARY}, "for type integer"),
        ("INSERT INTO words VALUES (:id, 2)", {"id": "canary \ud800"}, "surrogates not allowed"),
        ("INSERT INTO words VALUES (:id, 2)", {"id": "canary \0"}, "NUL"),
    ],
)
def test_a_statement_that_postgresql_refuses_repeats_no_row(
    postgres: Database, statement: str, values: dict[str, str], still_said: str
) -> None:
    """A key that stands there, a row that is not whole, a value of another type, text that cannot be encoded."""
    with pytest.raises(Exception) as failed, postgres.write() as connection:
        connection.execute(sa.text(statement), values)
    said = everything_said(failed.value)
    assert "canary" not in said
    assert still_said in said


@pytest.mark.parametrize(
    ("row", "still_said"),
    [
        ((CANARY, 1), "COPY words, line 1"),
        (("canary", None), "violates not-null"),
        (("a", "canary"), "COPY words, line 1, column n"),
        (("canary",), "missing data"),
        (("canary \0", 1), "NUL"),
        (("canary \ud800", 1), "surrogates not allowed"),
    ],
)
def test_a_copy_that_postgresql_refuses_repeats_no_row(
    postgres: Database, row: tuple[object, ...], still_said: str
) -> None:
    """SQLAlchemy does not see COPY, so its errors are wrapped: the line and the column are still told."""

    def copied() -> None:
        with postgres.write() as connection, values_hidden("COPY words"):
            cursor = connection.connection.cursor()
            with cursor.copy("COPY words FROM STDIN") as copy:  # type: ignore[attr-defined]
                copy.write_row(row)

    with pytest.raises((sa.exc.DBAPIError, UnicodeEncodeError)) as failed:
        copied()
    said = everything_said(failed.value)
    assert "canary" not in said
    assert still_said in said


@pytest.mark.parametrize(
    ("do", "still_said"),
    [
        (lambda c: c.execute(_NEW_STREAM, _STREAM), "UNIQUE"),
        (lambda c: c.exec_driver_sql(_BROKEN).all(), "decode"),
        (lambda c: c.execute(_NEW_STREAM, _UNWRITABLE), "surrogates"),
    ],
)
def test_what_sqlite_refuses_repeats_no_row(
    tmp_path: Path, do: Callable[[sa.Connection], object], still_said: str
) -> None:
    """A key that stands there, stored text that is not UTF-8, text that cannot be stored."""
    database = open_database("", tmp_path)
    with database.write() as connection:
        connection.execute(_NEW_STREAM, _STREAM)
    with pytest.raises(Exception) as failed, database.write() as connection:
        do(connection)
    said = everything_said(failed.value)
    assert "canary" not in said
    assert still_said in said
    database.close()


def test_a_store_that_cannot_be_reached_tells_no_password(tmp_path: Path) -> None:
    """The URL is shown, since it says where the store was looked for."""
    with pytest.raises(StoreUnusable, match="ann:") as failed:
        open_database(_ADDRESS, tmp_path)
    assert "s3cret-one" not in everything_said(failed.value)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (
            f"duplicate key\nDETAIL:  Key (id)=({CANARY}) already exists.\nCONTEXT:  COPY words, line 1",
            "duplicate key\nDETAIL:  ***\nCONTEXT:  COPY words, line 1",
        ),
        ('not there\nDETAIL:  Key (id)=(canary) is not present in table "words".\nmore',
         "not there\nDETAIL:  ***\nmore"),
        ("null\nDETAIL:  Failing row contains (canary\ncanary, 1).\nmore", "null\nDETAIL:  ***\nmore"),
        ('CONTEXT:  COPY words, line 7: "canary\n\t1"\nmore', "CONTEXT:  COPY words, line 7\nmore"),
        ('invalid input syntax for type double precision: "canary\n1"',
         "invalid input syntax for type double precision: ***"),
        ("Could not decode to UTF-8 column 'content' with text 'canary'",
         "Could not decode to UTF-8 column 'content' with text ***"),
        ('Constraint Error: Duplicate key "id: canary" violates primary key constraint.',
         "Constraint Error: Duplicate key *** violates primary key constraint."),
        ("Could not convert string 'canary's' to INT32", "Could not convert *** to INT32"),
        ("could not convert string to float: 'canary'", "could not convert string to float: ***"),
        ("invalid literal for int() with base 10: 'canary'", "invalid literal for int() with base 10: ***"),
        ("Could not convert 'canary' with type str: tried", "Could not convert *** with type str: tried"),
    ],
)  # fmt: skip
def test_words_of_drivers_and_libraries_are_cut_where_they_repeat_a_value(said: str, left: str) -> None:
    """Also where only the text of an error arrives: from another process, MLflow or a source of somebody else's."""
    assert without_secrets(said) == left
