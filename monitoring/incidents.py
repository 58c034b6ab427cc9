"""When incidents open, widen and resolve: a pure function of a check and what is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitoring.evidence import Check, Verdict
from monitoring.policy import BY_TIME, Cause, cause_of


@dataclass(frozen=True)
class Changes:
    """What a check does to incidents, by cause: codes of those to open and to widen, and those to resolve."""

    opened: Mapping[Cause, tuple[str, ...]]
    widened: Mapping[Cause, tuple[str, ...]]
    resolved: tuple[Cause, ...]


def changes(check: Check, open_codes: Mapping[Cause, tuple[str, ...]]) -> Changes:
    """`open_codes`: the codes of each open incident.

    Only a counted check moves incidents, except of causes that are judged by time. An incident resolves when none of
    its cause is breached and at least one of its own codes was measured and is quiet: what could not be measured
    (insufficient) resolves nothing.
    """
    breached: dict[Cause, tuple[str, ...]] = {}
    for signal in check.breached:
        if check.counted or signal.code in BY_TIME:
            cause = cause_of(signal.code)
            breached[cause] = (*breached.get(cause, ()), signal.code)
    quiet = {s.code for s in check.signals if s.verdict is Verdict.OK}
    return Changes(
        opened={cause: codes for cause, codes in breached.items() if cause not in open_codes},
        widened={
            cause: tuple(dict.fromkeys((*open_codes[cause], *codes)))
            for cause, codes in breached.items()
            if cause in open_codes and set(codes) - set(open_codes[cause])
        },
        resolved=tuple(
            cause
            for cause, codes in open_codes.items()
            if cause not in breached and quiet & set(codes) and (check.counted or cause is Cause.FEED)
        ),
    )
