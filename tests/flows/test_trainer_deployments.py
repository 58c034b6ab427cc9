"""A trainer that is a Prefect deployment, served by another process: asked once, collected, and cancelled in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from tests.made_deployments import deployed
from tests.made_trainers import EXAMPLES, FIRST, ODD_JOB, SECOND, open_one
from trueup.flows.app import App
from trueup.flows.cycle.run import run_cycle
from trueup.flows.erase.run import erase
from trueup.flows.train.asking import begin_job, job_folder
from trueup.flows.train.collecting import is_at_work
from trueup.monitoring.causes import Cause
from trueup.storage.trainers.training_requests import TrainerRequests

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
OTHER = """
import sys, time
from pathlib import Path
from prefect import flow

@flow
def other(job: str) -> None:
    Path(job, "began").write_text("")
    time.sleep(600)

if __name__ == "__main__":
    other.serve(name="slow")
"""
GONE_WRONG = f"""
import os, resource, signal, sys
from prefect import flow, serve

sys.path.insert(0, {str(ODD_JOB.parent)!r})

@flow
def killed(job: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)

@flow
def hoard(job: str) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (4 * 10**9, 4 * 10**9))  # as a team limits what its flows may hold
    bytearray(8 * 10**9)

@flow
def liar(job: str) -> None:
    import odd_job

    os.environ["TRUEUP_JOB"] = job
    odd_job.main("train", "liar")

if __name__ == "__main__":
    serve(*(one.to_deployment(name="odd") for one in (killed, hoard, liar)))
"""
PATIENCE = 600.0


@contextmanager
def serving(api: str, *arguments: str) -> Iterator[None]:
    """A process that serves a deployment, until the end of the block."""
    variables = {**os.environ, "PREFECT_API_URL": api, "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    process = subprocess.Popen([sys.executable, *arguments], cwd=EXAMPLES, env=variables, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def until(met: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < end
        time.sleep(0.2)


def registered(name: str) -> bool:
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    with get_client(sync_client=True) as client:
        try:
            client.read_deployment_by_name(name)
        except ObjectNotFound:
            return False
    return True


def asking(folder: Path, deployment: str) -> App:
    return deployed(
        folder,
        more="\n[streams.reviews.training]\ncandidates = []\n[streams.reviews.training.trainer]\n"
        f'deployment = "{deployment}"\ngrace = "1s"\nretries = 0\n',
    )


def test_a_served_flow_trains_the_champion(prefect_api: str, tmp_path: Path) -> None:
    """One cycle asks, the flow trains in its own process, the next cycle promotes; asked again it is the same run."""
    app = asking(tmp_path, "train/reviews")
    with serving(prefect_api, "flow.py"):
        until(lambda: registered("train/reviews"))
        assert run_cycle(app, app.stream("reviews"), FIRST)["trainer"]["state"] == "asked"
        request = TrainerRequests(app.database).open_one("reviews")
        assert request is not None
        (tmp_path / ".trueup" / "jobs" / "reviews" / request.key / "run.json").unlink()  # a crash came before it
        begin_job(app, app.stream("reviews"), request)
        until(lambda: not is_at_work(app, request))
    done = run_cycle(app, app.stream("reviews"), SECOND)
    assert done["promotion"] == {"from_version": None, "to_version": 1}, done["gate"]
    assert runs_of("train/reviews") == ["COMPLETED"]
    app.close()


def test_a_run_past_its_deadline_is_cancelled_and_never_taken(prefect_api: str, tmp_path: Path) -> None:
    """It is set to cancelling, its worker ends it, and the attempt has failed; one that nobody ends may still run."""
    app = asking(tmp_path, "other/slow")
    (tmp_path / "other.py").write_text(OTHER)
    with serving(prefect_api, str(tmp_path / "other.py")):
        until(lambda: registered("other/slow"))
        run_cycle(app, app.stream("reviews"), FIRST)
        request = TrainerRequests(app.database).open_one("reviews")
        assert request is not None
        until(lambda: (tmp_path / ".trueup" / "jobs" / "reviews" / request.key / "job" / "began").exists())
        past = request.deadline + timedelta(seconds=1)
        late = replace(app, clock=lambda: past)
        assert run_cycle(late, app.stream("reviews"), SECOND)["trainer"]["state"] == "open"
        until(lambda: not is_at_work(late, request))
        done = run_cycle(late, app.stream("reviews"), SECOND + timedelta(hours=1))
    assert done["trainer"]["state"] == "failed"
    assert "did not finish within 1h and was ended" in done["trainer"]["said"]
    assert runs_of("other/slow") == ["CANCELLED"]
    app.close()


def test_a_run_that_was_given_erased_rows_is_cancelled(prefect_api: str, tmp_path: Path) -> None:
    """And named, since its worker may be slow to end it; the next cycle asks for another run without the rows."""
    app = asking(tmp_path, "other/slow")
    stream = app.stream("reviews")
    (tmp_path / "other.py").write_text(OTHER)
    before = runs_of("other/slow")
    with serving(prefect_api, str(tmp_path / "other.py")):
        until(lambda: registered("other/slow"))
        run_cycle(app, stream, FIRST)
        folder = job_folder(app, open_one(app))
        until(lambda: (folder / "job" / "began").exists())
        given = len(pd.read_parquet(folder / "job" / "rows.parquet"))
        record = str(app.reader.read(stream, as_of=FIRST).meta["id"].iloc[0])
        done = erase(app, stream, record=record, why="request")
        assert [said for said in done["left"] if said.startswith("The run of other/slow that was given the rows")]
        assert not folder.exists()
        assert run_cycle(app, stream, SECOND)["trainer"]["state"] == "open"
        again = job_folder(app, open_one(app))
        until(lambda: (again / "job" / "began").exists())
        until(lambda: runs_of("other/slow").count("CANCELLED") > before.count("CANCELLED"))
    assert len(runs_of("other/slow")) == len(before) + 2
    assert len(pd.read_parquet(again / "job" / "rows.parquet")) == given - 1
    app.close()


def test_what_befalls_a_flow_is_its_reason(prefect_api: str, tmp_path: Path) -> None:
    """Killed, out of memory and lying: one incident with the reason each, and no champion."""
    (tmp_path / "odd.py").write_text(GONE_WRONG)
    reasons = {
        "killed": ("failed", "killed/odd was killed before it ended, in its only try."),
        "hoard": ("failed", "MemoryError"),
        "liar": ("taken", "evaluation rows otherwise than its trainer says"),
    }
    apps = {what: asking(tmp_path / what, f"{what}/odd") for what in reasons}
    with serving(prefect_api, str(tmp_path / "odd.py")):
        until(lambda: all(registered(f"{what}/odd") for what in reasons))
        for app in apps.values():
            run_cycle(app, app.stream("reviews"), FIRST)
        for app in apps.values():
            until(lambda: not is_at_work(app, open_one(app)))  # noqa: B023 - it is asked at once
    for what, app in apps.items():
        done = run_cycle(app, app.stream("reviews"), SECOND)
        state, said = reasons[what]
        assert done["trainer"]["state"] == state, done["trainer"]
        assert said in (done["gate"]["tests"][0]["said"] if state == "taken" else done["trainer"]["said"])
        assert [incident.cause for incident in app.incidents.open_ones("reviews")] == [Cause.TRAINER]
        assert app.registry.alias("reviews", "champion") is None
        app.close()


def test_a_run_that_nobody_ends_may_still_run(prefect_api: str, tmp_path: Path) -> None:
    """The alert says so, and what it would still give back belongs to no request any more."""
    app = asking(tmp_path, "other/slow")
    (tmp_path / "other.py").write_text(OTHER)
    with serving(prefect_api, str(tmp_path / "other.py")):
        until(lambda: registered("other/slow"))
        run_cycle(app, app.stream("reviews"), FIRST)
        request = TrainerRequests(app.database).open_one("reviews")
        assert request is not None
        until(lambda: (tmp_path / ".trueup" / "jobs" / "reviews" / request.key / "job" / "began").exists())
        past = request.deadline + timedelta(hours=1)
        done = run_cycle(replace(app, clock=lambda: past), app.stream("reviews"), SECOND)
    assert done["trainer"]["state"] == "failed"
    assert "may still run" in done["trainer"]["said"]
    assert [alert["kind"] for alert in done["alerts"]] == ["failure"]
    app.close()


def runs_of(deployment: str) -> list[str]:
    """The states of the deployment's runs."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName

    with get_client(sync_client=True) as client:
        named = DeploymentFilter(name=DeploymentFilterName(any_=[deployment.partition("/")[2]]))
        return [run.state.type.value for run in client.read_flow_runs(deployment_filter=named) if run.state]
