"""What the end of a trainer's job means: a model, nothing to propose, another try, or a failure."""

from __future__ import annotations

import signal
from enum import StrEnum

from trueup.storage.trainers.trainer_settings import Trainer
from trueup.training.trainers.handover import withheld_in
from trueup.training.trainers.program import CANCELLED, LOST, MAY_STILL_RUN, NOT_ASKED, Ended
from trueup.training.trainers.watchdog import MEMORY_UP, NOT_STARTED, TIME_UP

MODEL_MADE, WRONG_INPUT, NOTHING_TO_PROPOSE, TRY_AGAIN = 0, 2, 3, 75  # exit statuses; any other is a failure


class JobEnd(StrEnum):
    """What follows from the end of a job."""

    MODEL = "model"
    NOTHING = "nothing"
    AGAIN = "again"
    FAILED = "failed"


def end_of(trainer: Trainer, ended: Ended, attempt: int) -> tuple[JobEnd, str]:
    """What follows from how the try number `attempt` (the first is 1) ended, and the reason in a sentence."""
    fold = withheld_in(ended.part)
    name = trainer.name if fold is None else f"{trainer.name}, asked without the labels of fold {fold},"
    if ended.why in (LOST, "") and (ended.why == LOST or ended.status == TRY_AGAIN):
        said = "was killed before it ended" if ended.why == LOST else f"could not train now (exit status {TRY_AGAIN})"
        if attempt <= trainer.retries:
            return JobEnd.AGAIN, f"{name} {said}; it is tried again."
        tries = "its only try" if attempt == 1 else f"the last of {attempt} tries"
        return JobEnd.FAILED, f"{name} {said}, in {tries}."
    if ended.why:
        return JobEnd.FAILED, f"{name} {_CUT_SHORT[ended.why].format(limit=trainer.limit, memory=trainer.memory)}."
    if ended.status == MODEL_MADE:
        return JobEnd.MODEL, f"{trainer.name} trained a model."
    if ended.status == NOTHING_TO_PROPOSE and fold is None:
        return JobEnd.NOTHING, f"{name} had nothing to propose (exit status {NOTHING_TO_PROPOSE})."
    if ended.status == WRONG_INPUT:
        return JobEnd.FAILED, f"{name} could not use what it was given (exit status {WRONG_INPUT})."
    return JobEnd.FAILED, f"{name} failed ({_in_words(ended.status)})."


_CUT_SHORT = {
    TIME_UP: "did not finish within {limit} and was ended",
    MEMORY_UP: "needed more than {memory} of memory and was ended",
    NOT_STARTED: "could not be started: there is no such program or deployment",
    CANCELLED: "was cancelled",
    NOT_ASKED: "could not be asked within {limit}, since Prefect did not answer",
    MAY_STILL_RUN: "did not finish within {limit}, was cancelled, and may still run: end it where it runs",
}


def _in_words(status: int | None) -> str:
    if status is None or status >= 0:
        return f"exit status {status}"
    try:
        return f"ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"ended by signal {-status}"
