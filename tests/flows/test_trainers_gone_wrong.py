"""Late, killed, lying and out of memory: what each kind of trainer comes to is told, and its model is never taken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.made_trainers import FIRST, ODD_JOB, SECOND, trained_by, wait, with_trainer
from trueup.flows.cycle.run import run_cycle
from trueup.monitoring.causes import Cause

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
SAID = {
    "late": ("failed", "odd_job.py did not finish within 2s and was ended."),
    "killed": ("failed", "odd_job.py failed (ended by SIGKILL)."),
    "hoard": ("failed", "odd_job.py needed more than 300MB of memory and was ended."),
    "liar": ("taken", "evaluation rows otherwise than its trainer says"),
}


@pytest.mark.parametrize("job", ["script elsewhere", "fine-tuned"])
@pytest.mark.parametrize("what", list(SAID))
def test_what_befalls_a_job_is_its_reason(tmp_path: Path, request: pytest.FixtureRequest, job: str, what: str) -> None:
    """A script with another scikit-learn and a fine-tuned model: one incident with the reason, and no champion."""
    python, name = sys.executable, "fine_tune"
    if job == "script elsewhere":
        python, name = request.getfixturevalue("other_python"), "train"
    bounds = {"late": {"limit": "2s", "grace": "1s"}, "hoard": {"memory": "300MB"}}.get(what, {})
    if name == "fine_tune":
        request.getfixturevalue("base_weights")
    command = [python, str(ODD_JOB), name, what]
    app = with_trainer(tmp_path, trained_by(command, python=python, env=["BASE_WEIGHTS"], **bounds))
    stream = app.stream("reviews")
    assert run_cycle(app, stream, FIRST)["trainer"]["state"] == "asked"
    wait(app)
    done = run_cycle(app, stream, SECOND)
    state, said = SAID[what]
    assert done["trainer"]["state"] == state, done["trainer"]
    reason = done["gate"]["tests"][0]["said"] if state == "taken" else done["trainer"]["said"]
    assert said in reason
    assert done["promotion"] is None
    assert [incident.cause for incident in app.incidents.open_ones("reviews")] == [Cause.TRAINER]
    assert app.registry.alias("reviews", "champion") is None
    app.close()
