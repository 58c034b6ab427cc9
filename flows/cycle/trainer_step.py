"""The trainer's part of a cycle: what an earlier cycle asked for is collected, and how it ended is told."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.engine import Connection

from trueup.flows.alert.failures import open_incident, resolve_incident
from trueup.flows.cycle.context import CycleContext
from trueup.flows.cycle.outputs import TrainOutput
from trueup.flows.gate.evaluate import GateOutcome
from trueup.flows.promote.commit import name_challenger
from trueup.flows.train.asking import ask_trainer, open_request_words, trainer_document
from trueup.flows.train.collecting import Collected, collect
from trueup.monitoring.causes import Cause
from trueup.storage.actors import SCHEDULE
from trueup.storage.trainers.training_requests import RequestState, TrainerRequest, TrainerRequests


def open_request(context: CycleContext) -> TrainerRequest | None:
    """What an earlier cycle, or a person, asked the trainer for and nobody has collected yet."""
    request = TrainerRequests(context.app.database).open_one(context.stream.name)
    return None if request is None or request.asked["cycle_id"] == context.cycle.id else request


def collect_step(context: CycleContext, request: TrainerRequest) -> None:
    """End the train step with what became of an open request; one that still works is left as it is."""
    found = collect(context.app, context.lease, context.stream, request, context.cycle.as_of)
    if found.trained:
        name_challenger(context.app, context.lease, context.stream, found.trained)
    output = TrainOutput(
        trained=found.trained,
        failed=found.said if found.state in (RequestState.FAILED, RequestState.NOTHING) else "",
        trainer=found.document,
        asked=dict(request.asked),
    )
    tell = _telling(context, found)
    with context.step("train", output) as connection:
        found.write(connection)
        tell(connection)
    found.afterwards()


def ask_step(context: CycleContext) -> TrainOutput:
    """Ask the stream's trainer; what is asked already is not asked again.

    Raises:
        NotTrainable: the records or labels do not suffice for a training.
    """
    app, stream, cycle = context.app, context.stream, context.cycle
    request = ask_trainer(app, context.lease, stream, cycle.as_of, run=cycle.id[:12], asked=context.asked, who=SCHEDULE)
    return TrainOutput(
        trainer=trainer_document(request, "asked", f"{open_request_words(request)}. A later cycle collects it.")
    )


def unusable_model(left: TrainOutput, judged: GateOutcome) -> str:
    """Why a model that a trainer gave back in this cycle cannot be asked here; empty: it can, or there is none."""
    if not _gave_model(left):
        return ""
    failed = (test["said"] for test in judged.gate["tests"] if test["code"] == "GATE-LOADS" and not test["passed"])
    return next(failed, "")


def model_told(context: CycleContext, left: TrainOutput, unusable: str) -> Callable[[Connection], None]:
    """The incident of a trainer whose model cannot be asked, which is a training that failed; or its end."""
    app, stream, cycle = context.app, context.stream, context.cycle
    if unusable and left.trainer:
        said = f"The model of {left.trainer['name']} was refused: {unusable}"
        return open_incident(app, stream, Cause.TRAINER, cycle.as_of, said, cycle.id)
    if _gave_model(left):
        return resolve_incident(app, stream, Cause.TRAINER, cycle.as_of, cycle.id)
    return lambda connection: None


def _gave_model(left: TrainOutput) -> bool:
    return left.trainer is not None and left.trainer["state"] == RequestState.TAKEN


def _telling(context: CycleContext, found: Collected) -> Callable[[Connection], None]:
    """The incident of a trainer that fails, and its end; of a model the gate's step tells."""
    app, stream, cycle = context.app, context.stream, context.cycle
    if found.state is RequestState.FAILED:
        return open_incident(app, stream, Cause.TRAINER, cycle.as_of, found.said, cycle.id)
    if found.state is RequestState.NOTHING:
        return resolve_incident(app, stream, Cause.TRAINER, cycle.as_of, cycle.id)
    return lambda connection: None
