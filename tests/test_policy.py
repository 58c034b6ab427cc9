"""The policy: when it alerts, when it asks for a challenger, and what it never does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.evidence import Check, Signal, Verdict
from monitoring.policy import Action, History, PastAttempt, PastCheck, decide
from storage.stream import Policy

T = datetime(2024, 6, 1, tzinfo=UTC)
CODES = ["DRF-TEXT", "DRF-SCORE", "PRF-METRIC", "DQ-VOLUME", "DQ-MISSING-x"]


def check(*breached: str, counted: bool = True) -> Check:
    signals = tuple(Signal(code=c, name=c, verdict=Verdict.BREACHED, said="moved") for c in breached)
    return Check(report_id="r", counted=counted, signals=signals)


def before(*breached: str, days: int = 1) -> PastCheck:
    return PastCheck(T - timedelta(days=days), frozenset(breached))


def test_one_breach_alerts_and_a_second_running_retrains() -> None:
    """`confirm = 2` counted checks of the same code ask for a challenger."""
    once = decide(Policy(), check("DRF-TEXT"), History((before(),), (), 500), T)
    twice = decide(Policy(), check("DRF-TEXT"), History((before("DRF-TEXT"),), (), 500), T)
    assert (once.action, twice.action) == (Action.ALERT, Action.RETRAIN)
    assert twice.confirmed == ("DRF-TEXT",)


def test_a_quiet_check_resets_confirmation() -> None:
    """Breached, quiet, breached is not two running."""
    history = History((before(), before("DRF-TEXT", days=2)), (), 500)
    assert decide(Policy(), check("DRF-TEXT"), history, T).action is Action.ALERT


def test_a_provisional_check_moves_only_what_is_judged_by_time() -> None:
    """Drift in a window that is not full waits; a silent feed does not."""
    provisional = decide(Policy(confirm=1), check("DRF-TEXT", "DQ-VOLUME", counted=False), History((), (), 0), T)
    assert (provisional.action, provisional.codes) == (Action.ALERT, ("DQ-VOLUME",))


def test_after_a_refusal_the_same_cause_waits_for_half_as_many_labels_again() -> None:
    """A refused challenger is not tried again on the same evidence."""
    refused = PastAttempt(T - timedelta(days=30), frozenset({"DRF-TEXT"}), 400, refused=True)
    past = (before("DRF-TEXT", "PRF-METRIC"),)
    assert decide(Policy(), check("DRF-TEXT"), History(past, (refused,), 599), T).action is Action.ALERT
    assert decide(Policy(), check("DRF-TEXT"), History(past, (refused,), 600), T).action is Action.RETRAIN
    assert decide(Policy(), check("PRF-METRIC"), History(past, (refused,), 0), T).action is Action.RETRAIN


attempts = st.lists(
    st.builds(
        PastAttempt,
        as_of=st.integers(0, 20 * 24).map(lambda h: T - timedelta(hours=h)),
        codes=st.frozensets(st.sampled_from(CODES)),
        labels=st.integers(0, 1000),
        refused=st.booleans(),
    ),
    max_size=6,
).map(lambda a: tuple(sorted(a, key=lambda x: x.as_of, reverse=True)))
counted_before = st.lists(st.frozensets(st.sampled_from(CODES)), max_size=5).map(
    lambda sets: tuple(PastCheck(T - timedelta(days=k + 1), s) for k, s in enumerate(sets))
)


@given(
    breached=st.sets(st.sampled_from(CODES)),
    counted=st.booleans(),
    past=counted_before,
    tried=attempts,
    labels=st.integers(0, 2000),
    confirm=st.integers(1, 3),
    budget=st.integers(0, 3),
    kinds=st.sampled_from([(), ("drift",), ("metric",), ("drift", "metric")]),
)
def test_no_history_leads_past_the_policy(
    breached: set[str],
    counted: bool,
    past: tuple[PastCheck, ...],
    tried: tuple[PastAttempt, ...],
    labels: int,
    confirm: int,
    budget: int,
    kinds: tuple[str, ...],
) -> None:
    """No challenger within a cooldown, over the budget, unconfirmed, from an uncounted check or for another kind."""
    policy = Policy(confirm=confirm, retrains_per_week=budget, retrain_on=kinds, cooldown="2d")
    decision = decide(policy, check(*sorted(breached), counted=counted), History(past, tried, labels), T)
    assert decision.reasons
    assert set(decision.codes) <= breached
    if decision.action is Action.RETRAIN:
        assert counted
        assert all(a.as_of <= T - timedelta(days=2) for a in tried)
        assert sum(a.as_of > T - timedelta(days=7) for a in tried) < budget
        assert all(
            c in breached and all(c in p.breached for p in past[: confirm - 1]) and len(past) >= confirm - 1
            for c in decision.confirmed
        )
        assert decision.confirmed
    elif decision.action is Action.NONE:
        assert not counted or not breached
