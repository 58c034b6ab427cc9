"""What an erasure sweeps up is never what a writer of the same moment reuses or is about to name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.test_killed_cycle import in_a_process
from tests.made_person import CANARY, PERSON, nothing_is_left, opened, rows_of, with_a_person
from trueup.feedback.intake import ingest
from trueup.flows.app import App
from trueup.flows.erase import run as erasing
from trueup.flows.erase.run import erase
from trueup.storage.archive import Archive
from trueup.storage.erasure.erased_rows import ErasedRows
from trueup.storage.records import appending

REPO = Path(__file__).resolve().parents[2]
# Takes files in, as another process does; with a third argument it stops amid its first file until a flag is there.
WRITER = """
import json, os, sys, time
from pathlib import Path
from tests.made_person import opened
from trueup.feedback.intake import ingest

folder, flag, files = Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] else None, sys.argv[3:]
replace = os.replace

def waited(part, target):
    if flag is not None and "/archive/" in str(part):
        (flag.parent / "amid").touch()
        until = time.monotonic() + 120
        while not flag.exists():
            assert time.monotonic() < until
            time.sleep(0.02)
    replace(part, target)

os.replace = waited
app = opened(folder)
done = [ingest(app.store, app.stream("reviews"), [file], now=app.now()) for file in files]
print(json.dumps([(one.accepted, one.erased) for one in done]))
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store."""
    return request.getfixturevalue("empty_postgres") if request.param == "postgresql" else ""


@pytest.fixture
def app(database: str, tmp_path: Path) -> Iterator[App]:
    with_a_person(tmp_path / "one", database).close()
    rows_of(41, 45).to_csv(tmp_path / "others.csv", index=False)
    rows_of(44, 52).to_csv(tmp_path / "mixed.csv", index=False)
    found = opened(tmp_path / "one")
    yield found
    found.close()


NEW = [name for name in rows_of(41, 52)["id"] if CANARY not in name]


def writer(app: App, *files: str, flag: Path | None = None) -> subprocess.Popen[str]:
    folder = app.home.parent
    given = [str(folder), str(flag or ""), *(str(folder.parent / name) for name in files)]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPO), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen([sys.executable, "-c", WRITER, *given], env=variables, stdout=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str]) -> list[list[int]]:
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0
    return json.loads(said)


def killed_before_its_row(app: App, name: str) -> None:
    """A process takes a file in and dies when its Parquet stands and no table names it yet."""
    folder = app.home.parent

    def work() -> None:
        write = appending.write_segment

        def last(*given: Any, **named: Any) -> Any:
            write(*given, **named)
            os.kill(os.getpid(), signal.SIGKILL)

        appending.write_segment = last
        mine = opened(folder)
        ingest(mine.store, mine.stream("reviews"), [str(folder.parent / name)], now=mine.now())

    app.close()
    assert in_a_process(work) == -signal.SIGKILL


def test_a_file_that_a_writer_reuses_amid_the_sweep_stays(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer waits for the sweep, names the file that a dead one had left, and only then files are removed."""
    killed_before_its_row(app, "others.csv")
    killed_before_its_row(app, "mixed.csv")
    lying = set(app.archive.names("records/reviews"))
    running: list[subprocess.Popen[str]] = []
    came: list[list[list[int]]] = []
    sweep, remove = erasing.forgotten_files, Archive.remove

    def swept(*given: Any) -> list[str]:
        running.append(writer(app, "others.csv", "mixed.csv"))
        return list(sweep(*given))

    def removed_when_it_is_done(self: Archive, name: str) -> int:
        if running and not came:
            came.append(told(running[0]))
        return remove(self, name)

    monkeypatch.setattr(erasing, "forgotten_files", swept)
    monkeypatch.setattr(Archive, "remove", removed_when_it_is_done)
    assert erase(app, app.stream("reviews"), user=PERSON, why="request")["erased"]
    assert came == [[[4, 0], [5, 2]]]
    named = set(app.archive.names("records/reviews"))
    assert len(lying & named) == 1, "the file of others is the one that the dead writer had left"
    nothing_is_left(app, NEW)


def test_a_file_that_is_being_written_when_the_sweep_comes_stays(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its writer holds the stream, so the sweep comes when the file has its name and its row."""
    flag = app.home.parent.parent / "flag"
    running: list[subprocess.Popen[str]] = []
    rewritten: Callable[..., Any] = ErasedRows.rewritten

    def with_a_writer(self: ErasedRows, *given: Any) -> Any:
        made = rewritten(self, *given)
        running.append(writer(app, "others.csv", "mixed.csv", flag=flag))
        while not (flag.parent / "amid").exists():
            assert running[0].poll() is None
        flag.touch()
        return made

    monkeypatch.setattr(ErasedRows, "rewritten", with_a_writer)
    assert erase(app, app.stream("reviews"), user=PERSON, why="request")["erased"]
    assert told(running[0]) == [[4, 0], [5, 2]]
    nothing_is_left(app, NEW)
