"""A trainer beside trueup's own candidates: both make a challenger, and the second is judged against the first."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, about_to_break
from tests.made_trainers import EXAMPLES, opened_with, trained_by, wait
from trueup.flows.cycle.run import run_cycle

BROKE = TRAINED + WEEK


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_own_first_then_the_trainers_against_who_is_champion(tmp_path: Path) -> None:
    """The cycle that asks promotes its own; the next judges the trainer's against that, on rows that neither learnt."""
    about_to_break(tmp_path, more=ONE_CANDIDATE).close()
    own = ("tests.plain_candidate:plain",)
    app = opened_with(tmp_path, trained_by([sys.executable, str(EXAMPLES / "train.py")], candidates=own))
    stream = app.stream("reviews")
    first = run_cycle(app, stream, BROKE)
    assert first["trainer"]["state"] == "asked"
    assert first["promotion"] == {"from_version": 1, "to_version": 2}, first["gate"]
    wait(app)
    second = run_cycle(app, stream, BROKE + timedelta(hours=1))
    assert second["training"]["version"] == 3
    attempt = app.promotions.history("reviews")[0]
    assert (attempt.from_version, attempt.to_version) == (2, 3)
    tests = {test["code"]: test for test in second["gate"]["tests"]}
    assert 50 <= tests["GATE-LABELS"]["value"] < 200  # the evaluation side of what came since v1
    assert tests["GATE-METRIC"]["value"] is not None
    assert app.registry.alias("reviews", "champion") == (3 if second["gate"]["passed"] else 2)
    app.close()
