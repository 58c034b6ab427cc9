"""A trainer's model that fails where it is asked is refused, or is a champion that cannot be used; no cycle is lost."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, about_to_break, plain_mail, take_in
from tests.made_trainers import ODD_JOB, opened_with, trained_by, wait
from trueup.flows.alert.messages import mail_about
from trueup.flows.app import App
from trueup.flows.cycle.run import run_cycle
from trueup.flows.demo.reviews import HEALTHY
from trueup.flows.gate.evaluate import run_gate
from trueup.flows.promote.manual import promote_by_hand
from trueup.flows.train.returned_version import trained_elsewhere
from trueup.monitoring.causes import Cause
from trueup.storage.errors import ModelUnusable
from trueup.storage.promotions import PromotionState

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
BROKE = TRAINED + WEEK
SETTINGS = trained_by([sys.executable, str(ODD_JOB), "train"], env=["ODD"], memory="4GB")


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, dict[str, Any]]]:
    """A deployment with a champion of ours, and the cycle whose trainer's model was killed late in the gate."""
    folder = tmp_path_factory.mktemp("gate")
    about_to_break(folder, more=ONE_CANDIDATE).close()
    app = opened_with(folder, SETTINGS)
    assert run_cycle(app, app.stream("reviews"), BROKE)["trainer"]["state"] == "asked"
    wait(app)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ODD", "killed capitals")
        done = run_cycle(app, app.stream("reviews"), BROKE + timedelta(hours=1))
    yield app, done
    app.close()


def test_a_model_that_dies_late_in_the_gate_is_refused(refused: tuple[App, dict[str, Any]]) -> None:
    """The check is stored, the cycle ends, the attempt says why, and one mail tells of the training that failed."""
    app, done = refused
    assert done["trainer"]["state"] == "taken"
    assert done["check"]["report_id"]
    assert done["promotion"] is None
    assert [(test["code"], test["passed"]) for test in done["gate"]["tests"]] == [("GATE-LOADS", False)]
    attempt = app.promotions.history("reviews")[0]
    assert (attempt.state, attempt.to_version) == (PromotionState.REFUSED, 2)
    assert attempt.labels > 0  # before it is asked again they must grow by half
    assert Cause.TRAINER in [incident.cause for incident in app.incidents.open_ones("reviews")]
    [notice] = app.outbox.of_cycle(done["cycle_id"])
    said = plain_mail(app, notice)
    assert "its process ended twice without an answer (killed by SIGKILL" in said
    assert "Repair the training job" in said


@pytest.mark.parametrize(("odd", "limit", "said"), [
    ("late capitals", "2s", "it did not answer within 2 s"),
    ("late", "2s", "it did not answer within 2 s"),
    ("hoard capitals", "1min", "it needed more memory than 4 GB"),
    ("bare capitals", "1min", "it gives no column p_negative, p_positive"),
])  # fmt: skip
def test_whatever_befalls_it_is_the_reason(
    refused: tuple[App, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, odd: str, limit: str, said: str
) -> None:
    """Too slow, out of memory and other columns are each one failed test, at the first question and at the last."""
    folder = refused[0].home.parent
    app = opened_with(folder, SETTINGS + f'answer_limit = "{limit}"\n')
    record = app.promotions.version("reviews", 2)
    assert record is not None
    monkeypatch.setenv("ODD", odd)
    gate = run_gate(app, app.stream("reviews"), trained_elsewhere(record), BROKE + timedelta(hours=1)).gate
    assert [(test["code"], test["passed"]) for test in gate["tests"]] == [("GATE-LOADS", False)]
    assert said in gate["tests"][0]["said"]
    app.close()


def test_a_foreign_champion_that_cannot_be_used_is_told_as_ours_is(
    refused: tuple[App, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost or killed at a check: one incident and one mail, no cycle finished, nothing promoted; it resolves itself."""
    shutil.copytree(refused[0].home.parent, tmp_path, dirs_exist_ok=True)
    app = opened_with(tmp_path, SETTINGS)
    stream = app.stream("reviews")
    promote_by_hand(app, stream, 2, "to see what happens", force=True)
    take_in(app, tmp_path, 3, BROKE, WEEK, HEALTHY, 50)
    app.close()
    models, aside, at = tmp_path / ".trueup" / "mlflow", tmp_path / "aside", BROKE + WEEK
    for odd, said in (("lost", r"cannot be loaded \(its files are gone\)"), ("killed", "killed by SIGKILL")):
        app = opened_with(tmp_path, SETTINGS)
        monkeypatch.setenv("ODD", odd)
        if odd == "lost":
            shutil.move(models, aside)
        for _ in range(2):
            with pytest.raises(ModelUnusable, match=said):
                run_cycle(app, stream, at)
        [incident] = [one for one in app.incidents.open_ones("reviews") if one.cause == Cause.CHAMPION]
        [notice] = app.outbox.of_incident(incident.id)
        assert "the model cannot be used" in mail_about(app, notice).subject
        assert app.registry.alias("reviews", "champion") == 2
        if odd == "lost":
            shutil.rmtree(models, ignore_errors=True)
            shutil.move(aside, models)
        app.close()
        monkeypatch.delenv("ODD")
        app = opened_with(tmp_path, SETTINGS)
        run_cycle(app, stream, at)
        assert not [one for one in app.incidents.open_ones("reviews") if one.cause == Cause.CHAMPION]
        take_in(app, tmp_path, 4, at, WEEK, HEALTHY, 50)
        app.close()
        at += WEEK
