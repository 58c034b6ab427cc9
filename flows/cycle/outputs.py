"""What each step of a cycle leaves behind, and its stored JSON, which later steps and a resumed cycle read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Protocol, Self, TypeVar

from trueup.flows.gate.evaluate import GateOutcome
from trueup.flows.train.run import Trained
from trueup.monitoring.check import Check
from trueup.monitoring.policy import Action, Decision
from trueup.storage.cycles import CycleRecord
from trueup.storage.promotions import PromotionState

Json = Mapping[str, Any]


class StepOutput(Protocol):
    """A step's output as it is kept with the cycle. step: the step's name."""

    step: ClassVar[str]

    def as_json(self) -> dict[str, Any]: ...

    @classmethod
    def from_json(cls, value: Json) -> Self: ...


Output = TypeVar("Output", bound=StepOutput)


def output_of(cycle: CycleRecord, kind: type[Output]) -> Output | None:
    """What the step of this kind left behind; None where it had nothing to do, or has not ended."""
    left = cycle.steps.get(kind.step)
    return None if left is None else kind.from_json(left)


@dataclass(frozen=True, kw_only=True)
class PullOutput:
    """What each source brought, by feed (records, feedback): counts of rows and files, problems; or why it failed.

    newest: event time of the stream's newest record up to the cycle's time, where a source failed; None: there is none.
    """

    step: ClassVar[str] = "pull"
    feeds: Mapping[str, Json]
    newest: str | None = None

    @property
    def failed(self) -> str:
        """Why a source could not be read, in its own words; empty where each could."""
        return " ".join(found["failed"] for found in self.feeds.values() if "failed" in found)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with single files of sources that could be read."""
        return tuple(said for found in self.feeds.values() for said in found.get("problems", ()))

    @property
    def trouble(self) -> str:
        """What a person should see to: a source that failed, files that cannot be taken in; empty where all is well."""
        return " ".join([*([self.failed] if self.failed else []), *self.problems])

    def as_json(self) -> dict[str, Any]:
        return {"feeds": dict(self.feeds), "newest": self.newest}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        return cls(feeds=value["feeds"], newest=value.get("newest"))


@dataclass(frozen=True, kw_only=True)
class ScoreOutput:
    """champion: the version in force, None where there is none. scored: records that got its answer in this step."""

    step: ClassVar[str] = "score"
    champion: int | None
    scored: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Json) -> Self:
        return cls(**value)


@dataclass(frozen=True, kw_only=True)
class ProbationOutput:
    """How a probation stands after a cycle.

    event_id: the attempt that made `version` champion in place of `previous`. rows: labelled rows that neither version
    knew, by now. look: how often it was asked; looked_at, looked_on: the last time on how many rows, and as of when
    (empty: never, or by an older trueup); chance, bound: of that look, P(the previous version is better) and from where
    it goes back.
    outcome: as `trueup.training.evaluation.probation.Outcome`. over: it ended in an earlier cycle.
    """

    step: ClassVar[str] = "probation"
    event_id: str
    version: int
    previous: int
    rows: int = 0
    look: int = 0
    looked_at: int = 0
    looked_on: str = ""
    chance: float | None = None
    bound: float | None = None
    outcome: str = "watching"
    said: str = ""
    over: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Json) -> Self:
        return cls(**value)


@dataclass(frozen=True, kw_only=True)
class CheckOutput:
    """labels: those newer than the champion's cut-off that count. windows: the rows compared, as `window_spans`."""

    step: ClassVar[str] = "check"
    check: Check
    labels: int
    windows: Json | None = None

    def as_json(self) -> dict[str, Any]:
        return {"check": self.check.as_json(), "labels": self.labels, "windows": self.windows}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        return cls(check=Check.from_json(value["check"]), labels=value["labels"], windows=value.get("windows"))


@dataclass(frozen=True, kw_only=True)
class DecideOutput:
    """paused: who paused the stream, when and why; empty where nothing held the decision back."""

    step: ClassVar[str] = "decide"
    decision: Decision
    paused: str = ""

    def as_json(self) -> dict[str, Any]:
        said = asdict(self.decision)
        for key in ("harmless", "growth"):
            if not said[key]:
                del said[key]
        return {**said, "paused": self.paused}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        lists = {key: tuple(value.get(key, ())) for key in ("codes", "confirmed", "reasons", "watched", "harmless")}
        decision = Decision(
            action=Action(value["action"]), severity=value["severity"], growth=value.get("growth", ""), **lists
        )
        return cls(decision=decision, paused=value.get("paused", ""))


@dataclass(frozen=True, kw_only=True)
class TrainOutput:
    """The version that was trained; or why none could be, and the tests of the rows that say so.

    trainer: how a trainer stands that was asked, as `asking.trainer_document` puts it. asked: who or what had asked it
    for what was collected.
    """

    step: ClassVar[str] = "train"
    trained: Trained | None = None
    failed: str = ""
    tests: Sequence[dict[str, Any]] = field(default=())
    trainer: Json | None = None
    asked: Json | None = None

    @property
    def ended(self) -> bool:
        """Whether there is something for the gate to say, and not only a trainer at work."""
        return self.trained is not None or bool(self.failed)

    def as_json(self) -> dict[str, Any]:
        own = self.trained.as_json() if self.trained else {}
        if not self.trained and (self.failed or not self.trainer):
            own = {"failed": self.failed, "tests": list(self.tests)}
        return own | {k: v for k, v in (("trainer", self.trainer), ("asked", self.asked)) if v is not None}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        own = {k: v for k, v in value.items() if k not in ("trainer", "asked")}
        trained = Trained(**own) if "version" in own else None
        return cls(
            trained=trained, failed=own.get("failed", ""), tests=own.get("tests", ()), trainer=value.get("trainer"),
            asked=value.get("asked"),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class GateOutput:
    """What the gate found, None where nothing was judged; the attempt's state then, and what holds it back if held.

    again: the version that was judged again, or dropped; None: what was just trained. stricter: why proof was asked
    for though the settings ask for less; empty: it was not.
    """

    step: ClassVar[str] = "gate"
    judged: GateOutcome | None
    state: PromotionState
    held: str
    again: int | None = None
    stricter: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "judged": asdict(self.judged) if self.judged else None, "state": str(self.state), "held": self.held,
            **({"again": self.again} if self.again is not None else {}),
            **({"stricter": self.stricter} if self.stricter else {}),
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: Json) -> Self:
        judged = GateOutcome(**value["judged"]) if value["judged"] else None
        return cls(
            judged=judged, state=PromotionState(value["state"]), held=value["held"], again=value.get("again"),
            stricter=value.get("stricter", ""),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PromoteOutput:
    """The alias moved: from which version (None: there was no champion) to which."""

    step: ClassVar[str] = "promote"
    from_version: int | None
    to_version: int | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Json) -> Self:
        return cls(**value)
