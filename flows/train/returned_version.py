"""A model that a trainer gave back, as a registered version with the same references as one of ours."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.flows.alert.incidents import incident_for
from trueup.flows.app import App
from trueup.flows.train.asking import job_folder, rows_of
from trueup.flows.train.description import in_markdown, story_of
from trueup.flows.train.lineage import lineage, lineage_files, occasion_of, settings_of
from trueup.flows.train.run import Trained
from trueup.reports.masking import masks_at
from trueup.storage import snapshots
from trueup.storage.errors import ModelUnusable
from trueup.storage.leases import Lease
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows, unique_content
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso, utc
from trueup.storage.trainers.training_requests import TrainerRequest

if TYPE_CHECKING:
    from trueup.training.registry.registry import Version
    from trueup.training.trainers.returned import TrainerResult


def register_returned(
    app: App, lease: Lease, stream: StreamSettings, request: TrainerRequest, *, judged_after: datetime | None
) -> Trained:
    """Register what a trainer gave back; done again after a crash it finds the version that it had registered.

    judged_after: from when on rows judge it; None: the evaluation side does.

    Raises:
        ModelUnusable: what it gave back cannot be used.
        LeaseHeld: the lease was lost.
        TrueupError: registry or archive fail.
    """
    from trueup.training.gate.leak import perfect_test
    from trueup.training.models.fitting import learnable
    from trueup.training.models.metrics import all_metrics
    from trueup.training.models.out_of_time import held_out_blocks
    from trueup.training.models.recency import recent_row_count
    from trueup.training.trainers.fold_answers import returned_by_fold
    from trueup.training.trainers.handover import classes_to_answer, part_of
    from trueup.training.trainers.returned import read_result, recipe_of, returned_answers
    from trueup.training.trainers.watchdog import JOB_FOLDER

    registered = app.registry.find_version_by_tag(stream.name, "cycle", request.key)
    known = app.promotions.version(stream.name, registered.number) if registered else None
    if registered and known and known.run_id == registered.run_id:
        return trained_elsewhere(known)
    _need_same_features(stream, request)
    rows, job = rows_of(app, stream, request), job_folder(app, request) / JOB_FOLDER
    result, classes = read_result(job, request.run), classes_to_answer(stream, rows)
    held_out = returned_answers(stream, job, rows, rows.meta["evaluation"].to_numpy(dtype=bool), classes)
    judged = held_out.take(held_out.labelled)
    metrics = all_metrics(
        stream.task, judged.meta["label"].to_numpy(), judged.meta["predicted"].to_numpy(),
        judged.meta["score"].to_numpy(), classes,
    )  # fmt: skip
    by_fold = None
    if request.folds:
        jobs = {fold: job_folder(app, request) / part_of(fold) for fold in request.folds}
        by_fold = returned_by_fold(stream, jobs, rows, classes)
    past = held_out_blocks(stream, rows, judged, by_fold)
    recipe = recipe_of(request.trainer)
    learning = rows.take(~rows.meta["evaluation"].to_numpy(dtype=bool))
    used = learnable(stream, learning, recipe, recent_row_count(stream, rows))
    source = {
        **lineage(app, rows, snapshot=request.terms["snapshot"], seed=request.terms["seed"], asked=request.asked),
        "trainer": _trainer_of(request, result) | {"judged_after": judged_after and iso(judged_after)},
    }
    if registered is None:
        registered = _register(
            app, lease, stream, request, rows, result, classes, metrics, source, len(judged), by_fold
        )
    record = VersionRecord(
        stream=stream.name,
        version=registered.number,
        run_id=registered.run_id,
        cut_off=utc(rows.meta["time"].iloc[-1].to_pydatetime()),
        trained_as_of=request.as_of,
        snapshot=request.terms["snapshot"],
        reference=snapshots.keep(app.archive, stream.name, unique_content(held_out, rows)),
        quality=snapshots.keep(app.archive, stream.name, past.rows, block=past.blocks),
        document={
            "recipe": recipe.params(),
            "candidates": [],
            "metrics": metrics,
            "rows": len(rows),
            "labels": len(used),
            "seed": request.terms["seed"],
            "lineage": source,
            "settings": settings_of(stream),
            "data": [*request.terms["data"], asdict(perfect_test(stream, metrics, len(judged)))],
        },
    )
    app.promotions.add_version(lease, record)
    return trained_elsewhere(record)


def _need_same_features(stream: StreamSettings, request: TrainerRequest) -> None:
    if list(stream.features) != request.terms["features"]:
        raise ModelUnusable(
            f"The features of '{stream.name}' are others by now than those that {request.trainer.name} was asked to "
            "learn from, so its model was not used. The next training is asked with today's."
        )


def _trainer_of(request: TrainerRequest, result: TrainerResult) -> dict[str, Any]:
    """What leads from a version back to the job that made it."""
    return {
        "name": request.trainer.name,
        "run": request.run,
        "try": request.attempt,
        "asked_at": request.asked_at.isoformat(),
        "judged_by": request.trainer.judged_by,
        **result.model_dump(mode="json", exclude={"run"}),
    }


def _register(
    app: App,
    lease: Lease,
    stream: StreamSettings,
    request: TrainerRequest,
    rows: Rows,
    result: TrainerResult,
    classes: tuple[str, ...],
    metrics: dict[str, float],
    source: dict[str, Any],
    judged: int,
    by_fold: Rows | None,
) -> Version:
    """Write the training and its model down in MLflow, as the stream's newest version."""
    from trueup.training.registry.foreign import record_foreign
    from trueup.training.trainers.fold_answers import fold_answers_file
    from trueup.training.trainers.handover import MODEL_FOLDER
    from trueup.training.trainers.returned import (
        TRAINER_ANSWERS,
        TRAINER_FOLDS,
        ReturnedTraining,
        answers_to_keep,
        recipe_of,
    )
    from trueup.training.trainers.watchdog import JOB_FOLDER

    job, snapshot = job_folder(app, request) / JOB_FOLDER, request.terms["snapshot"]
    recipe, incident = recipe_of(request.trainer), incident_for(app, stream, tuple(request.asked["codes"]))
    story = story_of(
        stream, recipe, source, metrics, judged=judged, candidates=1, links=app.settings.page_links,
        incident=incident.id if incident else None, mask=masks_at(app.settings.site.mask, app.registry.uri),
    )  # fmt: skip
    commit = result.commit or source["commit"]
    story = replace(
        story, made=f"Trained by {request.trainer.name}" + (f" at commit {commit[:12]}." if commit else ".")
    )
    lease.confirm(app.database)
    return record_foreign(
        app.registry,
        stream,
        ReturnedTraining(
            cycle=request.key,
            as_of=request.as_of,
            occasion=occasion_of(request.asked),
            who=request.terms["who"],
            snapshot=Path(snapshot).stem,
            snapshot_file=str(app.archive.local_path(snapshot) or snapshot),
            cut_off=utc(rows.meta["time"].iloc[-1].to_pydatetime()),
            commit=commit,
            trainer=request.trainer,
            recipe=recipe,
            folder=None if result.model_uri else job / MODEL_FOLDER,
            result=result.model_dump(mode="json"),
            classes=classes,
            metrics=metrics,
            description=in_markdown(story),
            lineage={"seed": str(source["seed"]), "report": request.asked["report_id"] or ""},
            files={
                **lineage_files(source, settings_of(stream), ""),
                TRAINER_ANSWERS: answers_to_keep(job, rows),
                "trainer/result.json": json.dumps(result.model_dump(mode="json")).encode(),
                **({TRAINER_FOLDS: fold_answers_file(by_fold, rows)} if by_fold is not None else {}),
            },
        ),
    )


def trained_elsewhere(record: VersionRecord) -> Trained:
    """A version that a trainer made, as it is kept and printed."""
    return Trained(
        version=record.version,
        run_id=record.run_id,
        snapshot=Path(record.snapshot).stem,
        candidates=[],
        recipe=record.document["recipe"],
    )
