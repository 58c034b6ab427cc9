"""What a team's trainer was given is erased with the rows, its open job is asked anew, and its models are named."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.found_bytes import places_of
from tests.made_deployments import TRAINED, WEEK, take_in
from tests.made_person import CANARY
from tests.made_trainers import EXAMPLES, FIRST, SECOND, open_one, saying, trained_by, wait, with_trainer
from trueup.feedback.intake import ingest
from trueup.flows.app import App
from trueup.flows.audit.verify import trained_on_erased, verify
from trueup.flows.cycle.run import run_cycle
from trueup.flows.demo.reviews import HEALTHY
from trueup.flows.erase.run import erase
from trueup.flows.train.asking import job_folder
from trueup.storage.trainers.training_requests import RequestState, TrainerRequests
from trueup.training.trainers.program import end_program

HOARD = """
import os, pathlib, shutil, time
given = pathlib.Path(os.environ['TRUEUP_JOB'])
shutil.copy(given / 'rows.parquet', pathlib.Path.home() / 'kept.parquet')
print(open(given / 'rows.parquet', 'rb').read().count(b'PAR1'), flush=True)
pathlib.Path(given, 'begun').touch()
time.sleep(600)
"""


@pytest.fixture
def apps() -> Iterator[list[App]]:
    opened: list[App] = []
    yield opened
    for app in opened:
        for request in TrainerRequests(app.database).history("reviews"):
            end_program(job_folder(app, request), 0.5)
        app.close()


def with_a_canary(app: App, records: int = 3) -> None:
    """Reviews of one person before everything that is trained, each with the word in it."""
    file = app.home.parent / "canary.csv"
    with file.open("w") as rows:
        rows.write("review_id,at,text,stars,product\n")
        for k in range(records):
            rows.write(f"{CANARY}-{k},2024-01-0{k + 2} 10:00,{CANARY} was here {CANARY}s,{1 + 4 * (k % 2)},p\n")
    done = ingest(app.store, app.stream("reviews"), [str(file)], now=app.now())
    assert done.accepted == records


def begun(app: App) -> Path:
    """The folder of the open job, whose program is at work."""
    folder = job_folder(app, open_one(app))
    until = time.monotonic() + 120
    while not (folder / "job" / "begun").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    return folder


def test_an_open_job_ends_and_is_asked_again_without_the_rows(tmp_path: Path, apps: list[App]) -> None:
    """With the copy that its program made; the next cycle gives it what is left, under the next try's key."""
    app = with_trainer(tmp_path, trained_by(saying(HOARD), grace="1s"))
    apps.append(app)
    with_a_canary(app, 1)
    stream = app.stream("reviews")
    run_cycle(app, stream, FIRST)
    folder = begun(app)
    assert any("kept.parquet" in place for place in places_of(CANARY, folder))
    program = json.loads((folder / "watch.json").read_text())["program"]["pid"]
    done = erase(app, stream, record=f"{CANARY}-0", why="request")
    assert (done["erased"], done["records"], done["versions"]) == (True, 1, [])
    assert not psutil.pid_exists(program) or psutil.Process(program).status() == psutil.STATUS_ZOMBIE
    assert places_of(CANARY, app.home) == []
    following, former = TrainerRequests(app.database).history("reviews")
    assert (former.state, former.attempt) == (RequestState.AGAIN, 1)
    assert "asked again without them" in former.told["said"]
    assert (following.state, following.attempt) == (RequestState.OPEN, 2)
    assert run_cycle(app, stream, SECOND)["trainer"]["state"] == "open"
    again = begun(app)
    assert again.name == following.key
    assert places_of(CANARY, app.home) == []


def test_a_job_that_was_not_given_the_rows_goes_on(tmp_path: Path, apps: list[App]) -> None:
    """A record that came after the job began stands in none of its files."""
    app = with_trainer(tmp_path, trained_by(saying(HOARD), grace="1s"))
    apps.append(app)
    stream = app.stream("reviews")
    run_cycle(app, stream, FIRST)
    folder = begun(app)
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}
    with_a_canary(app, 1)
    assert erase(app, stream, record=f"{CANARY}-0", why="request")["erased"]
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()} == before
    assert [request.state for request in TrainerRequests(app.database).history("reviews")] == [RequestState.OPEN]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_trainers_model_answers_on_and_is_named(tmp_path: Path, apps: list[App]) -> None:
    """Its pickle is left byte by byte, so it answers and verifies, and nothing else holds the word."""
    app = with_trainer(tmp_path, trained_by([sys.executable, str(EXAMPLES / "train.py")]))
    apps.append(app)
    with_a_canary(app)
    stream = app.stream("reviews")
    run_cycle(app, stream, FIRST)
    wait(app)
    assert run_cycle(app, stream, SECOND)["promotion"] == {"from_version": None, "to_version": 1}
    for k in range(3):
        done = erase(app, stream, record=f"{CANARY}-{k}", why="request")
        assert (done["erased"], done["versions"]) == (True, [1])
    (named,) = [place for place in done["left"] if place.startswith("v1 was made by train.py")]
    assert "its files may hold words of the rows" in named
    left = places_of(CANARY, app.home)
    assert left
    assert {os.path.basename(place) for place in left} == {"python_model.pkl"}
    assert verify(app, stream) == ()
    assert [note.split()[2] for note in trained_on_erased(app, stream)] == ["v1"]
    take_in(app, tmp_path, 2, TRAINED, WEEK, HEALTHY)
    assert run_cycle(app, stream, TRAINED + WEEK)["check"]["signals"]
