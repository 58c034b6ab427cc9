"""GATE-BEHAVIOUR-<suite>: a change of a text that should not matter, or matter one way only, does so.

A suite is failed where more of its cases are than `behaviour_failures`, and than the champion fails by more than
`behaviour_margin`. Measured on the held-out texts of Greenlight and Flipkart, the default candidates failed: case and
space 0, punctuation up to .05, typo .01 to .06 (the linear SVM on Flipkart .16), negation 0;
of made texts in which one word tells the class, typo .16 to .23.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trueup.storage.stream import StreamSettings
from trueup.training.gate.behaviour_suites import (
    KNOWN,
    NEGATIONS,
    Suite,
    SuiteKind,
    built_in,
    failures,
    reads_contrary,
)
from trueup.training.gate.context import GateContext
from trueup.training.gate.result import GateTest, inapplicable

_CODE = "GATE-BEHAVIOUR"
_SHOWN = 60  # letters of a text


def behaviour_guardrail(context: GateContext) -> tuple[GateTest, ...]:
    """GATE-BEHAVIOUR of the built-in suites and the stream's own.

    Raises:
        ModelUnusable: a model fails on a case.
    """
    stream, classes = context.stream, context.paired.classes
    suites: tuple[Suite, ...] = ()
    if len(context.reference):
        suites = (*built_in(stream, context.reference, classes, context.seed), *context.own_suites)
    champion = context.champion and context.champion.model
    return behaviour_tests(stream, suites, classes, context.challenger.model, champion)


def behaviour_tests(
    stream: StreamSettings, suites: Sequence[Suite], classes: Sequence[str], challenger: Any, champion: Any | None
) -> tuple[GateTest, ...]:
    """A test for each suite, or one that says why there is none.

    Args:
        challenger, champion: their models; no champion's where there is none to ask.
    """
    if not suites:
        return (inapplicable(_CODE, "there are no texts to change"),)
    return tuple(_test(stream, suite, classes, challenger, champion) for suite in suites)


def _test(
    stream: StreamSettings, suite: Suite, classes: Sequence[str], challenger: Any, champion: Any | None
) -> GateTest:
    code = f"{_CODE}-{suite.name}"
    if len(suite) < suite.least:
        return inapplicable(code, _too_few(suite))
    if suite.kind is SuiteKind.DIRECTIONAL and len(classes) > 2:
        return inapplicable(code, f"with {len(classes)} classes a score has no direction")
    if reads_contrary(stream, challenger, suite):
        why = (
            f"the model gives '{classes[-1]}' to blame, not to praise; whether the labels mean that is the metric's "
            "to judge"
        )
        return inapplicable(code, why)
    failed = failures(stream, challenger, suite)
    share, bound = float(failed.mean()), stream.gate.behaviour_failures
    said = f"{int(failed.sum())} of {len(suite)} cases fail"
    if champion is not None:
        standing = failures(stream, champion, suite)
        said += f", champion {int(standing.sum())}"
        bound = max(bound, float(standing.mean()) + stream.gate.behaviour_margin)
    if failed.any():
        said += f"; first: {_shown(stream, suite, int(np.argmax(failed)))}"
    return GateTest(code=code, passed=share <= bound, value=share, bound=bound, said=said)


def _too_few(suite: Suite) -> str:
    if suite.poles is None:
        return f"{len(suite)} texts can be changed in this way; {suite.least} needed"
    plain, negated = NEGATIONS[0]
    return (
        f"{len(suite)} pairs such as {plain!r} and {negated!r} use only words of {KNOWN} or more reference texts; "
        f"{suite.least} needed"
    )


def _shown(stream: StreamSettings, suite: Suite, k: int) -> str:
    sides = (suite.before, suite.after)
    texts = [" | ".join(str(side[column].iloc[k]) for column in stream.text).strip(" |") for side in sides]
    if suite.kind is SuiteKind.MINIMUM:
        return f"{texts[0][:_SHOWN]!r} should be {suite.expect[k]!r}"
    alike = next((at for at, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts)))
    start = max(0, alike - _SHOWN // 2)  # where they part, which in a long text may be far behind
    before, after = (f"{'…' if start else ''}{text[start : start + _SHOWN]}" for text in texts)
    return f"{before!r} changed to {after!r}"
