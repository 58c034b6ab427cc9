"""`trueup serve`: scheduled cycles really start, and nothing is left behind, even by a process that was killed.

A flow that runs when asked proves little: with a wrong SQLAlchemy the server looks healthy and starts nothing.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from trueup.flows.serve import runner as schedule
from trueup.storage.errors import StoreUnusable

EVERY = 10  # seconds; with less, one run's start would get in the way of the next
PATIENCE = 150.0  # for a small machine under load; a quiet one takes about 20 s

SETTINGS = """
[streams.tiny]
time = "at"
text = ["content"]
[streams.tiny.label]
column = "stars"
"""


@dataclass
class Served:
    """A running `trueup serve`, and what it started."""

    process: subprocess.Popen[bytes]
    port: int
    pages: int

    def api(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def page(self, path: str) -> str:
        """A live page of trueup's."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.pages}/{path}", timeout=60) as answer:
            return str(answer.read().decode())

    def completed(self) -> list[dict[str, Any]]:
        """Scheduled runs that have completed, oldest first."""
        try:
            runs = self.api("flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}})
        except (urllib.error.URLError, OSError):
            return []
        return [run for run in runs if run["auto_scheduled"]]

    def completed_tasks(self, run_id: str) -> set[str]:
        """Names of a run's tasks; the server writes them down a few seconds after they end."""
        tasks = self.api("task_runs/filter", {"flow_runs": {"id": {"any_": [run_id]}}})
        return {task["name"].partition(":")[0] for task in tasks if task["state_type"] == "COMPLETED"}

    def logs(self, run_id: str) -> list[str]:
        """What the run itself said, oldest first; lines are sent while its process ends."""
        lines = self.api("logs/filter", {"logs": {"flow_run_id": {"any_": [run_id]}}, "sort": "TIMESTAMP_ASC"})
        return [line["message"] for line in lines if not line["task_run_id"]] or [""]

    def state_of(self, run_id: str) -> str:
        return str(self.api("flow_runs/filter", {"flow_runs": {"id": {"any_": [run_id]}}})[0]["state_type"])

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def fork_server(self) -> psutil.Process | None:
        children = psutil.Process(self.process.pid).children()
        return next((child for child in children if "trueup.flows.serve.fork_server" in child.cmdline()), None)

    def held_run(self) -> tuple[str, psutil.Process] | None:
        """A run that is under way and its process, stopped so that it stays; what it did to Prefect by then stands."""
        running = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}
        server = self.fork_server()
        for process in server.children() if server else ():
            with suppress(psutil.NoSuchProcess):  # it ended by itself: another one will come
                process.suspend()
            if runs := self.api("flow_runs/filter", running):
                return runs[0]["id"], process
            with suppress(psutil.NoSuchProcess):
                process.resume()
        return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(met: Callable[[], Any], what: str) -> Any:
    """What the condition gives once it is true, polled; a failure that says what never came."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := met():
            return found
        time.sleep(0.2)
    pytest.fail(f"in {PATIENCE:.0f} s there never was {what}")


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """`trueup serve` on a stream without records, each cycle of which is quick."""
    (folder / "trueup.toml").write_text(SETTINGS)
    port, pages = free_port(), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "TRUEUP_"))}
    environment |= {"TRUEUP_SERVE__PORT": str(port), "TRUEUP_SERVE__PAGES_PORT": str(pages)}
    environment |= {"PREFECT_LOGGING_LEVEL": "INFO"}  # which each run logs at
    with open(folder / "serve.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "from trueup.flows.cli.main import main; main()", "serve", "--every", str(EVERY)],
            cwd=folder, env=environment, stdout=log, stderr=log,
        )
    served = Served(process, port, pages)
    family: list[psutil.Process] = []
    try:
        yield served
    finally:
        if process.poll() is None:
            family = served.family()
            process.kill()
        process.wait()
        for member in family:
            if member.is_running():
                member.kill()


@pytest.mark.slow
def test_a_scheduled_cycle_runs_and_stopping_leaves_nothing(tmp_path: Path) -> None:
    """A run that only the schedule asked for completes with its artifact; SIGTERM ends every process, status 0.

    Meanwhile the live pages answer, at the address that was said.
    """
    with serving(tmp_path) as served:
        run = until(served.completed, f"a completed scheduled run (see {tmp_path / 'serve.log'})")[0]
        assert run["parameters"]["stream"] == "tiny"
        artifacts = served.api("artifacts/filter", {"artifacts": {"key": {"any_": ["tiny-cycle"]}}})
        assert "tiny" in artifacts[0]["data"]
        until(lambda: {"score", "check", "decide"} <= served.completed_tasks(run["id"]), "its steps as tasks")
        until(lambda: "Finished in state Completed" in served.logs(run["id"])[-1], "its last line in Prefect")
        assert served.fork_server()
        assert "tiny" in served.page("")
        assert f"pages: http://127.0.0.1:{served.pages};" in (tmp_path / "serve.log").read_text()
        assert "process of its own" not in (tmp_path / "serve.log").read_text()
        family = served.family()
        assert family
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(PATIENCE) == 0
        assert not psutil.wait_procs(family, timeout=10)[1]


def test_alerts_go_out_between_cycles(monkeypatch: pytest.MonkeyPatch) -> None:
    """`serve` delivers by itself, again and again, and a store that fails once does not end it."""
    started = schedule.RunningSchedule(url="http://127.0.0.1:1", own_server=False, failed=threading.Event())
    monkeypatch.setattr(schedule, "running_schedule", lambda plans, **_: nullcontext(started))
    monkeypatch.setattr(schedule, "DELIVERY_SECONDS", 0.0)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    passes: list[int] = []

    def deliver() -> None:
        passes.append(len(passes))
        if len(passes) == 1:
            raise StoreUnusable("away for a moment")
        signal.raise_signal(signal.SIGTERM)

    try:
        schedule.serve([], home=Path(), config=None, port=1, announce=lambda _: None, deliver=deliver)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert passes == [0, 1]


@pytest.mark.slow
def test_what_befalls_a_run_befalls_it_alone(tmp_path: Path) -> None:
    """A run that crashes, one that is cancelled in Prefect, one whose fork server is killed: the next completes."""

    def next_completes() -> None:
        done = len(served.completed())
        until(lambda: len(served.completed()) > done, f"a completed run (see {tmp_path / 'serve.log'})")

    with serving(tmp_path) as served:
        run_id, process = until(served.held_run, "a run under way")
        process.send_signal(signal.SIGSEGV)
        process.resume()
        until(lambda: served.state_of(run_id) == "CRASHED", "a crashed run")
        next_completes()

        run_id, process = until(served.held_run, "a run under way")
        served.api(f"flow_runs/{run_id}/set_state", {"state": {"type": "CANCELLING"}})
        process.resume()
        until(lambda: served.state_of(run_id) == "CANCELLED", "a cancelled run")
        next_completes()

        run_id, process = until(served.held_run, "a run under way")
        first = served.fork_server()
        assert first
        first.kill()
        until(lambda: served.state_of(run_id) == "CRASHED", "a crashed run")
        next_completes()
        assert served.fork_server() != first


@pytest.mark.slow
def test_a_killed_schedule_leaves_no_process_and_its_run_blocks_nobody(tmp_path: Path) -> None:
    """After kill -9 all else ends by itself; the run that was under way gives up its place to the next start's."""
    with serving(tmp_path) as served:
        before = until(served.completed, "a completed scheduled run")
        run_id, process = until(served.held_run, "a run under way")
        family = served.family()
        assert process in family
        served.process.kill()
        served.process.wait()
        assert not psutil.wait_procs(family, timeout=PATIENCE)[1]
    with serving(tmp_path) as served:
        until(lambda: len(served.completed()) > len(before), "a completed run after the restart")
        assert served.state_of(run_id) == "CRASHED"
