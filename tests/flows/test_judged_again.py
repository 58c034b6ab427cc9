"""A challenger that was refused for want of evidence is judged again on newer rows, untrained, while all is well."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.made_deployments import BROKEN, ONE_CANDIDATE, TRAINED, WEEK, plain_mail, take_in, with_champion
from trueup.flows.app import App
from trueup.flows.audit.history import history
from trueup.flows.cycle.document import outcome, summary
from trueup.flows.cycle.run import run_cycle
from trueup.flows.demo.reviews import HEALTHY, Regime
from trueup.flows.gate.champion_line import beginning_of_line
from trueup.flows.gate.evaluate import GateOutcome
from trueup.flows.gate.waiting import WINDOWS_AGAIN, waiting_challenger
from trueup.flows.replay.policies import REPLAYED
from trueup.flows.train.run import Trained
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState
from trueup.storage.stream import StreamSettings

SAYS_NO = {"code": "GATE-LOSS", "passed": False, "value": 0.2, "bound": 0.05, "said": "too few rows"}
NO_WORSE = {"code": "GATE-BETTER", "passed": True, "value": 0.6, "bound": 0.5, "said": "as good"}


def refused(app: App, stream: StreamSettings, trained: Trained, as_of: datetime) -> GateOutcome:
    """A gate to which the first rows are too few."""
    return GateOutcome({"passed": False, "tests": [SAYS_NO]}, 1, 300)


def as_good(app: App, stream: StreamSettings, version: int, as_of: datetime) -> GateOutcome:
    """A gate that finds it no worse."""
    return GateOutcome({"passed": True, "tests": [NO_WORSE], "begins_line": False}, 1, 700)


class Weeks:
    """A deployment whose challenger v2, asked for by growth in the first week, was refused."""

    def __init__(self, folder: Path) -> None:
        self.app, self.folder, self.week = with_champion(folder, more=ONE_CANDIDATE), folder, 0
        kept = self.app.stream("reviews")
        kept = kept.model_copy(update={"gate": kept.gate.model_copy(update={"rule": "not_worse"})})
        self.stream = self._asking(kept, "growth")
        self.first = self.comes(judge=refused)
        self.stream = self._asking(kept)  # a newer training would take its place

    def _asking(self, stream: StreamSettings, *causes: str) -> StreamSettings:
        asked = {"retrain_on": causes, "growth": 0.4}
        return stream.model_copy(update={"policy": stream.policy.model_copy(update=asked)})

    def comes(self, regime: Regime = HEALTHY, **changes: Any) -> dict[str, Any]:
        """One more week of reviews and its cycle."""
        take_in(self.app, self.folder, 2 + self.week, TRAINED + self.week * WEEK, WEEK, regime)
        self.week += 1
        return run_cycle(
            self.app, self.stream, TRAINED + self.week * WEEK, strategies=replace(REPLAYED, **changes)
        )

    def newest(self) -> PromotionAttempt:
        return self.app.promotions.history("reviews")[0]


@pytest.fixture
def weeks(tmp_path: Path) -> Weeks:
    return Weeks(tmp_path)


def test_who_was_refused_is_judged_again_by_the_whole_gate_on_newer_rows(weeks: Weeks) -> None:
    """The next week's rows, both sides, decide; nothing is trained, and cycle and trail tell of it."""
    assert outcome(weeks.first) == "v2 trained, refused by the gate"
    done = weeks.comes()
    assert (done["training"], done["judged_again"]) == (None, 2)
    attempt = weeks.newest()
    assert (attempt.kind, attempt.to_version, attempt.cycle_id) == (PromotionKind.AGAIN, 2, done["cycle_id"])
    codes = {test["code"] for test in attempt.gate["tests"]}
    assert {"GATE-LOSS", "GATE-BETTER", "GATE-EVALUATION", "GATE-OLDER", "GATE-FEED", "GATE-LOADS"} <= codes
    [labels] = [test["value"] for test in attempt.gate["tests"] if test["code"] == "GATE-LABELS"]
    assert 200 < labels <= 400  # of the second week alone
    assert "v2" in outcome(done)
    assert "judged again on the rows since, without training" in summary(done)
    assert weeks.app.promotions.versions("reviews")[0].version == 2
    assert any(event["kind"] == "again" for event in history(weeks.app, weeks.stream).events)
    again = run_cycle(weeks.app, weeks.stream, TRAINED + weeks.week * WEEK, strategies=REPLAYED)
    assert again["repeated"]
    assert weeks.newest() == attempt


def test_who_passes_at_last_is_promoted_on_probation_and_the_mail_says_how(weeks: Weeks) -> None:
    """The alias moves as for any challenger; the new champion is a step of the line that v1 began."""
    done = weeks.comes(judge_again=as_good)
    assert done["promotion"] == {"from_version": 1, "to_version": 2}
    assert outcome(done) == "v2 promoted over v1"
    mail = next(plain_mail(weeks.app, notice) for notice in weeks.app.outbox.newest("reviews"))
    assert "Promoted v2 in place of v1" in mail
    assert "judged again on the rows since, without training" in mail
    assert beginning_of_line(weeks.app.promotions.history("reviews"), 2) == (1, 1)
    assert weeks.comes()["probation"]["version"] == 2


def test_who_waits_is_dropped_for_good_once_the_metric_falls(weeks: Weeks) -> None:
    """A window in which users are hurt is no place to show that one is no worse; it does not wait for a better one."""
    done = weeks.comes(BROKEN, judge_again=as_good)
    assert (done["promotion"], done["gate"], done["judged_again"]) == (None, None, 2)
    assert outcome(done).startswith(("v2 is not judged again", "alert"))
    assert "is not judged again" in weeks.newest().why
    assert "PRF-METRIC" in weeks.newest().why
    assert waiting_challenger(weeks.app.promotions.history("reviews"), 1) is None


def _attempt(kind: PromotionKind, state: PromotionState, to_version: int, **more: Any) -> PromotionAttempt:
    told = {"gate": {"passed": False, "tests": [SAYS_NO]}, "from_version": 1, "id": more.pop("id", kind), **more}
    return PromotionAttempt(
        stream="reviews", kind=kind, state=state, to_version=to_version, as_of=TRAINED, at=TRAINED, who="trueup",
        why="", codes=(), labels=300, **told,
    )  # fmt: skip


def test_it_waits_for_four_windows_and_only_for_want_of_evidence() -> None:
    """Four looks are all; a newer training, another champion, or a test that no other row can change ends it."""
    first = _attempt(PromotionKind.CHALLENGER, PromotionState.REFUSED, 2)
    looks = [_attempt(PromotionKind.AGAIN, PromotionState.REFUSED, 2, id=str(k)) for k in range(WINDOWS_AGAIN)]
    assert waiting_challenger([*looks[1:], first], 1) == first
    assert waiting_challenger([*looks, first], 1) is None
    assert waiting_challenger([first], 3) is None
    newer = _attempt(PromotionKind.CHALLENGER, PromotionState.COMMITTED, 3)
    assert waiting_challenger([newer, first], 1) is None
    slow = {"code": "GATE-LATENCY", "passed": False, "value": 9.0, "bound": 5.0, "said": "too slow"}
    late = _attempt(PromotionKind.CHALLENGER, PromotionState.REFUSED, 2, gate={"passed": False, "tests": [slow]})
    assert waiting_challenger([late], 1) is None


def test_a_line_goes_back_to_who_proved_better() -> None:
    """Steps that were only no worse are counted; proof, a first champion or a person's force begins a line."""
    step = {"passed": True, "tests": [], "begins_line": False}
    made = [
        _attempt(PromotionKind.CHALLENGER, PromotionState.COMMITTED, 4, gate=step, from_version=3),
        _attempt(PromotionKind.AGAIN, PromotionState.COMMITTED, 3, gate=step, from_version=2),
        _attempt(PromotionKind.CHALLENGER, PromotionState.COMMITTED, 2, gate={"passed": True, "tests": []}),
        _attempt(PromotionKind.FIRST, PromotionState.COMMITTED, 1, from_version=None),
    ]
    assert [beginning_of_line(made, version) for version in (4, 3, 2, 1)] == [(2, 2), (2, 1), (2, 0), (1, 0)]
    forced = [_attempt(PromotionKind.FORCED, PromotionState.COMMITTED, 4, gate=step, from_version=3), *made[1:]]
    assert beginning_of_line(forced, 4) == (4, 0)
