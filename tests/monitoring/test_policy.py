"""The policy: when it alerts, when it asks for a challenger, and what it never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trueup.monitoring.check import Check, Signal, Verdict
from trueup.monitoring.policy import Action, History, PastAttempt, PastCheck, decide
from trueup.monitoring.signals.catalogue import kind_of
from trueup.storage.policy import Policy

T = datetime(2024, 6, 1, tzinfo=UTC)
CODES = ["DRF-TEXT", "DRF-SCORE", "PRF-METRIC", "DQ-VOLUME", "DQ-MISSING-x"]


def check(*breached: str, counted: bool = True, at_once: bool = False, **figures: Any) -> Check:
    told: dict[str, Any] = {"verdict": Verdict.BREACHED, "said": "moved.", "overwhelming": at_once, **figures}
    signals = tuple(Signal(code=c, name=c, **told) for c in breached)
    return Check(report_id="r", counted=counted, signals=signals)


def before(*breached: str, days: int = 1, direction: str | None = None) -> PastCheck:
    return PastCheck(T - timedelta(days=days), dict.fromkeys(breached, direction))


def test_a_plain_breach_is_watched_and_a_second_running_is_acted_on() -> None:
    """`confirm = 2` counted checks of the same code alert and ask for a challenger; the first one wakes nobody."""
    once = decide(Policy(), check("DRF-TEXT"), History((before(),), (), 500), T)
    twice = decide(Policy(), check("DRF-TEXT"), History((before("DRF-TEXT"),), (), 500), T)
    assert (once.action, once.watched, once.codes) == (Action.NONE, ("DRF-TEXT",), ())
    assert (twice.action, twice.confirmed) == (Action.RETRAIN, ("DRF-TEXT",))
    assert any("1 of 2 counted checks" in reason for reason in once.reasons)


def test_overwhelming_evidence_is_acted_on_at_once() -> None:
    """What a year of healthy checks would hardly ever show needs no second window."""
    decision = decide(Policy(), check("DRF-TEXT", at_once=True), History((), (), 500), T)
    assert (decision.action, decision.severity) == (Action.RETRAIN, "low")


def test_opposite_directions_do_not_confirm_each_other() -> None:
    """Up after down is chance playing both ways; up after up is a change."""
    down, up = (History((before("DRF-SCORE", direction=d),), (), 500) for d in ("down", "up"))
    assert decide(Policy(), check("DRF-SCORE", direction="up"), down, T).action is Action.NONE
    assert decide(Policy(), check("DRF-SCORE", direction="up"), up, T).action is Action.RETRAIN


def test_a_quiet_check_resets_confirmation() -> None:
    """Breached, quiet, breached is not two running."""
    history = History((before(), before("DRF-TEXT", days=2)), (), 500)
    assert decide(Policy(), check("DRF-TEXT"), history, T).action is Action.NONE


def test_a_provisional_check_moves_only_what_is_judged_by_time() -> None:
    """Drift in a window that is not full waits; a silent feed does not."""
    found = check("DRF-TEXT", "DQ-VOLUME", counted=False, at_once=True)
    provisional = decide(Policy(), found, History((), (), 0), T)
    assert (provisional.action, provisional.codes) == (Action.ALERT, ("DQ-VOLUME",))


def test_what_is_judged_by_time_is_confirmed_by_the_check_before_counted_or_not() -> None:
    """A feed that fell silent fills no window, so its confirmation cannot wait for one."""
    found = check("DQ-VOLUME", counted=False)
    once, twice = (History((), (), 0, latest=before(*codes)) for codes in ((), ("DQ-VOLUME",)))
    assert decide(Policy(), found, once, T).action is Action.NONE
    assert decide(Policy(), found, twice, T).action is Action.ALERT


def test_a_muted_code_moves_nothing_and_is_named() -> None:
    """`mute` silences a code; the decision still says that it was breached."""
    decision = decide(Policy(mute=("DQ-DUP",)), check("DQ-DUP", at_once=True), History((), (), 500), T)
    assert (decision.action, decision.codes, decision.watched) == (Action.NONE, (), ())
    assert any("muted" in reason and "DQ-DUP" in reason for reason in decision.reasons)


def test_severity_is_high_where_users_are_hurt_or_trueup_cannot_work() -> None:
    """A fall of quality and a silent feed wake people; inputs that moved do not, nor missing values that hurt none."""
    metric = Signal(code="PRF-METRIC", name="f1", verdict=Verdict.OK, said="fine.", interval=(-0.02, 0.01))
    missing = check("DQ-MISSING-a", at_once=True)
    told = {
        "drift": check("DRF-TEXT", at_once=True),
        "repeats": check("DQ-DUP", at_once=True),
        "missing, judged": replace(missing, signals=(*missing.signals, metric)),
        "missing, not judged": missing,
        "drift and a fall": check("DRF-TEXT", "PRF-METRIC", at_once=True),
        "estimated fall": check("PRF-EST", at_once=True),
        "silent": check("DQ-VOLUME", at_once=True),
        "no labels": check("DQ-LABELS", at_once=True),
    }
    severities = {name: decide(Policy(), c, History((), (), 500), T).severity for name, c in told.items()}
    low = {"drift", "repeats", "missing, judged"}
    assert severities == {name: "low" if name in low else "high" for name in told}


def test_after_a_refusal_the_same_cause_waits_for_half_as_many_labels_again() -> None:
    """A refused challenger is not tried again on the same evidence."""
    refused = PastAttempt(T - timedelta(days=30), frozenset({"DRF-TEXT"}), 400, refused=True)
    past = (before("DRF-TEXT", "PRF-METRIC"),)
    assert decide(Policy(), check("DRF-TEXT"), History(past, (refused,), 599), T).action is Action.ALERT
    assert decide(Policy(), check("DRF-TEXT"), History(past, (refused,), 600), T).action is Action.RETRAIN
    assert decide(Policy(), check("DRF-CLASS", at_once=True), History(past, (refused,), 599), T).action is Action.ALERT
    assert decide(Policy(), check("PRF-METRIC"), History(past, (refused,), 200), T).action is Action.RETRAIN


def test_what_goes_on_is_tried_again_when_half_more_checks_show_it() -> None:
    """A champion long in force has more labels of the old world than the new one brings in months."""

    def weeks(*ago: int, code: str = "PRF-METRIC") -> tuple[PastCheck, ...]:
        return tuple(before(code, days=7 * k) for k in ago)

    def action(past: tuple[PastCheck, ...], refused_weeks_ago: int, **policy: Any) -> Action:
        tried = PastAttempt(T - timedelta(weeks=refused_weeks_ago), frozenset({"PRF-METRIC"}), 5000, refused=True)
        return decide(Policy(**policy), check("PRF-METRIC", at_once=True), History(past, (tried,), 5500), T).action

    assert action(weeks(1), 1) is Action.RETRAIN          # the second of one
    assert action(weeks(1, 2), 1) is Action.RETRAIN       # the third of two
    assert action(weeks(1, 2, 3), 1) is Action.ALERT      # the fourth of three
    assert action(weeks(1, 2, 3, 4), 2) is Action.RETRAIN  # the fifth of three
    assert action((before(days=7), *weeks(2)), 2) is Action.ALERT  # it had gone
    assert action(weeks(1, code="PRF-SLICE"), 1, mute=("PRF-SLICE",)) is Action.ALERT


def test_no_challenger_is_asked_for_while_mature_labels_are_too_few() -> None:
    """Under `min_labels` newer labels the gate could not tell a better one."""
    decision = decide(Policy(), check("DRF-TEXT", at_once=True), History((), (), 199), T)
    assert decision.action is Action.ALERT
    assert any("199 mature labels" in reason for reason in decision.reasons)


def test_a_paused_stream_is_not_acted_on() -> None:
    """Whatever is breached, a paused stream neither alerts nor retrains, and says since when and why."""
    found = check("DRF-TEXT", at_once=True)
    decision = decide(Policy(), found, History((), (), 500, paused="Paused by Ada."), T)
    assert (decision.action, decision.codes, decision.confirmed) == (Action.NONE, ("DRF-TEXT",), ())
    assert decision.reasons[:2] == ("No action: Paused by Ada.", "DRF-TEXT: moved.")


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
    lambda sets: tuple(PastCheck(T - timedelta(days=k + 1), dict.fromkeys(s)) for k, s in enumerate(sets))
)


@given(
    breached=st.sets(st.sampled_from(CODES)),
    counted=st.booleans(),
    at_once=st.booleans(),
    past=counted_before,
    tried=attempts,
    labels=st.integers(0, 2000),
    confirm=st.integers(1, 3),
    budget=st.integers(0, 3),
    kinds=st.sampled_from([(), ("drift",), ("metric",), ("drift", "metric")]),
    muted=st.sets(st.sampled_from(CODES)),
    paused=st.booleans(),
)
def test_no_history_leads_past_the_policy(
    breached: set[str],
    counted: bool,
    at_once: bool,
    past: tuple[PastCheck, ...],
    tried: tuple[PastAttempt, ...],
    labels: int,
    confirm: int,
    budget: int,
    kinds: tuple[str, ...],
    muted: set[str],
    paused: bool,
) -> None:
    """No challenger within a cooldown, over the budget, unconfirmed, uncounted, muted, paused or on too few labels."""
    policy = Policy(
        confirm=confirm, retrains_per_week=budget, retrain_on=kinds, cooldown="2d", mute=tuple(sorted(muted))
    )
    history = History(past, tried, labels, paused="Paused." if paused else "")
    decision = decide(policy, check(*sorted(breached), counted=counted, at_once=at_once), history, T)
    assert decision.reasons
    assert set(decision.codes) <= breached - muted
    assert not set(decision.codes) & set(decision.watched)
    assert (decision.action is Action.NONE) == (paused or not decision.codes)
    for code in decision.codes:
        assert counted or kind_of(code).judged_by_time
        running = all(code in p.breached for p in past[: confirm - 1]) and len(past) >= confirm - 1
        assert at_once or confirm == 1 or (counted and running)
    if decision.action is Action.RETRAIN:
        assert counted
        assert not paused
        assert labels >= policy.min_labels
        assert all(a.as_of <= T - timedelta(days=2) for a in tried)
        assert sum(a.as_of > T - timedelta(days=7) for a in tried) < budget
        assert decision.confirmed
        assert all(str(kind_of(c).cause) in kinds for c in decision.confirmed)
