"""What a check found: signals with their figures, the check that holds them, and what is remembered of past ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from trueup.monitoring.distribution import Distribution
from trueup.storage.tabular import Tabular

# A breach is overwhelming, and acted on at once, where its p-value is this many times smaller than its level: 52 weekly
# checks of a healthy stream then raise one with half the chance that a single check raises a mere breach.
AT_ONCE = 104


class Verdict(StrEnum):
    """The outcome of one signal."""

    OK = "ok"
    BREACHED = "breached"
    INSUFFICIENT = "insufficient"  # too little data to say either

    @property
    def in_words(self) -> str:
        """As people read it."""
        return "not judged" if self is Verdict.INSUFFICIENT else self.value


class Worse(StrEnum):
    """Which direction of a signal's value is bad news; none where any change counts."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True)
class Contributor:
    """One word, level or range of values: its share of the reference (`before`) and of the window (`now`).

    examples: ids of current records that hold it.
    """

    what: str
    before: float
    now: float
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One measured quantity of a check.

    value: what was measured in the current window (a share, a distance, a metric), in the unit that `name` says.
    threshold: the bound that p_value (where there is one) or value (where not, and for metrics) is compared with.
    effect: size of the change on the signal's own scale, 0 for none.
    interval: confidence interval of `effect`, or of the drop for metrics.
    direction: "up" or "down" where the change has one. overwhelming: breached beyond what a year of checks allows
    chance, so that it is acted on at once.
    contributors: what moved most, the strongest first.
    said: one plain sentence of what moved, by how much, in words.
    unit_change: the conversion that a breached column of numbers looks like; empty: it does not look like one.
    returned: breached against the rows since a change, and as it was before that change.
    distribution: both sides as a picture shows them; known to the check that measured it, and kept with its report.
    """

    code: str
    name: str
    verdict: Verdict
    said: str
    value: float | None = None
    threshold: float | None = None
    p_value: float | None = None
    effect: float | None = None
    interval: tuple[float, float] | None = None
    worse: Worse | None = None
    n_reference: int = 0
    n_current: int = 0
    direction: Literal["up", "down"] | None = None
    overwhelming: bool = False
    contributors: tuple[Contributor, ...] = ()
    unit_change: str = ""
    returned: bool = False
    distribution: Distribution | None = field(default=None, compare=False, repr=False)

    def as_json(self) -> dict[str, Any]:
        kept = asdict(self)
        del kept["distribution"]
        return kept

    @staticmethod
    def from_json(value: dict[str, Any]) -> Signal:
        interval = value.get("interval")
        return Signal(
            **{
                **value,
                "verdict": Verdict(value["verdict"]),
                "worse": Worse(value["worse"]) if value.get("worse") else None,
                "interval": (interval[0], interval[1]) if interval else None,
                "contributors": tuple(
                    Contributor(**{**c, "examples": tuple(c["examples"])}) for c in value.get("contributors", ())
                ),
            }
        )


@dataclass(frozen=True, kw_only=True)
class AnswerQuality:
    """The champion's errors on labelled records, before and now.

    before, now: share of wrong answers in [0, 1]; for numbers the mean absolute error, in the label's unit. None: fewer
    than 30 labelled records.
    interval: 95 % confidence interval of `now`; None where records depend on each other, or `now` is not known.
    labels: labelled records that `now` is read from. wanted: how many the metric asks for.
    records_a_day: mean of the last seven days before the newest record; None: nothing came.
    """

    before: float | None
    now: float | None
    interval: tuple[float, float] | None
    labels: int
    wanted: int
    records_a_day: float | None

    @staticmethod
    def from_json(value: dict[str, Any]) -> AnswerQuality:
        """What a check kept."""
        interval = value["interval"]
        return AnswerQuality(**{**value, "interval": (interval[0], interval[1]) if interval else None})


_FIRST = (Verdict.BREACHED, Verdict.OK, Verdict.INSUFFICIENT)  # the order in which signals are read


@dataclass(frozen=True, kw_only=True)
class Check(Tabular):
    """One comparison of current with reference. As a table, its signals, those that breached first."""

    report_id: str
    counted: bool
    signals: tuple[Signal, ...]
    first_time: str | None = None  # of the window's oldest record
    last_time: str | None = None  # of its newest
    judged_from: str | None = None  # time of the oldest record whose label the metric is judged on
    answers: AnswerQuality | None = None  # None: nothing is predicted
    notes: tuple[str, ...] = field(default=())  # what could not be compared, and why; guarantees and warnings

    def caption(self) -> str:
        state = "counted" if self.counted else "provisional"
        return f"{state} check {self.report_id}: {len(self.breached)} of {len(self.signals)} signals breached"

    def records(self) -> list[dict[str, Any]]:
        columns = ("code", "verdict", "said", "value", "p_value", "threshold", "effect", "n_reference", "n_current")
        ordered = sorted(self.signals, key=lambda signal: _FIRST.index(signal.verdict))
        return [{name: getattr(signal, name) for name in columns} for signal in ordered]

    @property
    def breached(self) -> tuple[Signal, ...]:
        return tuple(s for s in self.signals if s.verdict is Verdict.BREACHED)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "signals": [s.as_json() for s in self.signals]}

    @staticmethod
    def from_json(value: dict[str, Any]) -> Check:
        return Check(
            **{
                **value,
                "signals": tuple(Signal.from_json(s) for s in value["signals"]),
                "notes": tuple(value.get("notes", ())),
                "answers": AnswerQuality.from_json(value["answers"]) if value.get("answers") else None,
            }
        )


@dataclass(frozen=True)
class PastCheck:
    """A check against the champion in force: when, and which codes it breached, each with its direction.

    first_time: of its window's oldest record. quality_held: as `trueup.monitoring.policy` reads it.
    """

    as_of: datetime
    breached: Mapping[str, str | None]
    first_time: datetime | None = None
    quality_held: bool = False

    def saw(self, signal: Signal) -> bool:
        """Whether it breached the same code, and not in the other direction."""
        if signal.code not in self.breached:
            return False
        before = self.breached[signal.code]
        return before is None or signal.direction is None or before == signal.direction


@dataclass(frozen=True)
class PastAttempt:
    """A challenger that was trained: when, for which codes, with how many labels newer than the cut-off.

    of_champion: it was to replace the version that is champion now.
    """

    as_of: datetime
    codes: frozenset[str]
    labels: int
    refused: bool
    of_champion: bool = True


@dataclass(frozen=True)
class History:
    """What is known of the past when a decision is made; both lists newest first.

    counted: counted checks. latest: the cycle's check before this one, counted or not.
    labels: mature labels newer than the champion's cut-off, now. paused: by whom, when and why; empty: it is not.
    movable: whether a signal's reference can move with a change; that of a series is its own past.
    trained: labelled rows in the champion's snapshot; 0: nobody knows.
    training: by whom a challenger is being trained; empty: none is.
    """

    counted: tuple[PastCheck, ...]
    attempts: tuple[PastAttempt, ...]
    labels: int
    latest: PastCheck | None = None
    paused: str = ""
    movable: bool = True
    trained: int = 0
    training: str = ""
