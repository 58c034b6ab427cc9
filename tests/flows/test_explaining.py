"""One command says why a version is champion and what another would have needed, from the audit trail alone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.flows.test_commands import Shell
from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, take_in, with_champion
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.demo.reviews import HEALTHY
from trueup.reports.explanation import explain_champion, explain_others, needed
from trueup.reports.explanation_facts import Trail, TrainingRequest
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
LABELS = {"code": "GATE-LABELS", "passed": True, "value": 312.0, "bound": 50.0, "said": "312 new labelled rows"}
GAIN = {"code": "GATE-METRIC", "passed": True, "value": 0.02, "bound": 0.0, "said": "f1_macro is 0.93, of v5 0.91"}
NOTHING = {"code": "GATE-OLDER", "passed": True, "value": None, "bound": None, "said": "Not applied: 3 older rows"}
UNSURE = {
    "code": "GATE-BETTER", "passed": False, "value": 0.62, "bound": 0.8,
    "said": "better with a probability of 62.0%; about 640 labels would have shown it, there were 312",
}  # fmt: skip
SLOW = {"code": "GATE-LATENCY", "passed": False, "value": 7.5, "bound": 5.0, "said": "7.5 times as slow as v5"}
ASKED = TrainingRequest(
    report_id="ab12", codes=("PRF-METRIC",), reasons=("It fell.",),
    first_time="2024-01-01T00:00:00Z", last_time="2024-01-08T23:59:59.5Z",
)


def attempt(
    day: int, kind: str, state: PromotionState, before: int | None, after: int | None, *tests: Any, **more: Any
) -> PromotionAttempt:
    passed = all(test["passed"] for test in tests)
    return PromotionAttempt(
        stream="reviews", id=f"e{day}", kind=PromotionKind(kind), state=state, from_version=before, to_version=after,
        as_of=NOON + timedelta(days=day), at=NOON + timedelta(days=day, hours=1), who="ann",
        why=more.pop("why", "PRF-METRIC fell"), codes=(), labels=312,
        gate={"passed": passed, "tests": list(tests)}, **more,
    )  # fmt: skip


HISTORY = (
    attempt(9, "challenger", PromotionState.REFUSED, 7, 9, LABELS, GAIN, UNSURE, SLOW),
    attempt(8, "challenger", PromotionState.REFUSED, 7, None, why="the labels know one class only"),
    attempt(7, "challenger", PromotionState.COMMITTED, 5, 7, LABELS, GAIN, cycle_id="c7"),
    attempt(6, "challenger", PromotionState.HELD, 5, 6, LABELS, GAIN),
    attempt(5, "challenger", PromotionState.COMMITTED, 1, 5, LABELS, GAIN),
    attempt(4, "challenger", PromotionState.REFUSED, 1, 4, LABELS, UNSURE),
)
TRAIL = Trail(
    stream="reviews", metric="f1_macro", champion=7, history=HISTORY, versions=(1, 4, 5, 6, 7, 9, 10),
    asked={"c7": ASKED},
)  # fmt: skip


def test_why_a_version_is_champion() -> None:
    """When, through what, over whom and by how much, the check that asked for it, and every test of its gate."""
    found = explain_champion(TRAIL)
    assert found
    assert (found.version, found.from_version, found.kind, found.gain) == (7, 5, "challenger", 0.02)
    assert (found.event_id, found.asked, found.tests) == ("e7", ASKED, (LABELS, GAIN))
    said = "\n".join(found.said)
    assert "v7 is champion since 2024-01-08 13:00 UTC over v5, through its gate" in said
    assert "of the records from 2024-01-01 00:00 UTC to 2024-01-08 23:59 UTC, led to it with PRF-METRIC." in said
    assert "passed GATE-METRIC: f1_macro is 0.93, of v5 0.91." in said


def test_what_a_refused_version_would_have_needed() -> None:
    """Each test that failed, with bound and figure on the side that it takes, and its own words."""
    (nine,) = explain_others(TRAIL, [9])
    assert (nine.state, nine.against, nine.failed) == ("refused", 7, (UNSURE, SLOW))
    assert nine.needed == (
        f"GATE-BETTER: how sure it is to be better, at least 0.8, and it had 0.62. {UNSURE['said']}.",
        "GATE-LATENCY: at most 5, and it had 7.5. 7.5 times as slow as v5.",
    )
    assert nine.said == "v9 was refused by its gate, as of 2024-01-10 12:00 UTC."


def test_the_labels_that_would_have_shown_a_gain_are_told() -> None:
    """Where there were fewer; how many there were stands beside it."""
    few = HISTORY[0].gate | {"outcome": "not enough evidence", "labels_needed": 640}
    (nine,) = explain_others(replace(TRAIL, history=(replace(HISTORY[0], gate=few), *HISTORY[1:])), [9])
    assert (nine.state, nine.labels, nine.labels_needed) == ("lacking", 312, 640)
    assert nine.needed[-1].startswith("About 640 new labels, where there were 312")


def test_what_does_not_apply_and_how_the_probation_stands() -> None:
    """A test with nothing to judge is no pass; the newest look of the probation is told in its own words."""
    seven = replace(HISTORY[2], gate={"passed": True, "tests": [GAIN, NOTHING]})
    watched = {"previous": 5, "outcome": "watching", "said": "80 labelled rows by now"}
    found = explain_champion(replace(TRAIL, history=(seven, *HISTORY[3:]), probation=watched))
    assert found
    assert "–      GATE-OLDER: Not applied: 3 older rows." in found.said[-2]
    assert found.said[-1] == "Its probation against v5: watching: 80 labelled rows by now."


def test_a_bound_that_must_be_exceeded_and_a_figure_that_is_none() -> None:
    """No gain at all needs more than nothing; an undefined figure is told in its own words."""
    assert "more than 0, and it had 0" in needed(GAIN | {"passed": False, "value": 0.0}, "f1_macro")
    assert needed(GAIN | {"value": None, "said": "undefined"}, "mae") == "GATE-METRIC: a gain in mae, undefined"


def test_without_a_name_all_since_the_champion_and_those_that_wait() -> None:
    """A version nobody judged, what was refused or could not be trained since, and what was held before."""
    assert [(o.version, o.state) for o in explain_others(TRAIL)] == [
        (10, "unjudged"), (9, "refused"), (None, "untrained"), (6, "held"),
    ]  # fmt: skip
    assert explain_others(TRAIL)[2].needed == ("the labels know one class only.",)
    assert "A gate against v7" in explain_others(TRAIL)[3].needed[0]


def test_former_champions_strangers_and_refusals_by_a_champion_that_is_gone() -> None:
    """What took a version's place and how to go back; what the store does not know; whom a refusal was against."""
    five, four, eight = explain_others(TRAIL, [5, 4, 8])
    assert (five.state, eight.state) == ("former", "unknown")
    assert "v7 took its place" in five.needed[0]
    assert "trueup models rollback --to 5" in five.needed[1]
    assert four.needed[-1] == "A gate against v7, the champion of today: it was compared with v1."


def test_one_that_waits_names_the_command() -> None:
    """Approval where the champion is the one it met; a new gate or force where it was set aside."""
    held = attempt(9, "challenger", PromotionState.HELD, 7, 9, LABELS, GAIN)
    (nine,) = explain_others(replace(TRAIL, history=(held, *HISTORY[1:])))[1:2]
    assert nine.needed == ("A person's approval: trueup models promote --to 9 --stream reviews --why '...'",)


def test_a_champion_by_hand_keeps_the_evidence_it_was_judged_by() -> None:
    """Gone back to: who and why, and below it the gate of its training."""
    back = attempt(10, "rollback", PromotionState.COMMITTED, 7, 5, why="wrong on refunds")
    found = explain_champion(replace(TRAIL, champion=5, history=(back, *HISTORY)))
    assert found
    assert (found.kind, found.from_version, found.tests) == ("rollback", 7, (LABELS, GAIN))
    assert "by a person who went back to it (ann: wrong on refunds.)" in found.said[0]
    assert "It was trained and judged as of 2024-01-06" in found.said[1]


def test_a_champion_that_the_store_knows_nothing_of() -> None:
    """No event is made up; without a champion there is nothing to explain."""
    unknown = explain_champion(replace(TRAIL, champion=11))
    assert unknown.said[0].endswith("the store knows of no event that made it so.")  # type: ignore[union-attr]
    assert explain_champion(replace(TRAIL, champion=None)) is None


# ---- the command ----


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """v1 in force, and v2 refused: forty new records are too few to judge by."""
    folder = tmp_path_factory.mktemp("explained")
    app = with_champion(folder, more=ONE_CANDIDATE)
    take_in(app, folder, 2, TRAINED, WEEK, HEALTHY, 40)
    assert train_now(app, app.stream("reviews"), TRAINED + WEEK)["promotion"] is None
    app.close()
    return Shell(folder)


def test_the_command_answers_both_questions(shell: Shell) -> None:
    """Champion, because, others: with the figures that `history` holds."""
    found = shell("models explain -s reviews").document
    judged = {e["to_version"]: e for e in shell("models history -s reviews").document["events"]}
    assert (found["champion"], found["notes"]) == (1, [])
    assert found["because"]["event_id"] == judged[1]["id"]
    assert found["because"]["tests"] == judged[1]["gate"]["tests"]
    (two,) = found["others"]
    assert (two["version"], two["against"], two["state"]) == (2, 1, "lacking")
    assert two["failed"] == [test for test in judged[2]["gate"]["tests"] if not test["passed"]]
    assert len(two["needed"]) == len(two["failed"]) > 0
    assert [o["version"] for o in shell("models explain -s reviews 1 2").document["others"]] == [1, 2]
    assert shell("models show 1 -s reviews").document["explained"] == found["because"]["said"]


def test_it_answers_when_mlflow_is_lost(shell: Shell, tmp_path: Path) -> None:
    """The store alone tells the same, and says that it is alone."""
    whole = shell("models explain -s reviews").document
    folder = tmp_path / "lost"
    shutil.copytree(shell.folder, folder)
    for file in (folder / ".trueup").glob("mlflow*"):
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    found = Shell(folder)("models explain -s reviews").document
    assert "told from the store" in found["notes"][0]
    assert found | {"notes": []} == whole
    shown = Shell(folder)("models show 2 -s reviews").document["explained"]
    assert shown == [whole["others"][0]["said"], *whole["others"][0]["needed"]]


def test_it_answers_when_the_store_is_lost(shell: Shell, tmp_path: Path) -> None:
    """What MLflow's versions say of how they became champion is told, and that it is they who say it."""
    whole = shell("models explain -s reviews").document["because"]
    folder = tmp_path / "lost"
    shutil.copytree(shell.folder, folder)
    for file in (folder / ".trueup").glob("trueup.db*"):
        file.unlink()
    found = Shell(folder)("models explain -s reviews").document
    assert "MLflow alone" in found["notes"][0]
    assert {**found["because"], "at": None} == {**whole, "at": None}
    assert [(o["version"], o["state"]) for o in found["others"]] == [(2, "unjudged")]
