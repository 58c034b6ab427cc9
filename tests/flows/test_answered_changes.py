"""A change that a promotion answered is not raised again, nor one that harms nobody; its return is of low severity."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.made_deployments import ONE_CANDIDATE, START, plain_mail
from trueup.feedback.intake import ingest
from trueup.flows.app import App, open_app
from trueup.flows.cycle.run import run_cycle
from trueup.flows.promote.manual import promote_by_hand
from trueup.flows.replay.policies import REPLAYED

pytestmark = pytest.mark.slow

SETTINGS = """
[streams.reviews]
id = "id"
time = "at"
numeric = ["x", "w"]

[streams.reviews.label]
column = "y"

[streams.reviews.policy]
window = 200
min_labels = 100
confirm = 1
retrain_on = ["drift", "metric"]
cooldown = "0d"
retrains_per_week = 100
probation = 0
"""
HISTORY, WINDOW, EACH = 1000, 200, timedelta(hours=1)


class Stream:
    """A deployment into which window after window comes, a cycle each. In another world `w` lies higher by 6.

    There `x` has to be `stricter` by so much for a "yes", which a model that has seen both worlds reads off `w`.
    """

    def __init__(self, folder: Path) -> None:
        (folder / "trueup.toml").write_text(SETTINGS + ONE_CANDIDATE)
        self.app: App = open_app(folder / "trueup.toml", folder / ".trueup")
        self.folder, self.rows = folder, 0
        self.cycles: list[dict[str, Any]] = []
        self.comes(HISTORY)

    def comes(self, rows: int = WINDOW, *, other: bool = False, stricter: float = 0.0) -> dict[str, Any]:
        rng = np.random.default_rng(self.rows)
        x, w = rng.normal(size=rows), rng.normal(size=rows) + 6 * other
        label = np.where(x + 0.3 * rng.normal(size=rows) > stricter * other, "yes", "no")
        at = [(START + (self.rows + k) * EACH).isoformat() for k in range(rows)]
        told = pd.DataFrame({"id": range(self.rows, self.rows + rows), "at": at, "x": x, "w": w, "y": label})
        stream, file = self.app.stream("reviews"), self.folder / f"{self.rows}.csv"
        told.to_csv(file, index=False)
        ingest(self.app.store, stream, [str(file)], now=self.app.now())
        self.rows += rows
        self.cycles.append(run_cycle(self.app, stream, START + (self.rows - 1) * EACH, strategies=REPLAYED))
        return self.cycles[-1]

    def incidents(self) -> list[tuple[str, str | None]]:
        """Cause and outcome, oldest first; None for the outcome of an open one."""
        return [(i.cause, i.outcome) for i in self.app.incidents.newest("reviews")][::-1]


def signal(done: dict[str, Any], code: str) -> dict[str, Any]:
    return next(s for s in done["check"]["signals"] if s["code"] == code)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    """Another world, whose challenger is promoted; two more windows of it; then the world of before."""
    played = Stream(tmp_path_factory.mktemp("answered"))
    for _ in range(3):
        played.comes(other=True, stricter=1.2)
    played.comes()
    return played


@pytest.fixture(scope="module")
def gone_back(answered: Stream) -> Stream:
    """The same, after a person put the first version in force again."""
    promote_by_hand(answered.app, answered.app.stream("reviews"), 1, "v2 is not wanted", force=True)
    return answered


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    """Another world in which the champion answers as well as before: no challenger is better."""
    played = Stream(tmp_path_factory.mktemp("harmless"))
    for _ in range(4):
        played.comes(other=True)
    return played


def test_the_incident_of_a_change_ends_as_answered_when_its_challenger_is_promoted(answered: Stream) -> None:
    """The drift that asked for v2 is over with v2's promotion; the quality that fell with it, when it is measured."""
    change = answered.cycles[1]
    assert change["promotion"] == {"from_version": 1, "to_version": 2}
    assert "DRF-IN-w" in change["decision"]["codes"]
    assert answered.incidents()[0] == ("metric", "answered")
    assert {a["kind"] for a in change["alerts"]} >= {"incident_opened", "promotion"}
    assert len({a["subject"] for a in change["alerts"]}) == 1


def test_what_asked_is_held_against_the_records_since_the_change(answered: Stream) -> None:
    """The next windows breach nothing, ask for no challenger and mail nothing of drift; the check says why."""
    for done in answered.cycles[2:4]:
        assert done["check"]["counted"]
        breached = [s["code"] for s in done["check"]["signals"] if s["verdict"] == "breached"]
        assert not [code for code in breached if code.startswith("DRF")]
        assert done["training"] is None
        (note,) = [n for n in done["check"]["notes"] if n.startswith("Compared with the records since")]
        assert "on which v2 was trained: " in note
        assert "DRF-IN-w" in note
        assert "DRF-LABEL" in note
    first, second = (signal(done, "DRF-IN-w")["n_reference"] for done in answered.cycles[2:4])
    assert (first, second) == (WINDOW, 2 * WINDOW)


def test_the_return_of_the_old_world_is_a_change_of_low_severity(answered: Stream) -> None:
    """It breaches and is told; v2 learnt from both worlds, so that no challenger is asked for."""
    back = answered.cycles[4]
    assert signal(back, "DRF-IN-w")["returned"]
    assert signal(back, "DRF-IN-w")["said"].startswith("Back to the state before the last change.")
    assert back["decision"]["severity"] == "low"
    assert back["decision"]["action"] == "alert"
    assert any("No retraining for " in reason and "DRF-IN-w" in reason for reason in back["decision"]["reasons"])


def test_what_a_version_learnt_is_not_held_of_one_that_never_saw_it(gone_back: Stream) -> None:
    """An earlier version has its own reference again."""
    assert {"DRF-IN-w", "DRF-LABEL"} <= gone_back.app.baselines.accepted("reviews", 2).keys()
    assert gone_back.app.baselines.accepted("reviews", 1) == {}


def test_a_drift_that_harms_nobody_ends_as_harmless_so_far(harmless: Stream) -> None:
    """Its challenger is refused; `confirm` + 1 counted checks later the incident closes, and the reference moves."""
    first, *_, third, fourth = harmless.cycles[1:]
    assert first["gate"]["passed"] is False
    assert harmless.incidents() == [("drift", "harmless")]
    (told,) = [a["id"] for a in third["alerts"] if a["kind"] == "incident_resolved"]
    assert "does not harm the answers" in plain_mail(harmless.app, harmless.app.outbox.of({told})[0])
    assert any(reason.startswith("Harmless so far: ") for reason in third["decision"]["reasons"])
    assert signal(fourth, "DRF-IN-w")["verdict"] == "ok"
    assert signal(fourth, "DRF-IN-w")["n_reference"] == 3 * WINDOW
    assert (third["training"], fourth["training"], fourth["alerts"]) == (None, None, [])
