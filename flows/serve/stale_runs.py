"""Runs that an earlier `trueup serve` left in Prefect's database. Importing this imports Prefect."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelled, Crashed


async def clear_up(stream: str) -> None:
    """Close what a killed process left open, and of the runs that were missed meanwhile all but the newest.

    An open run would hold the stream's only place for ever, and of several missed ones Prefect would start any first
    and cancel the others. Only for a server that nobody else uses.
    """
    async with get_client() as client:
        open_states = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
        for run in await _runs(client, stream, FlowRunFilter(state=_in(open_states))):
            gone = Crashed(message="The process that ran it is gone; the next cycle resumes its work.")
            await client.set_flow_run_state(run.id, gone, force=True)
        past = FlowRunFilterExpectedStartTime(before_=datetime.now(UTC))
        due = FlowRunFilter(state=_in([StateType.SCHEDULED]), expected_start_time=past)
        for run in (await _runs(client, stream, due))[1:]:
            missed = Cancelled(message="Missed while `trueup serve` did not run; the newest missed one runs instead.")
            await client.set_flow_run_state(run.id, missed, force=True)


def _in(states: list[StateType]) -> FlowRunFilterState:
    return FlowRunFilterState(type=FlowRunFilterStateType(any_=states))


async def _runs(client: PrefectClient, stream: str, which: FlowRunFilter) -> list[FlowRun]:
    """Runs of the stream's deployment, newest first."""
    deployment = DeploymentFilter(name=DeploymentFilterName(any_=[stream]))
    return await client.read_flow_runs(
        deployment_filter=deployment, flow_run_filter=which, sort=FlowRunSort.EXPECTED_START_TIME_DESC
    )
