"""A trainer that is a Prefect deployment: one key names its run, which is looked at later and cancelled in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.storage.secrets import without_secrets
from trueup.storage.timepoints import utc
from trueup.storage.trainers.training_requests import TrainerRequest

if TYPE_CHECKING:
    from trueup.training.trainers.program import Ended

_RUN = "run.json"  # beside the job: which run of Prefect it is
_LONGEST = 300  # characters of what Prefect's client says
_DELETED = "DELETED"  # no state of Prefect's: somebody removed the run
_GOING = ("SCHEDULED", "PENDING", "RUNNING", "PAUSED")


class NoDeployment(Exception):
    """Prefect knows no deployment of this name."""


class PrefectSilent(Exception):
    """Prefect's API does not answer; the message is what its client says, without secrets."""


def begin_run(folder: Path, request: TrainerRequest) -> None:
    """Ask Prefect for the run of a request, with folds for one more each; done again, their keys give the same runs.

    Args:
        folder: of the job; the flow is given that of its part, as its parameter `job`.

    Raises:
        NoDeployment: there is no such deployment.
        PrefectSilent: nobody knows whether it took the request.
    """
    from prefect.exceptions import ObjectNotFound

    from trueup.training.trainers.handover import job_parts
    from trueup.training.trainers.watchdog import JOB_FOLDER

    with _client() as client:
        try:
            deployment = client.read_deployment_by_name(request.trainer.deployment)
        except ObjectNotFound as error:
            raise NoDeployment from error
        runs = {}
        for part in job_parts(request.folds):
            key = request.key + part.removeprefix(JOB_FOLDER)
            run = client.create_flow_run_from_deployment(
                deployment.id, parameters={"job": str(folder / part)}, idempotency_key=key,
                name=f"{request.stream} {key}",
            )  # fmt: skip
            runs[part] = str(run.id)
    (folder / _RUN).write_text(json.dumps(runs), encoding="utf-8")


def was_asked(folder: Path) -> bool:
    """Whether Prefect took the request on."""
    return (folder / _RUN).exists()


def cancel_runs(folder: Path) -> None:
    """Have the runs of a request that go on be ended by their worker.

    Raises:
        PrefectSilent: nobody knows how they stand.
    """
    for run_id in json.loads((folder / _RUN).read_text(encoding="utf-8")).values():
        _state_of(run_id, cancel=True, why="rows that it was given were erased")


def run_ended(folder: Path, request: TrainerRequest, now: datetime, *, give_up: bool) -> Ended | None:
    """How the run of a request ended, and where folds have runs too the first that ended badly; None: one goes on.

    One that is past its deadline is cancelled first, and looked at to its end, and so are those after one that failed.
    A run that was set to cancelled at once would go on, and end as completed (tried with Prefect 3.8).

    Args:
        give_up: whether to wait no longer for its end: it may still run.

    Raises:
        PrefectSilent: nobody knows how the run stands, and it is not given up.
    """
    ended: Ended | None = None
    failed: Ended | None = None
    goes_on = False
    for part, run_id in json.loads((folder / _RUN).read_text(encoding="utf-8")).items():
        ended = _one_ended(run_id, folder / part, request, now, cancel=failed is not None, give_up=give_up)
        goes_on |= ended is None
        if ended is not None and (ended.why or ended.status != 0):
            failed = failed or ended
    return None if goes_on else failed or ended


def _one_ended(
    run_id: str, job: Path, request: TrainerRequest, now: datetime, *, cancel: bool, give_up: bool
) -> Ended | None:
    from trueup.training.trainers.program import CANCELLED, LOST, MAY_STILL_RUN, Ended
    from trueup.training.trainers.watchdog import TIME_UP

    try:
        over = cancel or now > request.deadline
        state, message, end = _state_of(run_id, cancel=over, why="its time is over")
    except PrefectSilent as error:
        if give_up:
            return Ended(None, MAY_STILL_RUN, None, f"Prefect does not answer: {error}", job.name)
        raise
    if state in (*_GOING, "CANCELLING", ""):
        return Ended(None, MAY_STILL_RUN, None, part=job.name) if give_up else None
    if state == _DELETED:
        return Ended(None, CANCELLED, None, part=job.name)
    late = end is None or end > request.deadline or (state == "CANCELLED" and now > request.deadline)
    if late or state in ("CRASHED", "CANCELLED"):
        return Ended(None, TIME_UP if late else LOST if state == "CRASHED" else CANCELLED, end, part=job.name)
    return Ended(_status(job) if state == "COMPLETED" else 1, "", end, message, job.name)


def _state_of(run_id: str, *, cancel: bool, why: str) -> tuple[str, str, datetime | None]:
    """Type and message of the run's state and its end; all empty where it has none yet. why: it is cancelled."""
    from prefect.exceptions import ObjectNotFound
    from prefect.states import Cancelling

    with _client() as client:
        try:
            run = client.read_flow_run(run_id)
        except ObjectNotFound:
            return _DELETED, "", None
        if cancel and run.state is not None and run.state.type.value in _GOING:
            client.set_flow_run_state(run_id, Cancelling(message=f"trueup: {why}"))
            run = client.read_flow_run(run_id)
    if run.state is None:
        return "", "", None
    return run.state.type.value, run.state.message or "", utc(run.end_time) if run.end_time else None


@contextmanager
def _client() -> Iterator[Any]:
    """Prefect's client; whatever keeps it from an answer is that Prefect is silent.

    Raises:
        PrefectSilent: it does not answer, or not as its client understands.
    """
    from httpx import HTTPError, InvalidURL
    from prefect.client.orchestration import get_client
    from prefect.exceptions import PrefectException

    try:
        with get_client(sync_client=True) as client:
            yield client
    except (HTTPError, InvalidURL, PrefectException, ValueError, RuntimeError, OSError) as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise PrefectSilent(without_secrets(said)[:_LONGEST]) from error


def _status(job: Path) -> int:
    """The exit status that a flow, which has none, may write into result.json as `status`; 0 where it does not."""
    from trueup.training.trainers.handover import RESULT_FILE

    try:
        said: Any = json.loads((job / RESULT_FILE).read_text(encoding="utf-8")).get("status", 0)
    except (OSError, ValueError, AttributeError):
        return 0  # a model without a word of it, or a file that is judged when it is taken
    return said if isinstance(said, int) else 1
