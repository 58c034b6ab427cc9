"""The gate's tests beside the comparison on the metric: what each needs is gathered here and handed to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from trueup.flows.gate.behaviour_cases import BehaviourCase, own_suites
from trueup.flows.gate.golden_set import Golden
from trueup.storage.stream import Stream

if TYPE_CHECKING:
    from trueup.training.evaluation.paired import Paired
    from trueup.training.gate.behaviour_suites import Suite
    from trueup.training.gate.metric_tests import GateTest


@dataclass(frozen=True)
class Model:
    """A version's model, and the bytes of the file that it is stored in."""

    model: Any
    size: int


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """A challenger and what it is held against, as the further tests look at them.

    champion: None where there is none yet, or where its model is another service's (`elsewhere`).
    reference: features of the challenger's reference rows, oldest first.
    golden: None where the stream has none. cases: of behaviour, the stream's own.
    """

    paired: Paired
    seed: int
    challenger: Model
    champion: Model | None
    elsewhere: bool
    reference: pd.DataFrame
    golden: Golden | None = None
    cases: tuple[BehaviourCase, ...] = ()

    @property
    def first(self) -> bool:
        """Whether there is no champion yet, so that `paired` holds the challenger against a constant."""
        return self.champion is None and not self.elsewhere


def further_tests(stream: Stream, meeting: Meeting) -> tuple[GateTest, ...]:
    """Every test that does not ask for the better metric, in the order in which people read them.

    What is asked of answers to labelled rows is asked of those since the champion fell, where it did.
    """
    from trueup.training.evaluation.concept_shift import since_the_fall
    from trueup.training.gate.answers import calibration_test, classes_test

    paired, bounds = since_the_fall(stream.metric, meeting.paired, meeting.seed), stream.gate
    return (
        *_slice_tests(stream, meeting, paired),
        calibration_test(paired, bounds.calibration_margin, meeting.seed),
        classes_test(paired),
        _golden_test(stream, meeting),
        *_behaviour_tests(stream, meeting),
        *_cost_tests(stream, meeting),
    )


def _slice_tests(stream: Stream, meeting: Meeting, paired: Paired) -> tuple[GateTest, ...]:
    from trueup.training.gate.metric_tests import inapplicable
    from trueup.training.gate.slices import code_of, slice_tests

    if meeting.first:
        why = "there is no champion yet; a constant may be right within a slice, and is no model to keep"
        return tuple(inapplicable(code_of(column), why) for column in stream.slices)
    return slice_tests(stream, paired, stream.gate.slice_margin, meeting.seed)


def _golden_test(stream: Stream, meeting: Meeting) -> GateTest:
    from trueup.training.gate.golden import CODE, golden_test
    from trueup.training.gate.metric_tests import inapplicable
    from trueup.training.models.fitting import answer

    golden = meeting.golden
    if golden is None:
        return inapplicable(CODE, "gate.golden names no file")
    answers, standing = (
        None if model is None else answer(model.model, stream, golden.features)[0]
        for model in (meeting.challenger, meeting.champion)
    )
    assert answers is not None
    return golden_test(stream, golden.lines, golden.expected, answers, standing)


def _behaviour_tests(stream: Stream, meeting: Meeting) -> tuple[GateTest, ...]:
    from trueup.training.gate.behaviour import behaviour_tests
    from trueup.training.gate.behaviour_suites import built_in

    classes, like = meeting.paired.classes, meeting.reference
    suites: tuple[Suite, ...] = ()
    if stream.text and len(like):
        suites = (*built_in(stream, like, classes, meeting.seed), *own_suites(stream, meeting.cases, like))
    champion = meeting.champion and meeting.champion.model
    return behaviour_tests(stream, suites, classes, meeting.challenger.model, champion)


def _cost_tests(stream: Stream, meeting: Meeting) -> tuple[GateTest, ...]:
    from trueup.training.gate.cost import latency_test, no_cost_tests, single_answers, size_test

    old, new = meeting.champion, meeting.challenger
    if old is None:
        return no_cost_tests("there is no champion yet" if meeting.first else "the champion answers elsewhere")
    if not len(meeting.reference):
        return no_cost_tests("there is no reference row to ask for")
    seconds = single_answers(stream, (old.model, new.model), meeting.reference)
    return latency_test(stream.gate, *seconds), size_test(stream.gate, old.size, new.size)
