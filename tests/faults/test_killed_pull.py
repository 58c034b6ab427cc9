"""A pull that is killed, at whichever statement, loses no row of its source and doubles none."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.faults.test_killed_cycle import in_a_process
from trueup.feedback.sources.pulling import Feed
from trueup.flows.app import open_app
from trueup.flows.sources.pull import pull

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

STREAM = """
[streams.reviews]
id = "id"
time = "at"
text = ["text"]

[streams.reviews.label]
column = "stars"

[streams.reviews.source]
"""
PLACES = {
    "files": 'files = "exports/*.csv"\nsettle = "0s"\n',
    "sql": 'sql = "sqlite:///shop.db"\nquery = "SELECT * FROM reviews"\ncursor = "n"\nlook_back = 3\n',
}
PAGE = 4
FRESH = 10  # rows that a round adds; beside them come two that are there already and one that is refused
MOST = 200  # statements of a pull; far fewer are needed


def add(folder: Path, kind: str, round_: int) -> None:
    """What the exporter writes before a round: new rows, two that it wrote before, and one without a text."""
    rows = [(f"r{round_}-{k}", f"2024-01-{k + 1:02} 10:00:00", f"words {k}", str(k % 5 + 1)) for k in range(FRESH)]
    rows += [(f"r{round_ - 1}-{k}", f"2024-01-{k + 1:02} 10:00:00", f"words {k}", str(k % 5 + 1)) for k in (0, 1)]
    rows.append((f"bad{round_}", "2024-01-20 10:00:00", "", "1"))
    if kind == "files":
        (folder / "exports").mkdir(exist_ok=True)
        lines = "".join(f"{','.join(row)}\n" for row in rows)
        (folder / "exports" / f"{round_:03}.csv").write_text(f"id,at,text,stars\n{lines}")
        return
    with closing(sqlite3.connect(folder / "shop.db")) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS reviews (n INTEGER PRIMARY KEY, id, at, text, stars)")
        connection.executemany("INSERT INTO reviews (id, at, text, stars) VALUES (?, ?, ?, ?)", rows)


def pulled(folder: Path, kill_at: int | None = None) -> bool:
    """Pull in a process of its own, killed before its store's statement of that number; whether it came to its end."""

    def work() -> None:
        pytest.MonkeyPatch().setattr("trueup.flows.sources.sql_opening.SQL_PAGE", PAGE)
        app = open_app(folder / "trueup.toml", folder / ".trueup")
        seen = [0]

        def count(*_: Any) -> None:
            seen[0] += 1
            if seen[0] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        for moment in ("before_cursor_execute", "commit"):
            sa.event.listen(app.database.engine, moment, count)
        pull(app, app.stream("reviews"), Feed.RECORDS)
        os._exit(0)

    status = in_a_process(work)
    assert status in (0, -signal.SIGKILL)
    return status == 0


@pytest.mark.parametrize("kind", list(PLACES))
@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_a_killed_pull_loses_and_doubles_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, on: str
) -> None:
    """Killed at each statement and before each commit in turn; the next pull brings what is missing, once."""
    url = request.getfixturevalue("postgres_store") if on == "postgresql" else ""
    (tmp_path / "trueup.toml").write_text(STREAM + PLACES[kind] + f'\n[store]\nurl = "{url}"\n')
    add(tmp_path, kind, 0)
    assert pulled(tmp_path)
    app = open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")
    stream, round_, whole = app.stream("reviews"), 0, False
    while not whole:
        round_ += 1
        add(tmp_path, kind, round_)
        whole = pulled(tmp_path, round_)
        assert pulled(tmp_path)
        meta = app.reader.read(stream, as_of=app.now()).meta
        expected = {f"r{r}-{k}" for r in range(round_ + 1) for k in range(FRESH)} | {"r-1-0", "r-1-1"}
        assert len(meta) == len(expected), round_
        assert set(meta["id"]) == expected
        assert meta["label"].notna().all()
        refused = [item.raw for item in app.store.quarantine.items(stream, limit=None)]
        assert len(refused) == len(set(refused)) == round_ + 1
        assert round_ < MOST
    assert round_ > 10
    app.close()
