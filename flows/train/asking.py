"""Asking a trainer for a model: the request is durable before the job begins, and one key names one try."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from trueup.flows.app import App
from trueup.flows.check.labels import snapshot_rows
from trueup.flows.train.data_checks import check_training_data
from trueup.flows.train.deployment_run import NoDeployment, PrefectSilent, begin_run, was_asked
from trueup.storage import snapshots
from trueup.storage.content import seed_of
from trueup.storage.leases import Lease
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import to_minute
from trueup.storage.trainers.training_requests import TrainerRequest, TrainerRequests, try_key

JOBS = "jobs"  # within the home folder
_OUTPUT = ("stdout.txt", "stderr.txt")  # stay until the next training is asked for


def ask_trainer(
    app: App, lease: Lease, stream: StreamSettings, as_of: datetime, *, run: str, asked: Mapping[str, Any], who: str
) -> TrainerRequest:
    """Write down what the trainer is asked for, then let it begin; done again it changes nothing.

    Args:
        run: names the training; asked for again, it is the same one.
        asked: who or what asked for it, as `trueup.flows.train.lineage` puts it.

    Raises:
        NotTrainable: the records or labels do not suffice for a training.
        LeaseHeld: the lease was lost; nobody is asked.
    """
    rows = snapshot_rows(app, stream, as_of)
    from trueup.training.trainers.handover import folds_to_withhold

    data = check_training_data(app, stream, rows, as_of)
    trainer, now = stream.training.trainer, app.now()
    folds = folds_to_withhold(rows) if trainer.judged_by == "folds" else ()
    request = TrainerRequest(
        key=try_key(run, 1),
        stream=stream.name,
        run=run,
        attempt=1,
        as_of=as_of,
        asked_at=now,
        deadline=now + (1 + len(folds)) * trainer.limit_span,
        asked=dict(asked),
        terms={
            "trainer": trainer.model_dump(mode="json"),
            "snapshot": snapshots.keep(app.archive, stream.name, rows),
            "features": list(stream.features),
            "seed": seed_of(stream, as_of),
            "host": socket.gethostname(),
            "who": who,
            "data": [dict(test) for test in data],
            "folds": list(folds),
        },
        told={},
    )
    with lease.transaction(app.database) as connection:
        TrainerRequests(app.database).add(connection, request)
    _clear_former(app, request)
    begin_job(app, stream, request)
    return request


def begin_job(app: App, stream: StreamSettings, request: TrainerRequest) -> None:
    """Write the job's folders and start its program; what is done of that already is not done again."""
    from trueup.training.trainers.handover import (
        JOB_FILE,
        JobIdentity,
        job_document,
        job_parts,
        part_of,
        rows_table,
        write_job,
    )
    from trueup.training.trainers.program import start_program, was_started

    folder = job_folder(app, request)
    if was_started(folder) or was_asked(folder):
        return
    identity = JobIdentity(
        run=request.run, attempt=request.attempt, as_of=request.as_of, deadline=request.deadline,
        seed=request.terms["seed"], snapshot=Path(request.terms["snapshot"]).stem,
    )  # fmt: skip
    unwritten = [fold for fold in (None, *request.folds) if not (folder / part_of(fold) / JOB_FILE).exists()]
    rows = rows_of(app, stream, request) if unwritten else Rows.empty(stream.columns)
    for fold in unwritten:
        write_job(folder / part_of(fold), job_document(stream, identity, rows, fold), rows_table(stream, rows, fold))
    if request.trainer.deployment:
        with suppress(NoDeployment, PrefectSilent):  # the cycle that collects it asks again, and tells
            begin_run(folder, request)
        return
    left = (request.deadline - app.now()).total_seconds()
    start_program(folder, request.trainer, left, app.beside(""), os.environ, parts=job_parts(request.folds))


def job_folder(app: App, request: TrainerRequest) -> Path:
    """Where a try's job lies."""
    return app.home / JOBS / request.stream / request.key


def rows_of(app: App, stream: StreamSettings, request: TrainerRequest) -> Rows:
    """The rows that a trainer was asked to learn from, both sides, with all their labels."""
    return snapshots.load(app.archive, request.terms["snapshot"], regression=stream.is_regression)


def empty_job_folder(app: App, request: TrainerRequest) -> None:
    """Remove what a closed job holds of the stream's data; what its program wrote to its output stays for a while."""
    clear_folder(job_folder(app, request))


def clear_folder(folder: Path) -> None:
    """Remove what a job's folder holds but the output of its program."""
    for inner in folder.iterdir() if folder.is_dir() else ():
        if inner.name not in _OUTPUT:
            shutil.rmtree(inner, ignore_errors=True) if inner.is_dir() else inner.unlink(missing_ok=True)


def open_request_words(request: TrainerRequest) -> str:
    """A request that is open, in words."""
    tries = f", try {request.attempt}" if request.attempt > 1 else ""
    return (
        f"{request.trainer.name} trains a challenger since {to_minute(request.asked_at)}{tries}, "
        f"until {to_minute(request.deadline)} at most"
    )


def trainer_document(request: TrainerRequest, state: str, said: str) -> dict[str, Any]:
    """A request as a cycle keeps it and `trueup cycle --json` prints it."""
    kept = {name: value for name, value in asdict(request).items() if name in ("run", "attempt")}
    return {
        "name": request.trainer.name, **kept, "state": state, "asked_at": request.asked_at.isoformat(),
        "deadline": request.deadline.isoformat(), "said": said,
    }  # fmt: skip


def _clear_former(app: App, request: TrainerRequest) -> None:
    """Remove the folders of the stream's earlier jobs."""
    place = app.home / JOBS / request.stream
    for folder in place.iterdir() if place.is_dir() else ():
        if folder.name != request.key:
            shutil.rmtree(folder, ignore_errors=True)
