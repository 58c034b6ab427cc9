"""Guardrails: the gate's tests that stand by themselves, beside those on the stream's metric.

To add one: a file with its function from a GateContext to a GateTest, and its line in GUARDRAILS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from trueup.storage.stream import StreamSettings
from trueup.training.gate.answers import calibration_guardrail, classes_guardrail
from trueup.training.gate.behaviour import behaviour_guardrail
from trueup.training.gate.context import GateContext
from trueup.training.gate.cost import latency_guardrail, size_guardrail
from trueup.training.gate.golden import golden_guardrail
from trueup.training.gate.label_trust import label_feed_guardrail
from trueup.training.gate.result import GateTest, inapplicable
from trueup.training.gate.slices import slice_codes, slice_guardrail

_LEAST_JUDGED = 30  # rows, below which predictions by themselves show nothing


class Need(StrEnum):
    """What a test may need; without it the test is recorded as not applied, and does not run."""

    CHAMPION = "champion"              # the opponent is a champion: without it `paired` holds a constant, no model
    CHAMPION_MODEL = "champion model"  # which can be asked: a champion of another service cannot
    CLASSES = "classes"                # the labels are classes
    JUDGED_ROWS = "judged rows"        # LEAST_JUDGED of them
    PROBABILITIES = "probabilities"    # both models state one for each judged row
    TEXT = "text"                      # a text column
    REFERENCE_ROWS = "reference rows"  # one of them
    GOLDEN_SET = "golden set"          # the file that gate.golden names


@dataclass(frozen=True)
class Guardrail:
    """One entry of the gate.

    code: of its test, or what the codes of its tests begin with.
    run: makes the test, or several; all of `needs` are given then. The first that is not is what is recorded.
    codes: of a stream's tests where each is recorded by itself without its needs; None: `code` alone.
    because: why the test makes no sense without its needs, where that is no matter of course.
    """

    code: str
    run: Callable[[GateContext], GateTest | tuple[GateTest, ...]]
    needs: tuple[Need, ...] = ()
    codes: Callable[[StreamSettings], tuple[str, ...]] | None = None
    because: str = ""


_COST = (Need.CHAMPION, Need.CHAMPION_MODEL, Need.REFERENCE_ROWS)

GUARDRAILS = (  # in the order in which people read them
    Guardrail(
        "GATE-SLICE", slice_guardrail, (Need.CHAMPION,), slice_codes,
        "a constant prediction can be right within a slice, and is no model to keep",
    ),
    Guardrail("GATE-CALIBRATION", calibration_guardrail, (Need.CLASSES, Need.JUDGED_ROWS, Need.PROBABILITIES)),
    Guardrail("GATE-CLASSES", classes_guardrail, (Need.JUDGED_ROWS,)),
    Guardrail("GATE-FEED", label_feed_guardrail, (Need.CHAMPION,)),
    Guardrail("GATE-GOLDEN", golden_guardrail, (Need.GOLDEN_SET,)),
    Guardrail("GATE-BEHAVIOUR", behaviour_guardrail, (Need.TEXT,)),
    Guardrail("GATE-LATENCY", latency_guardrail, _COST),
    Guardrail("GATE-SIZE", size_guardrail, _COST),
)  # fmt: skip


def guardrail_tests(context: GateContext) -> tuple[GateTest, ...]:
    """The tests of every guardrail, in the order of the list."""
    return tuple(test for guardrail in GUARDRAILS for test in _tests(guardrail, context))


def _tests(guardrail: Guardrail, context: GateContext) -> tuple[GateTest, ...]:
    missing = next(filter(None, (_missing(need, context) for need in guardrail.needs)), "")
    if missing:
        why = f"{missing}; {guardrail.because}" if guardrail.because else missing
        codes = guardrail.codes(context.stream) if guardrail.codes else (guardrail.code,)
        return tuple(inapplicable(code, why) for code in codes)
    found = guardrail.run(context)
    return (found,) if isinstance(found, GateTest) else found


def _missing(need: Need, context: GateContext) -> str:
    """Why a need is not given; empty where it is."""
    match need:
        case Need.CHAMPION if context.paired.opponent != "champion":
            return "there is no champion yet"
        case Need.CHAMPION_MODEL if context.champion is None:
            return "the champion is the model of another service"
        case Need.CLASSES if not context.paired.classes:
            return "predicted numbers have no probability"
        case Need.JUDGED_ROWS if len(context.judged) < _LEAST_JUDGED:
            return f"{len(context.judged)} judged rows; {_LEAST_JUDGED} needed"
        case Need.PROBABILITIES if not _all_stated(context):
            return "one of the models states no probabilities"
        case Need.TEXT if not context.stream.text:
            return "the stream has no text"
        case Need.REFERENCE_ROWS if not len(context.reference):
            return "there are no reference rows"
        case Need.GOLDEN_SET if context.golden is None:
            return "gate.golden names no file"
    return ""


def _all_stated(context: GateContext) -> bool:
    scores = (context.judged.opponent_score, context.judged.challenger_score)
    return all(bool(np.isfinite(score.astype(np.float64)).all()) for score in scores)
