"""A trainer whose models folds judge: six trainings are one try, which no crash loses, and they judge on both sides."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, about_to_break
from tests.made_trainers import EXAMPLES, open_one, opened_with, trained_by, wait
from trueup.flows.cycle.run import run_cycle
from trueup.flows.train.asking import job_folder
from trueup.training.trainers import program

BROKE = TRAINED + WEEK


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_six_trainings_judge_a_challenger(tmp_path: Path) -> None:
    """Killed before its start it goes on as it was asked; the gate then meets rows of both sides of the split."""

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    about_to_break(tmp_path, more=ONE_CANDIDATE).close()
    app = opened_with(tmp_path, trained_by([sys.executable, str(EXAMPLES / "train.py")], judged_by="folds"))
    stream = app.stream("reviews")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "start_program", killed)
        with pytest.raises(KeyboardInterrupt):
            run_cycle(app, stream, BROKE)
    request = open_one(app)
    assert run_cycle(app, stream, BROKE)["trainer"]["state"] == "asked"
    assert open_one(app).key == request.key
    assert request.deadline - request.asked_at == 6 * timedelta(hours=1)
    jobs = sorted(job_folder(app, request).glob("job*/job.json"))
    assert [json.loads(job.read_text())["withheld"] for job in jobs] == [None, 0, 1, 2, 3, 4]
    wait(app)
    done = run_cycle(app, stream, BROKE + timedelta(hours=1))
    assert done["trainer"]["state"] == "taken", done["trainer"]
    tests = {test["code"]: test for test in done["gate"]["tests"]}
    assert tests["GATE-LOADS"]["passed"]
    assert tests["GATE-LABELS"]["value"] > 200  # of a window of 400 records, a fifth of which is on the evaluation side
    assert done["promotion"] == {"from_version": 1, "to_version": 2}, done["gate"]
    app.close()
