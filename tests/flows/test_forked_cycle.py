"""A cycle in a child of the fork server gives what it gives in a process of its own, to the last bit."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, about_to_break
from trueup.flows.app import open_app
from trueup.flows.cycle.run import run_cycle
from trueup.flows.serve.fork_client import ForkServerClient

ROOT = Path(__file__).resolve().parents[2]
# The real preload list, and in place of a flow run a cycle without Prefect, whose document goes to a file.
SERVER = """
import socket, sys
from trueup.flows.serve.fork_server import ForkServer
from trueup.flows.serve.preload import preload
def cycle(run):
    from tests.flows.test_forked_cycle import document_of
    document_of(run["folder"])
preload()
ForkServer(socket.socket(fileno=int(sys.argv[1])), cycle).serve()
"""


def document_of(folder: str) -> None:
    """Run the cycle of the deployment in `folder`, and write its document there."""
    app = open_app(Path(folder) / "trueup.toml", Path(folder) / ".trueup")
    try:
        done = run_cycle(app, app.stream("reviews"), TRAINED + WEEK)
    finally:
        app.close()
    (Path(folder) / "document.json").write_text(json.dumps(done, default=str))


def environment() -> dict[str, str]:
    """This one, with a fixed order of sets: words that changed alike are told in it, and it differs by process."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": "0"}


def in_own_process(folder: Path) -> None:
    program = "import sys; from tests.flows.test_forked_cycle import document_of; document_of(sys.argv[1])"
    subprocess.run([sys.executable, "-c", program, str(folder)], env=environment(), check=True)


def in_fork_server(folder: Path) -> None:
    async def work() -> None:
        client = ForkServerClient((sys.executable, "-c", SERVER))
        try:
            child = await client.fork(environment(), {"folder": str(folder)})
            await child.ended.wait()
            assert child.returncode == 0
        finally:
            await client.stop()

    asyncio.run(work())


def reports_in(folder: Path) -> set[str]:
    kept = (folder / ".trueup").rglob("reports/**/*")
    return {str(file.relative_to(folder)) for file in kept if file.is_file()}


def untimed(candidates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in found.items() if "seconds" not in key} for found in candidates]


@pytest.mark.slow
def test_a_check_and_a_training_give_the_same_in_a_forked_child(tmp_path: Path) -> None:
    """Signals, decision and candidates' scores, on two copies of one deployment; reports have these figures."""
    with closing(about_to_break(tmp_path / "made", more=ONE_CANDIDATE)) as app:
        app.cycles.begin("reviews", TRAINED + WEEK, app.now())  # both then go on with it, under one id
    documents: list[dict[str, Any]] = []
    for name, run in (("own", in_own_process), ("forked", in_fork_server)):
        shutil.copytree(tmp_path / "made", tmp_path / name)
        run(tmp_path / name)
        documents.append(json.loads((tmp_path / name / "document.json").read_text()))
    own, forked = documents
    assert own["decision"]["action"] == "retrain"
    for part in ("cycle_id", "check", "decision"):
        assert forked[part] == own[part]
    assert untimed(forked["training"]["candidates"]) == untimed(own["training"]["candidates"])
    assert reports_in(tmp_path / "own")
    assert reports_in(tmp_path / "forked") == reports_in(tmp_path / "own")
