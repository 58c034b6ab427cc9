"""Passwords that are saved in Prefect as blocks, read from a real server of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from prefect.blocks.system import Secret

from trueup.feedback.sources.pulling import Feed
from trueup.flows.app import open_app
from trueup.flows.cycle.run import run_cycle
from trueup.flows.sources.opening import source_of
from trueup.storage.errors import ConfigError
from trueup.storage.secrets import without_secrets

pytestmark = pytest.mark.slow

SETTINGS = """
[streams.reviews]
id = "id"
time = "at"
text = ["content"]

[streams.reviews.source]
sql = "sqlite:///shop.db"
query = "SELECT * FROM reviews"
cursor = "at"

[streams.reviews.feedback_source]
sql = "postgresql://reader@127.0.0.1:9/shop"
query = "SELECT * FROM said"
cursor = "at"
block = "warehouse"
"""


@pytest.fixture
def folder(tmp_path: Path, prefect_api: str) -> Path:
    """A deployment whose records need no password, and whose feedback names a block."""
    (tmp_path / "trueup.toml").write_text(SETTINGS)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop, shop:
        shop.execute("CREATE TABLE reviews (id TEXT, at TEXT, content TEXT)")
        shop.execute("INSERT INTO reviews VALUES ('r1', '2024-01-01 10:00:00', 'good phone')")
    return tmp_path


@pytest.mark.parametrize("value", ["bl0ck-word", {"username": "reader", "password": "bl0ck-word"}])
def test_the_password_of_a_source_comes_from_its_block(folder: Path, value: object) -> None:
    """Alone or beside a name; from then on it is left out of every text."""
    Secret(value=value).save("warehouse", overwrite=True)
    app = open_app(folder / "trueup.toml")
    found = source_of(app, app.stream("reviews"), Feed.FEEDBACK)
    assert found._place.url.password == "bl0ck-word"  # type: ignore[attr-defined]
    assert "bl0ck-word" not in found._place.shown  # type: ignore[attr-defined]
    assert without_secrets("with bl0ck-word") == "with ***"
    app.close()


def test_a_block_that_is_not_there_fails_its_source_and_no_cycle(folder: Path) -> None:
    """The records come in beside it, and the incident says which block and what to do."""
    Secret(value="bl0ck-word").save("warehouse", overwrite=True)
    Secret.delete("warehouse")
    app = open_app(folder / "trueup.toml")
    stream = app.stream("reviews")
    with pytest.raises(ConfigError, match=r"feedback_source\] block = 'warehouse'.*Save it in Prefect"):
        source_of(app, stream, Feed.FEEDBACK)
    done = run_cycle(app, stream, datetime.fromisoformat("2024-01-02T00:00:00+00:00"))
    assert done["pulled"]["records"]["accepted"] == 1
    assert "block = 'warehouse'" in done["pulled"]["feedback"]["failed"]
    assert [one.codes for one in app.incidents.open_ones("reviews") if one.cause == "source"] == [("SOURCE",)]
    app.close()
