"""GATE-LOSS and GATE-LINE: a challenger that learnt from more takes over unless it could well be worse.

A gate that asks for proof of a gain starves a stream of the small gains that more labels bring. Under the rule
"not_worse" it is enough that a loss of a point is improbable, and a gain at least as likely as a loss. Such steps, each
harmless, can creep downward (Feng, Emerson and Simon 2021, Approval policies for modifications to machine
learning-based software as a medical device, Biometrics 77:31). So what can be lost is held over a champion's whole
line: at each step the challenger must not lose a point to the version that the line began with either, and all steps of
a line share one level (alpha spending; Lan and DeMets 1983, Biometrika 70:659). A line begins anew with a version that
is surely better by a point than its beginning, and with one that proof was asked of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from trueup.storage.formatting import confidence, metric_name
from trueup.training.evaluation.gain import Gain, minimum_gain_in_words
from trueup.training.evaluation.paired import Paired
from trueup.training.gate.result import GateTest

MARGIN = 0.5  # of a gain worth seeing: one point, or one per cent of an error
LINE_LEVEL = 0.25  # of a loss beyond the margin, over all steps of a line together; the first may spend .05 of it
STEPS_TO_HALF = 4  # steps, after which as much of it is left to spend as was spent
EVEN = 0.5  # the chance to be better that is needed beside it


@dataclass(frozen=True)
class Ancestor:
    """The version that a champion's line began with, and the challenger against it on the rows of the gate.

    step: which step of the line the challenger would be, from 1.
    """

    version: int
    met: Paired
    step: int


def risk_of_step(step: int) -> float:
    """The chance of a loss beyond the margin that the k-th step of a line may have (1, 2, …)."""
    return LINE_LEVEL * STEPS_TO_HALF / ((step + STEPS_TO_HALF - 1) * (step + STEPS_TO_HALF))


def not_worse_test(metric: str, gain: Gain) -> GateTest:
    """GATE-LOSS: the challenger does not lose a point to the champion, as surely as a first step has to be."""
    return _test("GATE-LOSS", metric, gain, "the champion", risk_of_step(1))


def line_test(metric: str, version: int, gain: Gain, step: int) -> GateTest:
    """GATE-LINE: nor to the version that the champion's line began with, as surely as this step of it has to be."""
    name = f"v{version}, with which the champion's line began"
    return _test("GATE-LINE", metric, gain, name, risk_of_step(step))


def begins_line(gain: Gain, step: int) -> bool:
    """Whether a challenger is surely better by the margin than the beginning of its line: then it begins a new one."""
    return gain.chance_above(MARGIN) >= 1 - risk_of_step(step)


def _test(code: str, metric: str, gain: Gain, opponent: str, risk: float) -> GateTest:
    chance = 1 - gain.chance_above(-MARGIN)
    if math.isnan(chance):
        said = f"{metric_name(metric)} is not defined on these rows"
        return GateTest(code=code, passed=False, value=None, bound=risk, said=said)
    said = (
        f"{confidence(1 - chance)} sure that the challenger does not lose {minimum_gain_in_words(metric, MARGIN)} to "
        f"{opponent}, {confidence(1 - risk)} needed"
    )
    return GateTest(code=code, passed=chance <= risk, value=chance, bound=risk, said=said)
