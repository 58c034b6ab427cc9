"""Deployments whose models a program of the team trains, for tests of whole cycles."""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from pathlib import Path

from tests.made_deployments import TRAINED
from trueup.flows.app import App, open_app
from trueup.flows.train.asking import job_folder
from trueup.flows.train.collecting import is_at_work
from trueup.storage.trainers.training_requests import TrainerRequest, TrainerRequests

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "trainer"
ODD_JOB = Path(__file__).with_name("odd_job.py")
FIRST, SECOND = TRAINED, TRAINED + timedelta(hours=1)


def trained_by(command: list[str], *, candidates: tuple[str, ...] = (), **more: object) -> str:
    """The settings of a trainer that is a program."""
    keys = "".join(f"{name} = {json.dumps(value)}\n" for name, value in more.items())
    return (
        f"\n[streams.reviews.training]\ncandidates = {json.dumps(candidates)}\n\n[streams.reviews.training.trainer]\n"
        f"command = {json.dumps(command)}\n{keys}"
    )


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
    until = time.monotonic() + 900
    while (request := TrainerRequests(app.database).open_one("reviews")) and (
        is_at_work(app, request) or not (job_folder(app, request) / "watch.json").exists()
    ):
        assert time.monotonic() < until
        time.sleep(0.05)
