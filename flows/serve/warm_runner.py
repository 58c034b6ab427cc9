"""Prefect's runner with its runs forked from the fork server. Importing this imports Prefect.

Prefect's poller, limits, states, control channel and cancellation stay; only how a run's process starts is ours. It
rests on names that are private to Prefect, see `prefect_names`; where a release lacks some, or the system cannot fork,
`runner_class` says so and takes Prefect's runner as it is.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

import anyio
import anyio.abc
from prefect.runner import Runner
from prefect.settings.context import get_current_settings

from trueup.flows.cycle.steps import STEPS
from trueup.flows.serve.fork_client import ForkServerClient, ForkServerFailed
from trueup.flows.serve.prefect_names import missing_names

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

log = logging.getLogger("trueup")

# A run goes through the steps of its own cycle, and before them through those of one that a crash cut short.
RUN_SECONDS = 2 * sum((1 + step.retries) * (step.time_limit_s + step.retry_seconds) for step in STEPS)


def runner_class() -> type[Runner]:
    """The runner to use: ours where the system can fork and Prefect has what it needs, else Prefect's own."""
    if sys.platform != "linux":
        log.warning("each cycle imports its libraries anew, some ten seconds: a fork server needs Linux")
        return Runner
    if gone := missing_names():
        log.warning(
            "each cycle imports its libraries anew, some ten seconds: this release of Prefect lacks %s", ", ".join(gone)
        )
        return Runner
    return WarmRunner


class WarmRunner(Runner):
    """A runner whose runs are children of one fork server, which starts and ends with it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._fork_server = ForkServerClient()

    async def __aenter__(self) -> WarmRunner:
        await self._fork_server.start(run_environment())
        await super().__aenter__()
        otherwise = self._scheduled_run_poller._resolve_starter
        self._scheduled_run_poller._resolve_starter = lambda run: ForkStarter(self, self._fork_server, otherwise(run))
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        try:
            await super().__aexit__(*exc_info)
        finally:
            await self._fork_server.stop()


class ForkStarter:
    """A `ProcessStarter` of Prefect's: forks a child for a run and waits for its end, at most its time limit.

    `otherwise` is Prefect's own, for a run that the fork server makes no child for.
    """

    def __init__(self, runner: Runner, server: ForkServerClient, otherwise: Any, limit_s: float = RUN_SECONDS) -> None:
        self._control = runner._control_channel
        self._deployments = runner._deployment_registry
        self._heartbeat = runner._heartbeat_seconds
        self._server = server
        self._otherwise = otherwise
        self._limit_s = limit_s

    async def start(
        self, flow_run: FlowRun, task_status: anyio.abc.TaskStatus[Any] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Start the run, hand its process to Prefect, and wait until it ended."""
        from prefect.runner._process_manager import ProcessHandle, create_isolated_termination_scope

        try:
            child = await self._server.fork(self._environment(flow_run), flow_run.model_dump(mode="json"))
        except BaseException as error:
            self._control.unregister(flow_run.id)
            if not isinstance(error, ForkServerFailed):
                raise
            log.warning("a cycle starts in a process of its own, which takes ten seconds longer: %s", error)
            await self._otherwise.start(flow_run, task_status)
            return
        task_status.started(ProcessHandle(child, create_isolated_termination_scope(child.pid)))
        try:
            await asyncio.wait_for(child.ended.wait(), self._limit_s)
        except TimeoutError:
            log.warning("a cycle of %s ran for %.0f s and is killed", flow_run.parameters.get("stream"), self._limit_s)
            child.kill()
            await child.ended.wait()

    def _environment(self, flow_run: FlowRun) -> dict[str, str]:
        given = {"PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false"}  # hooks are run by the runner
        if flow_run.deployment_id and (name := self._deployments.get_deployment_name(flow_run.deployment_id)):
            given["PREFECT__DEPLOYMENT_NAME"] = name
        if self._heartbeat is not None:
            given["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] = str(int(self._heartbeat))
        try:
            port, token = self._control.register(flow_run.id)
            given |= {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": token}
        except RuntimeError:
            pass  # the channel could not be opened: a cancellation then comes as a bare signal
        return run_environment() | given


def run_environment() -> dict[str, str]:
    """The environment of a run: this process's, and Prefect's settings in force here, such as the server's address."""
    from prefect.utilities.processutils import sanitize_subprocess_env

    settings = get_current_settings().to_environment_variables(exclude_unset=True)
    return dict(sanitize_subprocess_env(settings | os.environ))
