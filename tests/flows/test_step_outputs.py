"""What the steps of a cycle leave behind is stored in one form, and read back whichever trueup stored it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from trueup.flows.cycle.outputs import (
    CheckOutput,
    DecideOutput,
    GateOutput,
    ProbationOutput,
    PromoteOutput,
    ScoreOutput,
    StepOutput,
    TrainOutput,
    output_of,
)
from trueup.storage.cycles import CycleRecord

SIGNAL = {
    "code": "PRF-METRIC", "name": "f1_macro", "verdict": "breached", "said": "it fell", "value": 0.7, "threshold": 0.03,
    "p_value": 0.001, "effect": 0.2, "interval": [0.1, 0.3], "worse": "lower", "n_reference": 300, "n_current": 200,
}  # fmt: skip
CHECK = {
    "report_id": "ab12", "counted": True, "signals": [SIGNAL], "first_time": "2024-01-01T00:00:00Z",
    "last_time": "2024-01-08T00:00:00Z", "notes": ["a note"],
}  # fmt: skip
DECISION = {
    "action": "retrain", "codes": ["PRF-METRIC"], "confirmed": ["PRF-METRIC"], "reasons": ["PRF-METRIC: it fell"],
    "watched": [], "severity": "high",
}  # fmt: skip
TRAINED = {"version": 2, "run_id": "r2", "snapshot": "5f", "candidates": [{"winner": True}], "recipe": {"model": "svm"}}
PROBATION = {
    "event_id": "e1", "version": 2, "previous": 1, "rows": 80, "look": 1, "looked_at": 80, "looked_on": "",
    "chance": 0.4, "bound": 0.99, "outcome": "watching", "said": "so far", "over": False,
}  # fmt: skip
JUDGED = {"gate": {"passed": True, "tests": []}, "from_version": 1, "labels": 312}

STORED: list[tuple[type[StepOutput], dict[str, Any]]] = [
    (ScoreOutput, {"champion": 1, "scored": 400}),
    (ProbationOutput, PROBATION),
    (DecideOutput, {**DECISION, "paused": ""}),
    (TrainOutput, TRAINED),
    (TrainOutput, {"failed": "one class only", "tests": [{"code": "DATA-CLASSES", "passed": False}]}),
    (GateOutput, {"judged": JUDGED, "state": "decided", "held": ""}),
    (GateOutput, {"judged": None, "state": "refused", "held": ""}),
    (PromoteOutput, {"from_version": None, "to_version": 1}),
]


@pytest.mark.parametrize(("kind", "stored"), STORED)
def test_an_output_is_stored_as_it_was_read(kind: type[StepOutput], stored: dict[str, Any]) -> None:
    """Keys, their order and their values stay as they are in every store."""
    assert json.dumps(kind.from_json(stored).as_json()) == json.dumps(stored)


def test_a_check_is_stored_as_it_was_measured() -> None:
    """The signals come back with all their figures, beside the labels and the windows."""
    stored = {"check": CHECK, "labels": 12, "windows": {"current": {"rows": 400}}}
    output = CheckOutput.from_json(stored)
    again = json.loads(json.dumps(output.as_json()))
    assert (again["labels"], again["windows"]) == (12, stored["windows"])
    assert {key: again["check"][key] for key in CHECK if key != "signals"} == {
        key: value for key, value in CHECK.items() if key != "signals"
    }
    assert {key: again["check"]["signals"][0][key] for key in SIGNAL} == SIGNAL


def test_outputs_of_earlier_versions_are_read() -> None:
    """Windows, pauses and tests of the rows were not always kept; a step that had nothing to do left null."""
    steps = {
        "score": {"champion": 1, "scored": 0}, "check": {"check": CHECK, "labels": 3}, "decide": DECISION,
        "train": {"failed": "no label"}, "gate": None,
    }  # fmt: skip
    cycle = CycleRecord("c1", "reviews", datetime(2024, 1, 1, tzinfo=UTC), "running", steps, None)
    checked, decided, trained = (output_of(cycle, kind) for kind in (CheckOutput, DecideOutput, TrainOutput))
    assert isinstance(checked, CheckOutput)
    assert checked.windows is None
    assert isinstance(decided, DecideOutput)
    assert decided.paused == ""
    assert isinstance(trained, TrainOutput)
    assert (trained.trained, list(trained.tests)) == (None, [])
    assert output_of(cycle, GateOutput) is None
    assert output_of(cycle, PromoteOutput) is None
