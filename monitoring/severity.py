"""How grave an alert is: whether users are hurt, or trueup cannot work."""

from __future__ import annotations

from enum import StrEnum

from trueup.monitoring.causes import Cause


class Severity(StrEnum):
    """HIGH: users get worse answers, or trueup cannot do its work. LOW: everything else that is worth telling."""

    HIGH = "high"
    LOW = "low"


# What an incident of these causes means, whatever was measured. The others are as grave as the decision says.
_FIXED = {
    Cause.CHAMPION: Severity.HIGH,
    Cause.NO_CHAMPION: Severity.HIGH,
    Cause.CYCLE: Severity.HIGH,
    Cause.SOURCE: Severity.HIGH,
    Cause.TRAINER: Severity.HIGH,
    Cause.LABEL_FEED: Severity.HIGH,
    Cause.ROLLBACK: Severity.HIGH,
}


def severity_of(cause: Cause, decided: str = "high") -> Severity:
    """How grave an incident of this cause is; `decided` is the decision's own word ("none", "low", "high")."""
    return _FIXED.get(cause, Severity.LOW if decided == "low" else Severity.HIGH)
