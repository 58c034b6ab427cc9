"""What an alert tells of, as one frozen value: the mail bodies are composed from it and from nothing else."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from trueup.monitoring.check import Signal


class AlertKind(StrEnum):
    """Why somebody is written to."""

    INCIDENT_OPENED = "incident_opened"
    INCIDENT_WORSE = "incident_worse"  # who is hurt, or what to do, changed while it is open
    INCIDENT_RESOLVED = "incident_resolved"
    ACKNOWLEDGED = "acknowledged"  # a person has it; told only to what pages people and to programs
    REMINDER = "reminder"  # it is open, nobody took it, and there is something to do
    ESCALATION = "escalation"  # the same, and somebody else is told
    PROMOTION = "promotion"
    APPROVAL = "approval"  # the gate is passed and a person decides
    LABEL_FEED = "label_feed"  # the gate is passed by labels that may be broken; a person looks at the feed first
    JUDGED = "judged"  # the gate is passed and policy.promotion = "off": it is told of, and nothing is asked
    EXPIRED = "expired"  # a challenger waited for a person longer than policy.approval allows
    ROLLBACK = "rollback"  # a person went back to an earlier version, or trueup did after a lost probation
    REFUSED = "refused"
    FAILURE = "failure"
    NO_CHAMPION = "no_champion"  # a first one could not be trained, or did not pass
    UNDELIVERED = "undelivered"  # messages to a recipient cannot be delivered; the others are told
    DIGEST = "digest"
    TEST = "test"


class GateFigure(Protocol):
    """One test of the gate, as `trueup.training.gate.result` and the store hold it."""

    @property
    def code(self) -> str: ...
    @property
    def passed(self) -> bool: ...
    @property
    def value(self) -> float | None: ...
    @property
    def bound(self) -> float | None: ...
    @property
    def said(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class GateLine:
    """One test of a gate, read back from the outbox."""

    code: str
    passed: bool
    value: float | None
    bound: float | None
    said: str


@dataclass(frozen=True, kw_only=True)
class AlertFacts:
    """The facts of one alert. Texts may hold what outsiders wrote; nothing here needs to be escaped beforehand.

    signals: what the check measured. Breached ones are shown; for a resolved incident all that are given, since they
        are quiet again.
    action, codes, reasons: the decision of the check, in its own words.
    gate: the tests of the challenger, in the order they were made.
    from_version, to_version: champion before and after a promotion or rollback; for a challenger that was judged the
        champion and the challenger; for `failure` from_version is the champion that could not be used.
    who: the person who promoted or rolled back by hand; empty where trueup promoted by itself. forced: it was done
        against the gate, or without it. lost: the registry had lost the champion before, so nothing answered.
    why: for `failure` and `no_champion`, what went wrong and what it means for the data; for what is done by hand, the
        person's reason; for a rollback by trueup itself, the figures of the probation; for `approval`, `label_feed` and
        `expired`, what kept the challenger waiting; for a resolved incident, what ended it where no signal did.
    again: the challenger was refused before and judged again, without training.
    because: what the change or the challenger came of, where no signal asked for it, in a sentence.
    until: for `approval`, `label_feed` and `expired`, when the challenger's evidence is too old to be promoted on.
    home: the home folder in which the commands of the mail have to be run.
    """

    kind: AlertKind
    stream: str
    as_of: datetime
    signals: tuple[Signal, ...] = ()
    action: str = "none"
    codes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    gate: tuple[GateFigure, ...] = ()
    from_version: int | None = None
    to_version: int | None = None
    run_id: str | None = None
    report_id: str | None = None
    incident_id: str | None = None
    cycle_id: str | None = None
    who: str = ""
    forced: bool = False
    lost: bool = False
    until: datetime | None = None
    why: str = ""
    again: bool = False
    because: str = ""
    home: str = ""

    def as_json(self) -> dict[str, Any]:
        """The facts as the outbox keeps them until a message is made of them."""
        kept = asdict(self)
        return kept | {
            "kind": str(self.kind),
            "as_of": self.as_of.isoformat(),
            "until": self.until.isoformat() if self.until else None,
            "gate": [
                {"code": t.code, "passed": t.passed, "value": t.value, "bound": t.bound, "said": t.said}
                for t in self.gate
            ],
        }

    @staticmethod
    def from_json(value: dict[str, Any]) -> AlertFacts:
        """The facts that `as_json` kept."""
        return AlertFacts(
            **{
                **value,
                "kind": AlertKind(value["kind"]),
                "as_of": datetime.fromisoformat(value["as_of"]),
                "until": datetime.fromisoformat(value["until"]) if value["until"] else None,
                "signals": tuple(Signal.from_json(signal) for signal in value["signals"]),
                "codes": tuple(value["codes"]),
                "reasons": tuple(value["reasons"]),
                "gate": tuple(GateLine(**test) for test in value["gate"]),
            }
        )
