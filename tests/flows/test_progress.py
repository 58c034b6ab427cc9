"""Progress on a terminal: only of what takes long, gone at the end, and never where nobody looks."""

from __future__ import annotations

import os
import pty
import select
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

import trueup
from trueup.feedback.sources.pulling import Feed
from trueup.flows.app import open_app
from trueup.flows.cli import progress
from trueup.flows.cli.main import cli
from trueup.flows.cli.progress import counted, shown, working
from trueup.flows.cli.session import progress as console
from trueup.flows.sources.pull import pull

CURSOR_SHOWN, CURSOR_HIDDEN = "\x1b[?25h", "\x1b[?25l"


class Terminal:
    """A pseudo-terminal that standard error is, and what was written to it."""

    def __init__(self) -> None:
        self.ours, theirs = pty.openpty()
        self.stderr = os.fdopen(theirs, "w", encoding="utf-8", buffering=1)
        self.seen = ""

    def read(self, wait: float = 0.0) -> str:
        while select.select([self.ours], [], [], wait)[0]:
            self.seen += os.read(self.ours, 65536).decode()
            wait = 0.0
        return self.seen

    def until(self, met: Callable[[str], bool]) -> None:
        end = time.monotonic() + 60
        while not met(self.read(0.1)):
            assert time.monotonic() < end, self.seen[-500:]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Terminal]]:
    """Makes standard error a terminal; called within the test, since pytest takes it back after each fixture."""
    made = Terminal()

    def begun() -> Terminal:
        for name, value in {"TERM": "xterm", "COLUMNS": "100", "NO_COLOR": "1"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stderr", made.stderr)
        return made

    yield begun
    made.stderr.close()
    os.close(made.ours)


def test_what_is_quick_shows_nothing(terminal: Callable[[], Terminal], monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar that flashes by is noise: two seconds long there is none, here a minute, on a machine that is busy."""
    assert progress.PATIENCE == 2
    monkeypatch.setattr(progress, "PATIENCE", 60.0)
    seen = terminal()
    with counted("ingest") as moved, working("check"), shown(console(), "cycle") as watch:
        moved(1, 2)
        watch.on_step("score")
    assert seen.read() == ""


def test_what_takes_long_is_shown_and_gone_at_its_end(
    terminal: Callable[[], Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With how much is done and of how much, or what is being done; the cursor is there again afterwards."""
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    there = terminal()
    with counted("export") as moved:
        there.until(lambda seen: "export" in seen and CURSOR_HIDDEN in seen)
        moved(50_000, 300_000, "records")
        there.until(lambda seen: "export records" in seen and "50,000 of 300,000" in seen)
        moved(60_000, 0)
        there.until(lambda seen: "60,000 " in seen.rpartition("50,000 of 300,000")[2])
    assert there.read().rstrip().endswith(("\x1b[2K", CURSOR_SHOWN))
    with working("check"):
        there.until(lambda seen: "check 0:00:00" in seen)
    with shown(console(), "reviews") as watch:
        watch.on_step("score")
        there.until(lambda seen: "reviews: score" in seen)
    assert there.read().rfind(CURSOR_SHOWN) > there.seen.rfind(CURSOR_HIDDEN)


def test_an_interrupted_command_leaves_the_terminal_as_it_was(
    terminal: Callable[[], Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends the bar like everything else does."""
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    there = terminal()

    def interrupted() -> None:
        with working("check"):
            there.until(lambda seen: CURSOR_HIDDEN in seen)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert there.read().rfind(CURSOR_SHOWN) > there.seen.rfind(CURSOR_HIDDEN)


def test_no_terminal_gets_no_progress(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A log or a pipe stays as it is."""
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    with counted("ingest") as moved, working("check"), shown(console(), "cycle") as watch:
        moved(1, 2)
        watch.on_step("score")
    assert capsys.readouterr() == ("", "")


def test_a_pull_of_several_files_counts_on(tmp_path: Path) -> None:
    """Rows of the files before are done already, so that a bar goes forward only."""
    (tmp_path / "trueup.toml").write_text(
        '[streams.s]\nid = "id"\ntime = "at"\nnumeric = ["x"]\n[streams.s.source]\nfiles = "in/*.csv"\nsettle = "0s"\n'
    )
    (tmp_path / "in").mkdir()
    for name, rows in (("a", 3), ("b", 5)):
        lines = "".join(f"{name}{k},2024-01-01,{k}\n" for k in range(rows))
        (tmp_path / "in" / f"{name}.csv").write_text(f"id,at,x\n{lines}")
    app, told = open_app(tmp_path / "trueup.toml"), list[tuple[int, int]]()
    pull(app, app.stream("s"), Feed.RECORDS, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(3, 3), (8, 8)]
    app.close()


def test_a_note_of_many_pages_is_told_once(tmp_path: Path) -> None:
    """A first pull of years has hundreds; each would say the same of its own rows."""
    (tmp_path / "trueup.toml").write_text(
        '[streams.s]\nid = "id"\ntime = "at"\nnumeric = ["x"]\n[streams.s.label]\ncolumn = "stars"\n'
        'classes = { bad = "<=2", good = ">=4" }\n'
        '[streams.s.source]\nsql = "sqlite:///shop.db"\nquery = "SELECT * FROM shop"\ncursor = "id"\n'
    )
    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop, shop:
        shop.execute("CREATE TABLE shop (id INTEGER, at TEXT, x REAL, stars INTEGER)")
        shop.executemany("INSERT INTO shop VALUES (?, '2024-01-01', 1.5, ?)", [(k, 3 + k % 2) for k in range(45_000)])
    with trueup.open(tmp_path / "trueup.toml", tmp_path / ".trueup") as opened:
        done = opened.stream().ingest()
    assert (done.accepted, len(done.notes)) == (45_000, 1)
    assert "10,000 of 20,000 labels match no class" in done.notes[0]
    config = ["--config", str(tmp_path / "trueup.toml"), "--home", str(tmp_path / ".trueup")]
    assert "files:" not in CliRunner().invoke(cli, ["ingest", *config]).stdout
