"""When a drift that no challenger could better counts as harmless so far."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trueup.monitoring.check import Check, Signal, Verdict
from trueup.monitoring.policy import Action, History, PastAttempt, PastCheck, decide
from trueup.storage.policy import Policy

T = datetime(2024, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def check(*, verdict: Verdict = Verdict.OK, n: int = 300, drop: float = 0.0, judged: int = -4) -> Check:
    """A counted check at T in which the texts drifted; its metric, and the day of the oldest label that it reads."""
    texts = Signal(code="DRF-TEXT", name="texts", verdict=Verdict.BREACHED, said="moved.")
    metric = Signal(code="PRF-METRIC", name="f1_macro", verdict=verdict, said="", n_current=n, effect=drop)
    return Check(
        report_id="r", counted=True, signals=(texts, metric), judged_from=(T + judged * DAY).isoformat()
    )


def history(*held: bool, refused_at: int = -3, refused: bool = True, quiet: int | None = None) -> History:
    """Counted checks before T, a day each, newest first, that breached the texts; whether quality held in each."""
    counted = tuple(
        PastCheck(T - k * DAY, {} if k == quiet else {"DRF-TEXT": None}, T - (k + 1) * DAY, kept)
        for k, kept in enumerate(held, start=1)
    )
    return History(counted, (PastAttempt(T + refused_at * DAY, frozenset({"DRF-TEXT"}), 300, refused),), 900)


def test_it_is_shown_by_one_check_more_than_confirm_in_a_row() -> None:
    """Refused three days ago, unharmed in the three counted checks since; the decision says so and asks for nothing."""
    decision = decide(Policy(confirm=2), check(), history(True, True, False), T)
    assert decision.harmless == ("DRF-TEXT",)
    assert decision.action is Action.ALERT
    assert any(reason.startswith("Harmless so far: ") for reason in decision.reasons)


@pytest.mark.parametrize(
    ("case", "policy"),
    [
        ({"held": (True, False, False)}, {}),  # one of them not unharmed
        ({"held": (True, True, True), "refused_at": -2}, {}),  # two checks since the refusal
        ({"held": (True, True, True), "refused": False}, {}),
        ({"held": (True, True, True, True), "quiet": 3}, {}),  # the drift that was refused had ended
        ({"held": (True, True, True)}, {"harmless": "keep"}),
        ({"held": (True, True, True)}, {"mute": ("DRF-TEXT",)}),
    ],
)
def test_it_is_not_shown_by_less(case: dict[str, Any], policy: dict[str, Any]) -> None:
    """Nor by another drift, nor where the policy keeps such incidents open."""
    told = dict(case)
    past = history(*told.pop("held"), **told)
    assert decide(Policy(confirm=2, **policy), check(), past, T).harmless == ()


@pytest.mark.parametrize(
    "now",
    [
        check(verdict=Verdict.INSUFFICIENT),
        check(verdict=Verdict.BREACHED),
        check(n=150),  # fewer labels than min_labels
        check(drop=0.05),  # not significant, and more than max_drop
        check(judged=-30),  # labels from before the drift
    ],
)
def test_quality_has_to_be_measured_unharmed_on_labels_since_the_change(now: Check) -> None:
    """What could not be judged, or tells of the time before, shows nothing."""
    assert decide(Policy(confirm=2), now, history(True, True, True), T).harmless == ()


def test_a_series_has_no_reference_that_could_move() -> None:
    """So its drift stays open until it is quiet."""
    past = replace(history(True, True, True), movable=False)
    assert decide(Policy(confirm=2), check(), past, T).harmless == ()
