"""Deployments whose models a program of the team trains, for tests of whole cycles."""

from __future__ import annotations

import atexit
import json
import shutil
import sys
import tempfile
import time
from datetime import timedelta
from functools import cache
from pathlib import Path

from tests.made_deployments import TRAINED, deployed
from trueup.flows.app import App, open_app
from trueup.flows.train.asking import job_folder
from trueup.flows.train.collecting import is_at_work
from trueup.storage.trainers.training_requests import TrainerRequest, TrainerRequests

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "trainer"
ODD_JOB = Path(__file__).with_name("odd_job.py")
_FEW = 400  # records, of which the gate of a first champion needs 50 with a label on the evaluation side
FIRST, SECOND = TRAINED, TRAINED + timedelta(hours=1)


def trained_by(command: list[str], *, candidates: tuple[str, ...] = (), **more: object) -> str:
    """The settings of a trainer that is a program."""
    keys = "".join(f"{name} = {json.dumps(value)}\n" for name, value in more.items())
    return (
        f"\n[streams.reviews.training]\ncandidates = {json.dumps(candidates)}\n\n[streams.reviews.training.trainer]\n"
        f"command = {json.dumps(command)}\n{keys}"
    )


def with_trainer(folder: Path, training: str) -> App:
    """A deployment of few records with nothing trained: taken in once for all who ask, each gets a copy."""
    shutil.copytree(_taken_in(), folder, dirs_exist_ok=True)
    (folder / ".trueup" / "deployment.json").unlink()  # nobody is told that it is a copy
    return opened_with(folder, training)


@cache
def _taken_in() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="trueup-taken-in-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    deployed(folder, rows=_FEW).close()
    return folder


def saying(code: str) -> list[str]:
    """A program of one line."""
    return [sys.executable, "-c", code]


def opened_with(folder: Path, training: str) -> App:
    """The deployment in a folder, opened again with other settings of the training, which end its file."""
    file = folder / "trueup.toml"
    file.write_text(file.read_text().partition("\n[streams.reviews.training]")[0] + training)
    return open_app(file, folder / ".trueup")


def open_one(app: App) -> TrainerRequest:
    """What the trainer is asked for."""
    request = TrainerRequests(app.database).open_one("reviews")
    assert request is not None
    return request


def wait(app: App) -> None:
    """Until nobody is at work any more: what a schedule does by coming later."""
    until = time.monotonic() + 1500
    while (request := TrainerRequests(app.database).open_one("reviews")) and (
        is_at_work(app, request) or not (job_folder(app, request) / "watch.json").exists()
    ):
        assert time.monotonic() < until
        time.sleep(0.2)
