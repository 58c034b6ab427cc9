"""Prefect's runner with forked runs: what it rests on, its time limit, and what it does where it cannot fork."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from tests.flows.test_fork_server import COMMAND, PATIENCE
from trueup.flows.serve import prefect_names
from trueup.flows.serve.fork_client import ForkServerClient

DEAF = (
    "import signal, time; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGALRM]); time.sleep(600)"
)


class MadeRun:
    """Of a Prefect flow run what a starter reads; its document is the program of the child."""

    def __init__(self, program: str) -> None:
        self.id = uuid.uuid4()
        self.deployment_id = uuid.uuid4()
        self.parameters = {"stream": "tiny"}
        self.program = program

    def model_dump(self, mode: str) -> dict[str, Any]:
        return {"text": self.program}


class Channel:
    """Prefect's control channel, which counts who is registered."""

    def __init__(self) -> None:
        self.registered: set[uuid.UUID] = set()

    def register(self, run: uuid.UUID) -> tuple[int, str]:
        self.registered.add(run)
        return 1, "token"

    def unregister(self, run: uuid.UUID) -> None:
        self.registered.discard(run)


class Otherwise:
    """Prefect's own starter, which notes what it was asked to start, and who was registered then."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.started: list[tuple[uuid.UUID, bool]] = []

    async def start(self, run: MadeRun, task_status: Any) -> None:
        self.started.append((run.id, run.id in self.channel.registered))


class Status:
    """Where a starter tells of the process that it started."""

    def __init__(self) -> None:
        self.handle: Any = None

    def started(self, handle: Any) -> None:
        self.handle = handle


def started(command: tuple[str, ...], program: str, limit_s: float) -> tuple[MadeRun, Status, Otherwise]:
    """What a starter did about one run by the time that the run's process had ended."""
    from trueup.flows.serve.warm_runner import ForkStarter

    run, status, channel = MadeRun(program), Status(), Channel()
    registry = SimpleNamespace(get_deployment_name=lambda _: "tiny")
    runner: Any = SimpleNamespace(_control_channel=channel, _deployment_registry=registry, _heartbeat_seconds=None)
    otherwise = Otherwise(channel)

    async def work() -> None:
        client = ForkServerClient(command)
        try:
            await ForkStarter(runner, client, otherwise, limit_s).start(run, status)  # type: ignore[arg-type]
        finally:
            await client.stop()

    asyncio.run(asyncio.wait_for(work(), PATIENCE))
    return run, status, otherwise


def test_prefect_still_has_the_private_names_that_forked_runs_rest_on() -> None:
    missing = prefect_names.missing_names()
    assert not missing, (
        f"This release of Prefect no longer has {missing}. `trueup serve` still works, but every cycle imports its "
        "libraries anew, ten seconds each. Read how prefect.runner starts a process now, and fix "
        "flows/serve/warm_runner.py, forked_run.py and the lists of prefect_names.py."
    )


@pytest.mark.parametrize(
    "name", ["prefect.engine:no_longer_there", "prefect.no_such_module:x", "prefect.runner:Runner.no_longer_there"]
)
def test_without_a_name_prefects_own_runner_is_taken_and_it_is_said(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from prefect.runner import Runner

    from trueup.flows.serve.warm_runner import runner_class

    monkeypatch.setattr(prefect_names, "USED", (*prefect_names.USED, name))
    with caplog.at_level(logging.WARNING, "trueup"):
        assert runner_class() is Runner
    assert f"lacks {name}" in caplog.text


def test_without_an_attribute_prefects_own_runner_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that no longer goes by an attribute would not see that it was replaced."""
    method = "prefect.runner._scheduled_run_poller:ScheduledRunPoller._submit_run"
    monkeypatch.setattr(prefect_names, "ATTRIBUTES", ((method, "_no_longer_read"),))
    assert prefect_names.missing_names() == [f"{method}, _no_longer_read"]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_where_a_fork_is_not_safe_prefects_own_runner_is_taken_and_it_is_said(
    platform: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from prefect.runner import Runner

    from trueup.flows.serve import warm_runner

    monkeypatch.setattr(warm_runner, "sys", SimpleNamespace(platform=platform))
    with caplog.at_level(logging.WARNING, "trueup"):
        assert warm_runner.runner_class() is Runner
    assert "needs Linux" in caplog.text


def test_a_run_over_its_limit_is_killed_though_it_is_deaf_to_signals(caplog: pytest.LogCaptureFixture) -> None:
    _, status, otherwise = started(COMMAND, DEAF, limit_s=0.1)
    assert status.handle.returncode == -signal.SIGKILL
    assert not status.handle.is_alive()
    assert not otherwise.started
    assert "tiny ran for 0 s and is killed" in caplog.text


def test_a_run_has_prefects_settings_and_the_channel_of_cancellation() -> None:
    needed = {"PREFECT__CONTROL_PORT": "1", "PREFECT__CONTROL_TOKEN": "token", "PREFECT__DEPLOYMENT_NAME": "tiny"}
    program = f"import os; raise SystemExit(len({needed!r}.items() - os.environ.items()))"
    _, status, _ = started(COMMAND, program, limit_s=PATIENCE)
    assert status.handle.returncode == 0


def test_where_the_fork_server_fails_the_run_starts_prefects_way(caplog: pytest.LogCaptureFixture) -> None:
    run, status, otherwise = started((sys.executable, "-c", "pass"), "pass", limit_s=PATIENCE)
    assert otherwise.started == [(run.id, False)]  # it registers the run anew by itself
    assert status.handle is None
    assert "process of its own" in caplog.text


@pytest.mark.slow
def test_every_module_of_the_preload_list_can_be_imported_and_starts_no_thread() -> None:
    """In a process of its own, since this one has threads; nothing is said on standard error."""
    import subprocess

    program = (
        "import threading; from trueup.flows.serve.preload import preload; preload(); "
        "raise SystemExit(threading.active_count() - 1)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0
    assert "could not import" not in done.stderr
