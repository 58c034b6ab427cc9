"""What follows from a check: a pure function of its evidence, the history and the policy."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Literal

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import AT_ONCE, Check, Signal, Verdict
from trueup.monitoring.signals.catalogue import METRIC, kind_of
from trueup.storage.policy import Policy


class Action(StrEnum):
    """What a decision asks for."""

    NONE = "none"
    ALERT = "alert"
    RETRAIN = "retrain"


@dataclass(frozen=True)
class PastCheck:
    """A check against the champion in force: when, and which codes it breached, each with its direction."""

    as_of: datetime
    breached: Mapping[str, str | None]

    def saw(self, signal: Signal) -> bool:
        """Whether it breached the same code, and not in the other direction."""
        if signal.code not in self.breached:
            return False
        before = self.breached[signal.code]
        return before is None or signal.direction is None or before == signal.direction


@dataclass(frozen=True)
class PastAttempt:
    """A challenger that was trained: when, for which codes, with how many labels newer than the cut-off."""

    as_of: datetime
    codes: frozenset[str]
    labels: int
    refused: bool


@dataclass(frozen=True)
class History:
    """What a decision looks back on; both lists newest first.

    counted: counted checks. latest: the cycle's check before this one, counted or not.
    labels: mature labels newer than the champion's cut-off, now. paused: by whom, when and why; empty: it is not.
    """

    counted: tuple[PastCheck, ...]
    attempts: tuple[PastAttempt, ...]
    labels: int
    latest: PastCheck | None = None
    paused: str = ""


@dataclass(frozen=True)
class Decision:
    """What the policy concluded, in codes and in words.

    codes: what is acted on, or would be were the stream not paused. confirmed: which of them ask for a challenger.
    watched: breached, and not yet confirmed.
    severity: "low" where inputs moved and quality is shown unharmed, "high" where anything else is acted on.
    """

    action: Action
    codes: tuple[str, ...]
    confirmed: tuple[str, ...]
    reasons: tuple[str, ...]
    watched: tuple[str, ...] = ()
    severity: Literal["none", "low", "high"] = "none"


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
        return Decision(Action.NONE, fired, (), (f"Nothing is done: {history.paused}", *reasons), watched)
    low = bool(acted) and all(kind_of(s.code).cause is Cause.DRIFT for s in acted) and _unharmed(policy, check)
    if low:
        reasons.append("Low severity: the inputs moved, and on mature labels the model answers as well as before.")
    asking = tuple(s.code for s in acted if _asks(policy, s))
    if acted and not asking:
        reasons.append(f"No challenger: retrain_on is {list(policy.retrain_on)}; none of these codes is of that kind.")
    forbidden = _forbidden(policy, history, frozenset(asking), as_of) if asking else ()
    reasons.extend(forbidden)
    action = Action.ALERT if acted else Action.NONE
    if asking and not forbidden:
        reasons.append(f"A challenger is asked for: {', '.join(asking)} confirmed; the gate protects the champion.")
        action = Action.RETRAIN
    return Decision(
        action, tuple(s.code for s in acted), asking, tuple(reasons), watched,
        "none" if not acted else "low" if low else "high",
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
        f"{reason_of(signal)} This is watched, not acted on: {running} counted check{'s' if running > 1 else ''} "
        f"running breached it, and {policy.confirm} are asked for (confirm), or one that chance shows {AT_ONCE} times "
        "more rarely."
    )


def _standing(policy: Policy, check: Check, breached: list[Signal], moving: list[Signal]) -> list[str]:
    """What did not move the decision: muted and provisional breaches, signals within bounds, signals unjudged."""
    said = []
    muted = [s.code for s in check.breached if s not in breached]
    if muted:
        said.append(f"Muted by the policy (mute), so not acted on: {', '.join(muted)}.")
    if not check.counted:
        pending = [s.code for s in breached if s not in moving]
        said.append(
            "This check is provisional: its window is not yet full of records that no earlier counted check has seen"
            + (f", so {', '.join(pending)} moves nothing yet." if pending else ".")
        )
        return said
    quiet = [s for s in check.signals if s.verdict is Verdict.OK]
    if quiet or not check.breached:
        nearest = min((s for s in quiet if s.p_value is not None), key=_distance, default=None)
        within = f"{len(quiet)} signals stayed within their bounds" if check.breached else "No signal crossed its bound"
        said.append(within + (f"; the nearest was {nearest.code}." if nearest else "."))
    unjudged = [s.code for s in check.signals if s.verdict is Verdict.INSUFFICIENT]
    if unjudged:
        said.append(
            f"{len(unjudged)} of {len(check.signals)} signals could not be judged, for want of data: "
            f"{', '.join(unjudged)}. Their sentences in the report say what is missing."
        )
    return said


def _distance(signal: Signal) -> float:
    assert signal.p_value is not None
    return signal.p_value


def _unharmed(policy: Policy, check: Check) -> bool:
    """Whether the metric was judged, and its interval excludes a drop of `max_drop`."""
    judged = next((s for s in check.signals if s.code == METRIC and s.verdict is Verdict.OK), None)
    return judged is not None and judged.interval is not None and judged.interval[1] < policy.max_drop


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
    if history.labels < policy.min_labels:
        found.append(
            f"No challenger: {history.labels} mature labels are newer than the champion, and the gate cannot tell a "
            f"better one by fewer than {policy.min_labels} (min_labels)."
        )
    if history.attempts:
        last = history.attempts[0]
        ready = last.as_of + policy.cooldown_span
        if ready > as_of:
            found.append(
                f"No challenger before {ready:%Y-%m-%d %H:%M} UTC: the last attempt ended {last.as_of:%Y-%m-%d %H:%M} "
                f"and the cooldown is {policy.cooldown}."
            )
    refused = [_refused(policy, cause, history) for cause in _causes(codes)]
    if refused and all(refused):
        last = min((attempt for attempt in refused if attempt), key=lambda attempt: attempt.labels)
        found.append(
            f"No challenger for the same cause: the last one was refused with {last.labels} labels newer than the "
            f"champion; there are {history.labels} now, and {_half_more(last.labels)} (half more) are needed, or half "
            "more counted checks running that show it."
        )
    recent = sum(attempt.as_of > as_of - timedelta(days=7) for attempt in history.attempts)
    if recent >= policy.retrains_per_week:
        found.append(
            f"No challenger: {recent} were trained within a week, and retrains_per_week is {policy.retrains_per_week}."
        )
    return tuple(found)


def _refused(policy: Policy, cause: Cause, history: History) -> PastAttempt | None:
    """The newest attempt for a cause, if it was refused and the evidence has not grown by half since.

    Evidence is labels newer than the cut-off, or counted checks running that show the cause, this one included. A
    champion that was right for long has many labels of the world before a change, and of the new one a window or two:
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
