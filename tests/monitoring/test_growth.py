"""Growth of labels: when it asks for a challenger by itself, how long drift waits for it, and what it never does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.monitoring.check import Check, History, PastAttempt, PastCheck, Signal, Verdict
from trueup.monitoring.growth import LabelGrowth
from trueup.monitoring.policy import Action, decide
from trueup.storage.policy import Policy

T = datetime(2024, 6, 1, tzinfo=UTC)


def check(*breached: str, counted: bool = True) -> Check:
    told: dict[str, Any] = {"verdict": Verdict.BREACHED, "said": "moved.", "overwhelming": True}
    return Check(report_id="r", counted=counted, signals=tuple(Signal(code=c, name=c, **told) for c in breached))


def history(labels: int, *attempts: PastAttempt, **more: Any) -> History:
    return History((), attempts, labels, trained=1000, **more)


def tried(labels: int, *, days: int = 10, refused: bool = True, of_champion: bool = True) -> PastAttempt:
    return PastAttempt(T - timedelta(days=days), frozenset(), labels, refused, of_champion)


def test_growth_alone_asks_for_a_challenger_and_says_so() -> None:
    """From `growth` on a quiet counted check retrains, on no code; the sentence has both figures."""
    before, after = (decide(Policy(), check(), history(labels), T) for labels in (499, 520))
    assert (before.action, before.growth) == (Action.NONE, "")
    assert (after.action, after.codes, after.confirmed, after.severity) == (Action.RETRAIN, (), (), "none")
    assert after.growth == "Retrained because labels have grown by 52 % (1,000 → 1,520), not because anything drifted."
    assert any(reason.startswith(after.growth) for reason in after.reasons)


def test_what_drifted_is_not_said_to_have_stood_still() -> None:
    """Where drift has to wait for another reason, growth asks beside it, without the claim that nothing drifted."""
    other = PastAttempt(T - timedelta(days=10), frozenset({"DRF-TEXT"}), 2000, refused=True, of_champion=False)
    found = decide(Policy(), check("DRF-TEXT"), history(520, other), T)
    assert (found.action, found.codes) == (Action.RETRAIN, ("DRF-TEXT",))
    assert found.growth == "Retrained because labels have grown by 52 % (1,000 → 1,520)."


def test_a_challenger_that_changed_nothing_puts_growth_off_until_half_as_many_labels_more() -> None:
    """Refused, held, rolled back: nearly the same would be learnt again. An older champion's attempts do not count."""
    for refused in (True, False):
        actions = [decide(Policy(), check(), history(n, tried(400, refused=refused)), T).action for n in (599, 600)]
        assert actions == [Action.NONE, Action.RETRAIN]
    assert decide(Policy(), check(), history(520, tried(2000, of_champion=False)), T).action is Action.RETRAIN


def test_drift_alone_waits_for_growth_and_a_drop_does_not() -> None:
    """Under `drift_growth` drift alerts and says what it waits for; a drop of the metric retrains at once."""
    early, later = (decide(Policy(), check("DRF-TEXT"), history(labels), T) for labels in (399, 400))
    assert (early.action, later.action) == (Action.ALERT, Action.RETRAIN)
    assert any("grown by 40 % (1,000 → 1,399)" in said and "drift_growth" in said for said in early.reasons)
    dropped = decide(Policy(min_labels=50), check("DRF-TEXT", "PRF-METRIC"), history(60), T)
    assert (dropped.action, dropped.confirmed) == (Action.RETRAIN, ("DRF-TEXT", "PRF-METRIC"))


def test_where_nobody_knows_what_the_champion_learnt_drift_is_as_before() -> None:
    """A service's model, or a version of an old trueup: growth asks for nothing, and drift does not wait."""
    assert decide(Policy(), check(), History((), (), 5000), T).action is Action.NONE
    assert decide(Policy(), check("DRF-TEXT"), History((), (), 200), T).action is Action.RETRAIN


def test_a_series_has_bounds_of_its_own_unless_they_are_set() -> None:
    """Of dependent rows growth asks earlier and drift does not wait; whoever sets it gets what is set."""
    assert Policy().for_series().retrain_on == Policy().retrain_on
    assert (Policy().for_series().drift_growth, Policy().for_series().growth) == (0, 0.4)
    chosen = Policy(growth=0.7, drift_growth=0.3).for_series()
    assert (chosen.growth, chosen.drift_growth) == (0.7, 0.3)


@given(
    trained=st.integers(0, 3000),
    labels=st.integers(0, 3000),
    attempts=st.lists(
        st.builds(tried, st.integers(0, 2000), days=st.integers(0, 20), refused=st.booleans(),
                  of_champion=st.booleans()), max_size=5,
    ),
    counted=st.booleans(),
    asked=st.booleans(),
    paused=st.booleans(),
)  # fmt: skip
def test_growth_leads_past_no_rule(
    trained: int, labels: int, attempts: list[PastAttempt], counted: bool, asked: bool, paused: bool
) -> None:
    """A challenger for growth: only of a counted check, unpaused, with enough labels, in budget, after the cooldown."""
    policy = Policy(cooldown="2d", retrains_per_week=2, retrain_on=("growth",) if asked else ("drift", "metric"))
    known = sorted(attempts, key=lambda a: a.as_of, reverse=True)
    found = decide(
        policy, check(counted=counted),
        History((PastCheck(T - timedelta(days=1), {}),), tuple(known), labels, paused="Paused." * paused,
                trained=trained), T,
    )  # fmt: skip
    assert bool(found.growth) == (found.action is Action.RETRAIN)
    if found.action is Action.RETRAIN:
        assert counted
        assert asked
        assert not paused
        assert trained > 0
        assert labels >= max(policy.min_labels, policy.growth * trained)
        assert all(a.as_of + policy.cooldown_span <= T for a in known)
        assert sum(a.as_of > T - timedelta(days=7) for a in known) < 2
        last = next((a for a in known if a.of_champion), None)
        assert last is None or labels >= 1.5 * last.labels


@pytest.mark.parametrize(("trained", "new", "said"), [(1000, 420, "42 % (1,000 → 1,420)"), (3, 1, "33 % (3 → 4)")])
def test_growth_is_said_in_both_figures(trained: int, new: int, said: str) -> None:
    """The share, what the champion was trained on, and what there is by now."""
    assert LabelGrowth(trained, new).said == said
