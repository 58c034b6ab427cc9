"""When incidents open, widen and resolve: a pure function of a check and what is open."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check, Signal, Verdict
from trueup.monitoring.signals.catalogue import kind_of


@dataclass(frozen=True)
class IncidentChanges:
    """What a check does to incidents, by cause: codes of those to open and to widen, and those to resolve."""

    opened: Mapping[Cause, tuple[str, ...]]
    widened: Mapping[Cause, tuple[str, ...]]
    resolved: tuple[Cause, ...]


CALM = 0.05  # p-value above which one quiet check resolves an incident; closer to the bound it takes two


def incident_changes(
    check: Check, acted: Collection[str], open_codes: Mapping[Cause, tuple[str, ...]], before: Collection[str]
) -> IncidentChanges:
    """What opens, widens and resolves.

    acted: the codes that the decision acts on. open_codes: the codes of each open incident. before: what the last
    check that could move incidents breached.

    An incident resolves when none of its cause is breached and at least one of its own codes was measured and is
    quiet: what could not be measured (insufficient) resolves nothing. One that is near its bound has to be quiet twice,
    so that an incident does not open and resolve by turns (hysteresis). Only a counted check resolves, except what is
    judged by time.
    """
    opening: dict[Cause, tuple[str, ...]] = {}
    for code in acted:
        cause = kind_of(code).cause
        opening[cause] = (*opening.get(cause, ()), code)
    breached = {kind_of(s.code).cause for s in check.breached}
    quiet = {s.code for s in check.signals if _quiet(s, before)}
    return IncidentChanges(
        opened={cause: codes for cause, codes in opening.items() if cause not in open_codes},
        widened={
            cause: tuple(dict.fromkeys((*open_codes[cause], *codes)))
            for cause, codes in opening.items()
            if cause in open_codes and set(codes) - set(open_codes[cause])
        },
        resolved=tuple(
            cause
            for cause, codes in open_codes.items()
            if cause not in breached and quiet & set(codes) and (check.counted or cause is Cause.FEED)
        ),
    )


def _quiet(signal: Signal, before: Collection[str]) -> bool:
    if signal.verdict is not Verdict.OK:
        return False
    return signal.code not in before or signal.p_value is None or signal.p_value > CALM
