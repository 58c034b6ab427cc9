"""A trainer that is a Prefect deployment: one key names its run, which is looked at later and cancelled in order."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.storage.timepoints import utc
from trueup.storage.trainers.training_requests import TrainerRequest

if TYPE_CHECKING:
    from trueup.training.trainers.program import Ended

_RUN = "run.json"  # beside the job: which run of Prefect it is
NO_DEPLOYMENT = "there is no such deployment"
_GOING = ("SCHEDULED", "PENDING", "RUNNING", "PAUSED")


def begin_run(folder: Path, job: Path, request: TrainerRequest) -> str:
    """Ask Prefect for the run of a request; done again, its key gives the same run. Why it could not; empty: it could.

    Args:
        folder: of the job. job: what the flow is given, as its parameter `job`.
    """
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    try:
        with get_client(sync_client=True) as client:
            try:
                deployment = client.read_deployment_by_name(request.trainer.deployment)
            except ObjectNotFound:
                return NO_DEPLOYMENT
            run = client.create_flow_run_from_deployment(
                deployment.id, parameters={"job": str(job)}, idempotency_key=request.key,
                name=f"{request.stream} {request.key}",
            )  # fmt: skip
    except Exception as error:  # noqa: BLE001 - whatever Prefect's client raises, the next cycle asks again
        return f"Prefect does not answer ({type(error).__name__})"
    (folder / _RUN).write_text(json.dumps({"run": str(run.id)}), encoding="utf-8")
    return ""


def was_asked(folder: Path) -> bool:
    """Whether Prefect took the request on."""
    return (folder / _RUN).exists()


def run_ended(folder: Path, job: Path, request: TrainerRequest, now: datetime, *, give_up: bool) -> Ended | None:
    """How the run ended, None: it goes on; one that is past its deadline is cancelled first, and looked at to its end.

    A run that was set to cancelled at once would go on, and end as completed (tried with Prefect 3.8).

    Args:
        give_up: whether to wait no longer for its end: it may still run.
    """
    from trueup.training.trainers.program import CANCELLED, LOST, MAY_STILL_RUN, Ended
    from trueup.training.trainers.watchdog import TIME_UP

    state, message, end = _state_of(folder, cancel=now > request.deadline)
    if state in (*_GOING, "CANCELLING", ""):
        return Ended(None, MAY_STILL_RUN, None) if give_up else None
    late = end is None or end > request.deadline or (state == "CANCELLED" and now > request.deadline)
    if late or state in ("CRASHED", "CANCELLED"):
        return Ended(None, TIME_UP if late else LOST if state == "CRASHED" else CANCELLED, end)
    return Ended(_status(job) if state == "COMPLETED" else 1, "", end, message)


def _state_of(folder: Path, *, cancel: bool) -> tuple[str, str, datetime | None]:
    """Type and message of the run's state and its end; all empty where Prefect does not answer."""
    from prefect.client.orchestration import get_client
    from prefect.states import Cancelling

    run_id = json.loads((folder / _RUN).read_text(encoding="utf-8"))["run"]
    try:
        with get_client(sync_client=True) as client:
            run = client.read_flow_run(run_id)
            if cancel and run.state is not None and run.state.type.value in _GOING:
                client.set_flow_run_state(run_id, Cancelling(message="trueup: its time is over"))
                run = client.read_flow_run(run_id)
    except Exception:  # noqa: BLE001 - as above: it is looked at again
        return "", "", None
    if run.state is None:
        return "", "", None
    return run.state.type.value, run.state.message or "", utc(run.end_time) if run.end_time else None


def _status(job: Path) -> int:
    """The exit status that a flow, which has none, may write into result.json as `status`; 0 where it does not."""
    from trueup.training.trainers.handover import RESULT_FILE

    try:
        said: Any = json.loads((job / RESULT_FILE).read_text(encoding="utf-8")).get("status", 0)
    except (OSError, ValueError, AttributeError):
        return 0  # a model without a word of it, or a file that is judged when it is taken
    return said if isinstance(said, int) else 1
