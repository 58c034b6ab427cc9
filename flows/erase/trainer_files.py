"""What a team's own trainer was given and gave back: an open job ends and goes, models are named."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy.engine import Connection

from trueup.flows.app import App
from trueup.flows.train.asking import JOBS, clear_folder, job_folder
from trueup.flows.train.deployment_run import PrefectSilent, cancel_runs, was_asked
from trueup.storage.promotions import VersionRecord
from trueup.storage.stream import StreamSettings
from trueup.storage.trainers.training_requests import RequestState, TrainerRequest, TrainerRequests


def handed_out(app: App, request: TrainerRequest | None) -> set[str]:
    """The file of the rows that a trainer is at work on, where it is still known."""
    given = {request.terms["snapshot"]} if request is not None else set()
    return {name for name in given if app.archive.exists(name)}


def take_back(app: App, stream: StreamSettings, request: TrainerRequest | None, *, holds: bool) -> Iterator[str]:
    """Remove what trainers of a stream were given; what may still hold it, in words.

    request: the open one. holds: whether some of the erased rows were given to it: then its job is ended first.
    """
    if request is not None and holds:
        yield from _ended(app, request)
    place = app.home / JOBS / stream.name
    for folder in sorted(place.iterdir()) if place.is_dir() else ():
        if request is None or folder.name != request.key:
            clear_folder(folder)  # its collecting was cut short
        elif holds:
            shutil.rmtree(folder, ignore_errors=True)
            if folder.exists():
                yield f"'{folder}', which was handed to {request.trainer.name}, cannot be removed: remove it."


def _ended(app: App, request: TrainerRequest) -> Iterator[str]:
    from trueup.training.trainers.program import end_program

    folder, trainer, host = job_folder(app, request), request.trainer, request.terms["host"]
    if trainer.deployment and was_asked(folder):
        try:
            cancel_runs(folder)
            yield (
                f"The run of {trainer.deployment} that was given the rows was cancelled, and may still run: end it "
                "where it does."
            )
        except PrefectSilent as error:
            yield f"The run of {trainer.deployment} that was given the rows goes on, since Prefect is silent: {error}"
    elif host != socket.gethostname() and not folder.exists():
        yield f"{trainer.name} was given the rows on {host}: end it there, and remove '{folder}'."
    else:
        end_program(folder, trainer.grace_span.total_seconds())


def ask_again(app: App, connection: Connection, request: TrainerRequest, made: Mapping[str, str]) -> None:
    """Have the next cycle ask for the same training without the erased rows. made: new files by former name."""
    former = request.terms["snapshot"]
    following = request.tried_again(app.now())
    requests = TrainerRequests(app.database)
    said = f"Rows that {request.trainer.name} was given were erased, so it is asked again without them."
    requests.close(connection, request.key, RequestState.AGAIN, app.now(), said=said)
    requests.add(connection, replace(following, terms={**following.terms, "snapshot": made.get(former, former)}))


def kept_by_trainers(records: Sequence[VersionRecord], versions: Sequence[int]) -> Iterator[str]:
    """The models that trainers made of erased rows, in words. records: of all versions; versions: made of such rows."""
    for record in records:
        trainer = record.document.get("lineage", {}).get("trainer")
        if trainer and record.version in versions:
            yield (
                f"v{record.version} was made by {trainer['name']}: its files may hold words of the rows, and stay as "
                "they are, since it answers only unchanged. So may what the trainer keeps elsewhere. Train again, and "
                f"remove the model of MLflow's run {record.run_id} once it answers nothing."
            )


def jobs_apart(app: App, stream: StreamSettings, request: TrainerRequest | None) -> list[Path]:
    """Folders of jobs that hold nothing of the erased rows and may be at work."""
    others = [app.home / JOBS / name for name in app.settings.streams if name != stream.name]
    return [*others, *([job_folder(app, request)] if request is not None else [])]
