"""`trueup serve` on a copy of a home, watched until so many scheduled cycles are done."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.schedule.tree import Parts, tree_of

SETTLING = 10.0  # seconds after the last run in which Prefect's server still writes what it was sent
STEP = 0.5
MAIN = "from trueup.flows.cli.main import main; main()"
# Prefect's own way: a process is spawned for each run, and imports everything.
SPAWNING = (
    "from prefect.runner import Runner; from trueup.flows.serve import warm_runner; "
    "warm_runner.runner_class = lambda: Runner; "
)


@dataclass(frozen=True)
class Measured:
    """A stretch with `cycles` finished runs: processor seconds of its parts and of its idle time, and the runs."""

    cycles: int
    wall: float
    spent: Parts
    idle_wall: float
    idle: Parts
    memory_idle: Parts
    memory_most: Parts
    late: list[float]
    took: list[float]


def measure(home: Path, place: Path, *, streams: int, rounds: int, every: float, forked: bool) -> Measured:
    """Serve a copy of `home` in `place`, and measure `rounds` rounds of its streams after the first, all of them idle.

    Raises:
        RuntimeError: a run failed or was cancelled, so the figures would not be of the same work.
    """
    shutil.copytree(home, place)
    with _serving(place, every, forked) as (process, port):
        _watch(process, port, streams)
        begin, begun = tree_of(process), time.monotonic()
        idle, idle_wall, most = _watch(process, port, streams * (rounds + 1))
        end, wall = tree_of(process), time.monotonic() - begun
        runs = _runs(port)
    if bad := [run["state"]["message"] for run in runs if run["state_type"] in ("FAILED", "CRASHED", "CANCELLED")]:
        raise RuntimeError(f"{len(bad)} runs did not complete, such as: {bad[0]}")
    done = sorted((run for run in runs if run["state_type"] == "COMPLETED"), key=lambda r: r["start_time"])[streams:]
    return Measured(
        len(done), wall, end.seconds - begin.seconds, idle_wall, idle, end.memory, most,
        [_time(run["start_time"]) - _time(run["expected_start_time"]) for run in done],
        [_time(run["end_time"]) - _time(run["start_time"]) for run in done],
    )  # fmt: skip


@contextmanager
def _serving(place: Path, every: float, forked: bool) -> Iterator[tuple[psutil.Process, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "TRUEUP_"))}
    with open(place / "serve.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", ("" if forked else SPAWNING) + MAIN, "serve", "--every", str(every)],
            cwd=place, env=environment | {"TRUEUP_SERVE__PORT": str(port)}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield psutil.Process(process.pid), port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def _watch(process: psutil.Process, port: int, completed: int) -> tuple[Parts, float, Parts]:
    """Wait until so many runs are completed and settled; what idle seconds cost meanwhile, and the most memory."""
    idle, idle_wall, most = Parts(), 0.0, Parts()
    before, before_at = tree_of(process), time.monotonic()
    busy_at, asked_at = before_at, 0.0
    while True:
        time.sleep(STEP)
        now, at = tree_of(process), time.monotonic()
        if now.live_runs or before.live_runs:
            busy_at = at
        elif at - busy_at > SETTLING:
            idle, idle_wall = idle + (now.seconds - before.seconds), idle_wall + at - before_at
        most = max(most, now.memory, key=lambda parts: parts.total) if now.live_runs else most
        before, before_at = now, at
        if at - busy_at > SETTLING and at - asked_at > SETTLING:
            asked_at = at
            if sum(run["state_type"] == "COMPLETED" for run in _runs(port)) >= completed:
                return idle, idle_wall, most


def _runs(port: int) -> list[dict[str, Any]]:
    """Runs that have begun or ended; without a filter the many that are only scheduled would fill the answer."""
    states = ["PENDING", "RUNNING", "COMPLETED", "FAILED", "CRASHED", "CANCELLED"]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/flow_runs/filter",
        data=json.dumps({"flow_runs": {"state": {"type": {"any_": states}}}}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return list(json.loads(answer.read()))
    except OSError:
        return []


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
