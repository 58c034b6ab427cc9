"""The gate: the evidence that a challenger must show before it is promoted.

GATE-LABELS  enough labelled rows that neither model was fitted on or chosen by
GATE-METRIC  the challenger is better on the stream's metric on them
GATE-BETTER  and so surely that it is no accident of these rows
GATE-LOADS   the registered version was read back and answers the same (recorded by the caller)

To add a test: a function from the Paired rows to a GateTest, and a place in `_judge`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from storage.stream import ERROR_METRICS
from training.bootstrap import chance_of_classes, chance_of_losses, chance_of_ranking
from training.metrics import score

LEAST_LABELS = 50
MANY_LABELS = 500  # from here on the stricter bound costs little power (statistics.md, "The gate")
BOUND_FEW, BOUND_MANY = 0.8, 0.9
REGRESSION = frozenset({"mae", "rmse", "r2"})


@dataclass(frozen=True, kw_only=True)
class Paired:
    """The same n labelled rows answered by both models, neither of which was fitted on them or chosen by them.

    truth, champion, challenger: n classes (object, text), or n numbers (float64).
    champion_score, challenger_score: n scores as `fitting.answer` gives them.
    unit: n integers; rows of one unit depend on each other, so they are resampled together.
    evaluation: n booleans, the row's side of the split.
    classes: in declared or sorted order; f1_score and roc_auc are about the last. Empty for regression.
    slices: by declared slice column, its n raw values.
    """

    truth: np.ndarray
    champion: np.ndarray
    challenger: np.ndarray
    champion_score: np.ndarray
    challenger_score: np.ndarray
    unit: np.ndarray
    evaluation: np.ndarray
    classes: tuple[str, ...]
    slices: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.truth)


@dataclass(frozen=True, kw_only=True)
class GateTest:
    """One test: its figure, the bound it is held against, and what that means in a sentence."""

    code: str
    passed: bool
    value: float | None
    bound: float | None
    said: str


@dataclass(frozen=True)
class Gate:
    """All tests of one challenger."""

    tests: tuple[GateTest, ...]

    @property
    def passed(self) -> bool:
        return all(test.passed for test in self.tests)

    @property
    def outcome(self) -> str:
        """"passed", "not enough evidence" (ask again with more labels), or "refused"."""
        if self.passed:
            return "passed"
        lacking = any(test.code == "GATE-LABELS" and not test.passed for test in self.tests)
        return "not enough evidence" if lacking else "refused"

    def and_test(self, test: GateTest) -> Gate:
        return Gate((*self.tests, test))

    def as_json(self) -> dict[str, Any]:
        return {"passed": self.passed, "outcome": self.outcome, "tests": [asdict(test) for test in self.tests]}

    @staticmethod
    def from_json(value: dict[str, Any]) -> Gate:
        return Gate(tuple(GateTest(**test) for test in value["tests"]))


def judge(metric: str, paired: Paired, seed: int) -> Gate:
    """The challenger against the champion."""
    return _judge(metric, paired, "the champion", seed)


def judge_first(metric: str, paired: Paired, seed: int) -> Gate:
    """The first champion against always answering the same (`contest.first_contest`)."""
    return _judge(metric, paired, "the mean" if metric in REGRESSION else "the majority class", seed)


def loads(version: int, failure: str = "") -> GateTest:
    """GATE-LOADS: whether the registered version, read back from the registry, answers as it did in memory.

    Args:
        failure: why it does not; empty where it does.
    """
    said = f"version {version} was read back from the registry and answers the same"
    if failure:
        said = f"version {version} cannot be trusted after reading it back from the registry: {failure}"
    return GateTest(
        code="GATE-LOADS",
        passed=not failure,
        value=0.0 if failure else 1.0,
        bound=1.0,
        said=said,
    )


def inapplicable(code: str, why: str) -> GateTest:
    """A test that has nothing to judge: recorded, so that nobody takes it for forgotten, and in nobody's way."""
    return GateTest(code=code, passed=True, value=None, bound=None, said=f"not applicable: {why}")


def _judge(metric: str, paired: Paired, opponent: str, seed: int) -> Gate:
    labels = _labels(len(paired))
    if not labels.passed:
        return Gate((labels,))
    return Gate((labels, _metric(metric, paired, opponent), _better(metric, paired, opponent, seed)))


def _labels(found: int) -> GateTest:
    enough = found >= LEAST_LABELS
    said = f"{found} new labelled rows that neither model knows"
    return GateTest(
        code="GATE-LABELS",
        passed=enough,
        value=float(found),
        bound=float(LEAST_LABELS),
        said=said if enough else f"{said} are too few to judge by; {LEAST_LABELS - found} more are needed",
    )


def _metric(metric: str, paired: Paired, opponent: str) -> GateTest:
    """GATE-METRIC: the point difference, signed so that above 0 the challenger is better."""
    task = "regression" if metric in REGRESSION else "classification"
    old = score(task, paired.truth, paired.champion, paired.champion_score, paired.classes)[metric]
    new = score(task, paired.truth, paired.challenger, paired.challenger_score, paired.classes)[metric]
    gain = old - new if metric in ERROR_METRICS else new - old
    if math.isnan(gain):
        said = f"{metric} is undefined on the {len(paired)} rows, so the models cannot be compared by it"
    else:
        said = f"on {len(paired)} rows that neither knows {metric} is {new:.4g}, of {opponent} {old:.4g}"
    return GateTest(
        code="GATE-METRIC", passed=gain > 0, value=None if math.isnan(gain) else gain, bound=0.0, said=said
    )


def _better(metric: str, paired: Paired, opponent: str, seed: int) -> GateTest:
    """GATE-BETTER: the chance that the challenger is better, under a smoothed paired Bayesian bootstrap."""
    chance = chance_better(metric, paired, seed)
    bound = BOUND_FEW if len(paired) < MANY_LABELS else BOUND_MANY
    if math.isnan(chance):
        said = f"{metric} is undefined on the {len(paired)} rows, so there is no chance to give"
    else:
        said = f"the challenger is better than {opponent} with a probability of {chance:.1%}; {bound:.0%} are asked for"
    return GateTest(
        code="GATE-BETTER", passed=chance >= bound, value=None if math.isnan(chance) else chance, bound=bound, said=said
    )


def chance_better(metric: str, paired: Paired, seed: int) -> float:
    """P(the challenger is better than the champion on `metric`); NaN where the metric is undefined on the rows."""
    rng = np.random.default_rng(seed)
    if metric in REGRESSION:
        # for the same truths r2 is the better the smaller the squared error, and so is rmse
        old, new = (np.abs(paired.truth - answers) for answers in (paired.champion, paired.challenger))
        saved = old - new if metric == "mae" else old**2 - new**2
        return chance_of_losses(saved.astype(np.float64), paired.unit, rng)
    if metric == "roc_auc":
        positive = paired.truth == paired.classes[-1]
        if len(paired.classes) != 2 or positive.all() or not positive.any():
            return float("nan")
        return chance_of_ranking(positive, paired.champion_score, paired.challenger_score, paired.unit, rng)
    names = np.unique([*paired.classes, *paired.truth, *paired.champion, *paired.challenger])
    # the last of `classes` must come last: f1_score is about it
    ordered = [*(name for name in names if name != paired.classes[-1]), paired.classes[-1]]
    code = {name: number for number, name in enumerate(ordered)}
    truth, champion, challenger = (
        np.array([code[name] for name in answers], dtype=np.int64)
        for answers in (paired.truth, paired.champion, paired.challenger)
    )
    return chance_of_classes(metric, truth, champion, challenger, len(ordered), paired.unit, rng)
