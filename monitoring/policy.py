"""What follows from a check: a pure function of its evidence, the history and the policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitoring.evidence import Check, Signal, Verdict
from storage.stream import Policy

# Judged by time, whether the window is full or not: a silent feed must not be silent.
BY_TIME = ("DQ-VOLUME", "DQ-DUP", "DQ-QUARANTINE")


class Action(StrEnum):
    """What a decision asks for."""

    NONE = "none"
    ALERT = "alert"
    RETRAIN = "retrain"


class Cause(StrEnum):
    """What an incident is about; one incident of a cause is open at a time."""

    DRIFT = "drift"
    METRIC = "metric"
    DATA = "data"  # quality of the data that arrives
    FEED = "feed"  # volume, duplicates, quarantine: judged by time
    CHAMPION = "champion"  # it cannot be loaded or scored
    ROLLBACK = "rollback"  # a person went back; open until acknowledged, and nothing is promoted by itself meanwhile


def cause_of(code: str) -> Cause:
    """The cause that a signal's code belongs to."""
    if code in BY_TIME:
        return Cause.FEED
    if code.startswith("DRF-"):
        return Cause.DRIFT
    return Cause.METRIC if code.startswith("PRF-") else Cause.DATA


@dataclass(frozen=True)
class PastCheck:
    """A counted check against the champion in force: when, and which codes it breached."""

    as_of: datetime
    breached: frozenset[str]


@dataclass(frozen=True)
class PastAttempt:
    """A challenger that was trained: when, for which codes, with how many labels newer than the cut-off."""

    as_of: datetime
    codes: frozenset[str]
    labels: int
    refused: bool


@dataclass(frozen=True)
class History:
    """What a decision looks back on; both lists newest first."""

    counted: tuple[PastCheck, ...]
    attempts: tuple[PastAttempt, ...]
    labels: int  # labels newer than the champion's cut-off, now


@dataclass(frozen=True)
class Decision:
    """What the policy concluded, in codes and in words.

    codes: what fired. confirmed: which of them fired often enough in a row to ask for a challenger.
    """

    action: Action
    codes: tuple[str, ...]
    confirmed: tuple[str, ...]
    reasons: tuple[str, ...]


def decide(policy: Policy, check: Check, history: History, as_of: datetime) -> Decision:
    """Alert on what a counted check breached; ask for a challenger once it is confirmed and nothing forbids it.

    A check that does not count moves only what is judged by time. A code is confirmed when it was breached in
    `confirm` counted checks running, this one included. Every reason says what would have had to differ.
    """
    active = tuple(s for s in check.breached if check.counted or s.code in BY_TIME)
    reasons = [reason_of(s) for s in active]
    if not check.counted:
        pending = [s.code for s in check.breached if s not in active]
        reasons.append(
            "This check is provisional: its window is not yet full of records that no earlier counted check has seen"
            + (f", so {', '.join(pending)} moves nothing yet." if pending else ".")
        )
    elif not active:
        unjudged = [s.code for s in check.signals if s.verdict is Verdict.INSUFFICIENT]
        reasons.append("No signal crossed its bound.")
        if unjudged:
            reasons.append(
                f"{len(unjudged)} of {len(check.signals)} signals could not be judged, for want of data: "
                f"{', '.join(unjudged)}. Their sentences in the report say what is missing."
            )
    asking = [s for s in active if _asks(policy, s)]
    confirmed = tuple(s.code for s in asking if _running(s.code, history.counted) + 1 >= policy.confirm)
    if asking and not confirmed:
        best = max(_running(s.code, history.counted) + 1 for s in asking)
        reasons.append(
            f"No challenger yet: {', '.join(s.code for s in asking)} was breached in {best} counted "
            f"check{'s' if best > 1 else ''} running, and {policy.confirm} are asked for (confirm)."
        )
    elif active and not asking:
        reasons.append(f"No challenger: retrain_on is {list(policy.retrain_on)}; none of these codes is of that kind.")
    forbidden = _forbidden(policy, history, frozenset(confirmed), as_of) if confirmed else ()
    reasons.extend(forbidden)
    if confirmed and not forbidden:
        reasons.append(f"A challenger is asked for: {', '.join(confirmed)} confirmed; the gate protects the champion.")
        action = Action.RETRAIN
    else:
        action = Action.ALERT if active else Action.NONE
    return Decision(action, tuple(s.code for s in active), confirmed, tuple(reasons))


def reason_of(signal: Signal) -> str:
    """A signal as it stands among the reasons of a decision."""
    return f"{signal.code}: {signal.said}"


def _asks(policy: Policy, signal: Signal) -> bool:
    return str(cause_of(signal.code)) in policy.retrain_on


def _running(code: str, counted: tuple[PastCheck, ...]) -> int:
    """In how many counted checks before this one the code was breached without a quiet one between."""
    return next((k for k, past in enumerate(counted) if code not in past.breached), len(counted))


def _forbidden(policy: Policy, history: History, codes: frozenset[str], as_of: datetime) -> tuple[str, ...]:
    """Why no challenger may be trained now; empty where nothing stands against it."""
    found = []
    if history.attempts:
        last = history.attempts[0]
        ready = last.as_of + policy.cooldown_span
        if ready > as_of:
            found.append(
                f"No challenger before {ready:%Y-%m-%d %H:%M} UTC: the last attempt ended {last.as_of:%Y-%m-%d %H:%M} "
                f"and the cooldown is {policy.cooldown}."
            )
        if last.refused and codes & last.codes and history.labels < 1.5 * last.labels:
            found.append(
                f"No challenger for the same cause: the last one was refused with {last.labels} labels newer than the "
                f"champion; there are {history.labels} now, and {_half_more(last.labels)} (half more) are needed."
            )
    recent = sum(attempt.as_of > as_of - timedelta(days=7) for attempt in history.attempts)
    if recent >= policy.retrains_per_week:
        found.append(
            f"No challenger: {recent} were trained within a week, and retrains_per_week is {policy.retrains_per_week}."
        )
    return tuple(found)


def _half_more(labels: int) -> int:
    return -(-3 * labels // 2)
