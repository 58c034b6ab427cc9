"""What follows from a check: a pure function of its evidence, the history and the policy."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Literal

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check, History, PastAttempt, PastCheck, Signal, Verdict
from trueup.monitoring.growth import because_of_growth, drift_waits_for_growth, growth_asks
from trueup.monitoring.signals.catalogue import METRIC, kind_of
from trueup.storage.policy import Policy

_GATED = "The challenger replaces the champion only if it passes the gate."


class Action(StrEnum):
    """What a decision asks for."""

    NONE = "none"
    ALERT = "alert"
    RETRAIN = "retrain"


@dataclass(frozen=True)
class Decision:
    """What the policy concluded, in codes and in words.

    codes: what is acted on, or would be were the stream not paused. confirmed: which of them ask for a challenger.
    watched: breached, and not yet confirmed.
    severity: "high" where users are hurt or trueup cannot work: the metric fell, measured or estimated, records or
    labels stop or are refused, or values are missing and the metric is not judged. "low": anything else is acted on.
    harmless: codes of drift that turned out harmless: their reference moves.
    growth: why the growth of labels led to a challenger, for people; empty: it did not.
    """

    action: Action
    codes: tuple[str, ...]
    confirmed: tuple[str, ...]
    reasons: tuple[str, ...]
    watched: tuple[str, ...] = ()
    severity: Literal["none", "low", "high"] = "none"
    harmless: tuple[str, ...] = ()
    growth: str = ""


def decide(policy: Policy, check: Check, history: History, as_of: datetime) -> Decision:
    """Act on what is confirmed; ask for a challenger where the policy says so and nothing forbids it.

    A breach is confirmed at once where it is overwhelming, otherwise by `confirm` counted checks running that breach
    the same code in the same direction, this one included; what is judged by time, by the check before it. With 1 %
    false alarms a check, a healthy stream checked weekly raises a breach in two years of five; what is acted on is
    far rarer (docs/monitoring.md derives it). A check that does not count moves only what is judged by time.
    """
    breached = [s for s in check.breached if s.code not in policy.mute]
    moving = [s for s in breached if check.counted or kind_of(s.code).judged_by_time]
    acted = [s for s in moving if _confirmed(policy, s, check.counted, history)]
    watched = tuple(s.code for s in moving if s not in acted)
    reasons = [reason_of(s) for s in acted]
    reasons += [_watching(policy, s, history) for s in moving if s not in acted]
    reasons += _standing(policy, check, breached, moving)
    if history.paused:
        fired = tuple(s.code for s in acted)
        return Decision(Action.NONE, fired, (), (f"No action: {history.paused}", *reasons), watched)
    low, why = _low(check, acted)
    reasons += [f"Low severity: {why}"] if low else []
    harmless = harmless_drift(policy, check, history)
    if harmless:
        reasons.append(
            f"Harmless so far: no challenger was better, and quality did not fall in {policy.confirm + 1} counted "
            f"checks in a row. From now on these are compared with the records since the change: {', '.join(harmless)}."
        )
    asking = tuple(s.code for s in acted if _asks(policy, s) and not s.returned and s.code not in harmless)
    back = [s.code for s in acted if _asks(policy, s) and s.returned]
    if back:
        reasons.append(f"No retraining for {', '.join(back)}: the data is again as before its last change, and the "
        "champion learnt records like these then.")
    if acted and not asking and not back and not harmless:
        reasons.append("No retraining: none of these signals is of a kind in retrain_on "
        f"({', '.join(policy.retrain_on) or 'empty'}).")
    forbidden = _forbidden(policy, history, frozenset(asking), as_of) if asking else ()
    action, growth = Action.ALERT if acted else Action.NONE, ""
    if asking and not forbidden:
        reasons.append(f"Retraining: {', '.join(asking)} confirmed. {_GATED}")
        action = Action.RETRAIN
    elif grown := growth_asks(policy, check, history):
        always = _forbidden(policy, history, frozenset(), as_of)
        forbidden = tuple(dict.fromkeys((*forbidden, *always)))
        if not always:
            action, growth = Action.RETRAIN, because_of_growth(grown, drifted=bool(acted))
            forbidden = (f"{growth} {_GATED}",)
    return Decision(
        action, tuple(s.code for s in acted), asking, (*reasons, *forbidden), watched,
        "none" if not acted else "low" if low else "high", harmless, growth,
    )


def _confirmed(policy: Policy, signal: Signal, counted: bool, history: History) -> bool:
    if signal.overwhelming or policy.confirm == 1:
        return True
    if kind_of(signal.code).judged_by_time and history.latest is not None and history.latest.saw(signal):
        return True
    return counted and _running(signal, history.counted) + 1 >= policy.confirm


def _watching(policy: Policy, signal: Signal, history: History) -> str:
    running = _running(signal, history.counted) + 1
    return (
        f"{reason_of(signal)} No action yet: breached in {running} of {policy.confirm} counted checks in a row "
        "(confirm)."
    )


def _standing(policy: Policy, check: Check, breached: list[Signal], moving: list[Signal]) -> list[str]:
    """What did not move the decision: muted and provisional breaches, signals within bounds, signals unjudged."""
    said = []
    muted = [s.code for s in check.breached if s not in breached]
    if muted:
        said.append(f"No action on {', '.join(muted)}: muted in the settings (mute).")
    if not check.counted:
        pending = [s.code for s in breached if s not in moving]
        said.append(
            "Provisional check: its window is not yet full of records that no earlier counted check used."
            + (f" No action yet: {', '.join(pending)} breached but not confirmed." if pending else "")
        )
        return said
    quiet = [s for s in check.signals if s.verdict is Verdict.OK]
    if quiet or not check.breached:
        nearest = min((s for s in quiet if s.p_value is not None), key=_distance, default=None)
        within = f"{len(quiet)} {'signal' if len(quiet) == 1 else 'signals'} ok" if quiet else "No signal breached"
        said.append(within + (f"; closest to its threshold: {nearest.code}." if nearest else "."))
    unjudged = [s.code for s in check.signals if s.verdict is Verdict.INSUFFICIENT]
    if unjudged:
        said.append(
            f"{len(unjudged)} of {len(check.signals)} signals not judged, too little data: {', '.join(unjudged)}. The "
            "report says what is missing."
        )
    return said


def _distance(signal: Signal) -> float:
    assert signal.p_value is not None
    return signal.p_value


def _low(check: Check, acted: list[Signal]) -> tuple[bool, str]:
    """Whether what is acted on is of low severity, and why: nobody is known to be hurt, and trueup can work."""
    judged = any(s.code == METRIC and s.verdict is Verdict.OK for s in check.signals)
    if not acted or not all(_mild(s, judged) for s in acted):
        return False, ""
    if all(s.returned for s in acted):
        return True, "the records are again as before the last change."
    return True, "measured quality did not fall." if judged else "no fall of quality is measured or estimated."


def _mild(signal: Signal, judged: bool) -> bool:
    """Whether a breach alone hurts nobody; `judged`: the metric was, and did not fall."""
    cause = kind_of(signal.code).cause
    if cause is Cause.FEED:
        return signal.code == "DQ-DUP" or (signal.code == "DQ-VOLUME" and signal.direction == "up")
    return cause is Cause.DRIFT or (cause is Cause.DATA and judged)


def reason_of(signal: Signal) -> str:
    """A signal as it stands among the reasons of a decision."""
    return f"{signal.code}: {signal.said}"


def _asks(policy: Policy, signal: Signal) -> bool:
    return str(kind_of(signal.code).cause) in policy.retrain_on


def _running(signal: Signal, counted: tuple[PastCheck, ...]) -> int:
    """In how many counted checks before this one the code was breached alike without a quiet one between."""
    return next((k for k, past in enumerate(counted) if not past.saw(signal)), len(counted))


def _forbidden(policy: Policy, history: History, codes: frozenset[str], as_of: datetime) -> tuple[str, ...]:
    """Why no challenger may be trained now; empty where nothing stands against it."""
    found = []
    if history.training:
        found.append(f"No retraining meanwhile: {history.training}.")
    if history.labels < policy.min_labels:
        found.append(
            f"No retraining: {history.labels} mature labels newer than the champion's training data, "
            f"{policy.min_labels} needed (min_labels)."
        )
    waits = drift_waits_for_growth(policy, history)
    if waits and _causes(codes) == {Cause.DRIFT}:
        found.append(waits)
    if history.attempts:
        last = history.attempts[0]
        ready = last.as_of + policy.cooldown_span
        if ready > as_of:
            found.append(
                f"No retraining before {ready:%Y-%m-%d %H:%M} UTC: the last attempt was at "
                f"{last.as_of:%Y-%m-%d %H:%M} UTC (cooldown {policy.cooldown})."
            )
    refused = [_refused(policy, cause, history) for cause in _causes(codes)]
    if refused and all(refused):
        last = min((attempt for attempt in refused if attempt), key=lambda attempt: attempt.labels)
        found.append(
            f"No retraining for the same cause: the last challenger was refused on {last.labels} new labels. The next "
            f"attempt needs {_half_more(last.labels)} (now {history.labels}), or the signal in half as many more "
            "counted checks in a row."
        )
    recent = sum(attempt.as_of > as_of - timedelta(days=7) for attempt in history.attempts)
    if recent >= policy.retrains_per_week:
        found.append(
            f"No retraining: {recent} attempts in the last 7 days, limit {policy.retrains_per_week} "
            "(retrains_per_week)."
        )
    return tuple(found)


def _refused(policy: Policy, cause: Cause, history: History) -> PastAttempt | None:
    """The newest attempt for a cause, if it was refused and the evidence has not grown by half since.

    Evidence is labels newer than the cut-off, or counted checks running that show the cause, this one included. A
    champion that was right for long has many labels from before a change, and since it those of a window or two:
    there half more of all labels would take months, and what is new doubles within a window.
    """
    newest = next((attempt for attempt in history.attempts if cause in _causes(attempt.codes)), None)
    if newest is None or not newest.refused or history.labels >= 1.5 * newest.labels:
        return None
    showing = list(takewhile(lambda past: cause in _causes(past.breached.keys() - set(policy.mute)), history.counted))
    then = sum(past.as_of <= newest.as_of for past in showing)
    return None if then and len(showing) + 1 >= 1.5 * then else newest


def _causes(codes: Set[str]) -> set[Cause]:
    return {kind_of(code).cause for code in codes}


def _half_more(labels: int) -> int:
    return -(-3 * labels // 2)


def quality_held(policy: Policy, check: Check) -> bool:
    """Whether a counted check judged the metric on `min_labels` mature labels or more, and found it unharmed.

    Unharmed: not breached, and the drop that it estimates is within `max_drop`.
    """
    metric = next((s for s in check.signals if s.code == METRIC), None)
    if metric is None or not check.counted or metric.n_current < policy.min_labels:
        return False
    return metric.verdict is Verdict.OK and metric.effect is not None and metric.effect <= policy.max_drop


def harmless_drift(policy: Policy, check: Check, history: History) -> tuple[str, ...]:
    """The codes of drift that this check shows to be harmless so far; none where that is not shown, or not to be asked.

    It is shown where the counted checks running that breach a drift reach back to one whose challenger was refused, and
    `confirm` + 1 of them in a row after that, this one the last, found quality unharmed, on labels of records since
    the drift began.
    """
    codes = tuple(s.code for s in check.breached if s.code not in policy.mute and kind_of(s.code).cause is Cause.DRIFT)
    if policy.harmless == "keep" or not history.movable or not codes or not quality_held(policy, check):
        return ()
    mute = set(policy.mute)
    running = list(takewhile(lambda past: Cause.DRIFT in _causes(past.breached.keys() - mute), history.counted))
    began = running[-1].first_time if running else None
    if began is None or check.judged_from is None or datetime.fromisoformat(check.judged_from) < began:
        return ()
    refused = [a.as_of for a in history.attempts if a.refused and Cause.DRIFT in _causes(a.codes)]
    times = [past.as_of for past in running]
    first = min((at for at in refused if at >= times[-1]), default=None)
    if first is None:
        return ()
    since = [past for past in running if past.as_of > first][: policy.confirm]
    return codes if len(since) == policy.confirm and all(past.quality_held for past in since) else ()
