"""No password leaves trueup in a text, whoever wrote it: MLflow, SQLAlchemy, a mail server, or we."""

from __future__ import annotations

import logging

import pytest
import sqlalchemy as sa

from trueup.storage import secrets
from trueup.storage.database import open_database
from trueup.storage.secrets import keep_out_of_logs, passwords_in, remember, without_secrets


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_known", set())


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("at http://ann:hunter22@mlflow:5000/api failed", "at http://ann:***@mlflow:5000/api failed"),
        ("postgresql+psycopg://ann:p%40ss@db/x?sslpassword=key1&a=b",
         "postgresql+psycopg://ann:***@db/x?sslpassword=***&a=b"),
        ("two: s3://k:v@b and http://:only@h", "two: s3://k:***@b and http://:***@h"),
        ("an @ in it: http://u:p@ss@host/", "an @ in it: http://u:***@host/"),
        ("(url='http://u:p@h')", "(url='http://u:***@h')"),
        ("https://example.org/a:b@c and ann@example.org stay", "https://example.org/a:b@c and ann@example.org stay"),
        ("https://example.org:8080/?q=1", "https://example.org:8080/?q=1"),
    ],
)  # fmt: skip
def test_passwords_of_addresses_are_hidden(said: str, left: str) -> None:
    """Wherever the address stands; the rest of the text stays."""
    assert without_secrets(said) == left


def test_known_passwords_are_hidden_as_they_are_and_as_addresses_write_them() -> None:
    """The server's own words may name a password alone."""
    remember([*passwords_in("http://ann:correct%20horse@mlflow"), "xy"])
    said = without_secrets("login 'correct horse' (correct%20horse, correct+horse) refused for xy")
    assert said == "login '***' (***, ***) refused for xy"


def test_a_name_that_stands_for_a_password_is_one() -> None:
    """As in https://TOKEN@host; the user of a database is none."""
    assert without_secrets("at https://ghp_12345@host/x") == "at https://***@host/x"
    assert without_secrets("postgresql://trueup@db/x") == "postgresql://trueup@db/x"
    assert passwords_in("postgresql://db/x?user=ann&password=open%20sesame") == ("open%20sesame", "open sesame")
    assert passwords_in("sqlite:////home/x.db") == passwords_in("http://[bad") == passwords_in("s3://bucket/x") == ()


def test_a_password_that_is_a_word_of_ours_spoils_no_text() -> None:
    """It is hidden in addresses alone; another plain word only where it stands by itself."""
    remember(["trueup", "stars"], apart_from=("trueup",))
    said = without_secrets("postgresql://u:trueup@db: run trueup train; stars is hidden, starship is not")
    assert said == "postgresql://u:***@db: run trueup train; *** is hidden, starship is not"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("http://u:a/b#c@host is no address", "http://u:***@host is no address"),
        ("Authorization: Basic YW5uOm9wZW4gc2VzYW1l", "Authorization: Basic ***"),
        ("a Basic understanding stays", "a Basic understanding stays"),
        ("null value\nDETAIL:  Failing row contains (1, a private text).", "null value\nDETAIL:  ***"),
        ("[SQL: x]\n[parameters: ('a private text', [1])]\n(at y)", "[SQL: x]\n[parameters: ***]\n(at y)"),
        ("<p>a&amp;b'c</p> repr 'a&b\\'c'", "<p>a&amp;b'c</p> repr 'a&b\\'c'"),
    ],
)
def test_secrets_of_other_kinds_are_hidden(said: str, left: str) -> None:
    """Wrongly written addresses, headers of a request, and what a database repeats of a row."""
    assert without_secrets(said) == left


def test_a_password_is_hidden_however_it_is_written() -> None:
    """In HTML, in an address, and as Python shows it."""
    remember(["a&b'c\\d"])
    said = without_secrets("a&b'c\\d a&amp;b&#x27;c\\d a%26b%27c%5Cd " + repr("a&b'c\\d"))
    assert said == '*** *** *** "***"'


def test_no_log_carries_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever logs it: in the words, in what is put into them, and in a traceback."""
    remember(["open sesame"])
    keep_out_of_logs()
    logger = logging.getLogger("of somebody else")
    try:
        raise OSError("login with open sesame refused")
    except OSError:
        logger.exception("at %s", "http://ann:open%20sesame@mlflow")
    logger.warning("plain %s", "words")
    assert "http://ann:***@mlflow" in caplog.text
    assert "login with *** refused" in caplog.text
    assert "open" not in caplog.text
    assert "plain words" in caplog.text


def test_a_failed_insert_prints_no_row(tmp_path: object) -> None:
    """SQLAlchemy adds the values of a statement to its errors, which are people's reviews."""
    database = open_database("", tmp_path)  # type: ignore[arg-type]
    row = {"n": "a private text"}
    with database.write() as connection:
        connection.execute(sa.text("INSERT INTO streams (name, next_seq) VALUES (:n, 0)"), row)
        with pytest.raises(sa.exc.IntegrityError) as failed:
            connection.execute(sa.text("INSERT INTO streams (name, next_seq) VALUES (:n, 0)"), row)
    assert "a private text" not in str(failed.value)
    database.close()
