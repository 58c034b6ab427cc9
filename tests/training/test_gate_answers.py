"""The challenger's answers by themselves: more than one of them, and probabilities that mean something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.made_gates import guardrails_of
from tests.made_rows import make_rows, make_stream
from trueup.training.evaluation.paired import Paired
from trueup.training.gate.answers import calibration_test, classes_test
from trueup.training.gate.slices import slice_tests


def _paired(n: int, champion: np.ndarray, challenger: np.ndarray, *, truth: np.ndarray | None = None) -> Paired:
    """Two classes; both models state a probability of "yes" and answer by it."""
    told = np.where(np.arange(n) % 2 == 0, "no", "yes").astype(object) if truth is None else truth
    return Paired(
        opponent="champion",
        truth=told, opponent_predicted=np.where(champion > 0.5, "yes", "no").astype(object),
        challenger_predicted=np.where(challenger > 0.5, "yes", "no").astype(object),
        opponent_score=champion, challenger_score=challenger, unit=np.arange(n), evaluation=np.zeros(n, bool),
        classes=("no", "yes"),
    )


def _sure(n: int, chance: float) -> np.ndarray:
    """Right in nine of ten rows, and stating that its answer is right with `chance`."""
    right = np.where(np.arange(n) % 2 == 1, chance, 1 - chance)
    return np.where(np.arange(n) % 20 < 2, 1 - right, right)


def _numbers(answers: np.ndarray, truth: np.ndarray) -> Paired:
    return Paired(
        opponent="champion",
        truth=truth, opponent_predicted=truth, challenger_predicted=answers, opponent_score=np.full(len(truth), np.nan),
        challenger_score=np.full(len(truth), np.nan), unit=np.arange(len(truth)),
        evaluation=np.zeros(len(truth), bool), classes=(),
    )


def test_a_model_of_one_answer_is_refused() -> None:
    """Whatever the metric makes of it: it has learnt nothing. The class it never answers is named."""
    test = classes_test(_paired(200, _sure(200, 0.9), np.full(200, 0.7)))
    assert not test.passed
    assert (test.code, test.value, test.bound) == ("GATE-CLASSES", 1.0, 2.0)
    assert "never predicted: 'no'" in test.said
    assert classes_test(_paired(200, _sure(200, 0.9), _sure(200, 0.9))).passed


def test_numbers_must_vary() -> None:
    """A regression that always says the mean is refused, one that varies is not."""
    truth = np.random.default_rng(0).normal(size=100)
    assert not classes_test(_numbers(np.full(100, truth.mean()), truth)).passed
    assert classes_test(_numbers(truth, truth)).passed


def test_where_one_label_is_all_there_is_one_answer_may_be_right() -> None:
    """Rows of one class, or hardly any rows, show nothing of this."""
    alike = np.full(200, "yes", dtype=object)
    one_label = _paired(200, np.full(200, 0.7), np.full(200, 0.7), truth=alike)
    for paired in (one_label, _paired(8, _sure(8, 0.9), _sure(8, 0.9))):
        assert guardrails_of(make_stream(), paired)["GATE-CLASSES"].said.startswith("Not applied: ")


def test_probabilities_that_overstate_are_refused() -> None:
    """Right nine times of ten and sure of .999 each time, against a champion that says .9."""
    test = calibration_test(_paired(400, _sure(400, 0.9), _sure(400, 0.999)), 0.005, 1)
    assert not test.passed
    assert test.code == "GATE-CALIBRATION"
    assert test.bound == 0.005
    assert calibration_test(_paired(400, _sure(400, 0.999), _sure(400, 0.9)), 0.005, 1).passed


@pytest.mark.parametrize("old", [900, 400])
def test_after_a_change_the_answers_of_the_newest_rows_are_asked(old: int) -> None:
    """A challenger of the new world is not refused for what it says, just as surely, of the old one's rows."""
    old_world, chance = np.arange(1200) < old, _sure(1200, 0.99)
    champion = np.where(old_world, chance, 1 - chance)
    turned = replace(_paired(1200, champion, 1 - champion), age=np.where(old_world, 5.0, 0.5))
    turned = replace(turned, slices={"c": np.where(old_world, "seen before", "seen since").astype(object)})
    stream = make_rows(60, 0, "table")[0].model_copy(update={"slices": ("c",)})
    assert calibration_test(turned, stream.gate.calibration_margin, 0).passed == (old < 600)
    assert not slice_tests(stream, turned, stream.gate.slice_margin, 0)[0].passed
    found = guardrails_of(stream, turned)
    assert found["GATE-CALIBRATION"].passed
    assert found["GATE-SLICE-c"].passed
    assert f"on {1200 - old} rows" in found["GATE-CALIBRATION"].said


def test_of_more_than_two_classes_the_stated_probability_is_that_of_the_answer() -> None:
    """A challenger that is as often right and states it truly passes; one that states .999 does not."""
    rng = np.random.default_rng(0)
    truth = rng.choice(["a", "b", "c"], 600).astype(object)
    answers = np.where(rng.random(600) < 0.8, truth, "a").astype(object)
    share = float(np.mean(answers == truth))

    def stating(chance: float) -> Paired:
        return Paired(
            opponent="champion",
            truth=truth, opponent_predicted=answers, challenger_predicted=answers, opponent_score=np.full(600, share),
            challenger_score=np.full(600, chance), unit=np.arange(600), evaluation=np.zeros(600, bool),
            classes=("a", "b", "c"),
        )

    assert calibration_test(stating(share - 0.02), 0.005, 1).passed
    assert not calibration_test(stating(0.999), 0.005, 1).passed


def test_numbers_and_answers_without_a_probability_are_not_judged_for_it() -> None:
    """A regression has none, a champion elsewhere may send none, and a handful of rows show none."""
    truth = np.arange(100.0)
    unstated = _paired(200, np.full(200, np.nan), _sure(200, 0.9))
    for paired in (_numbers(truth, truth), unstated, _paired(8, _sure(8, 0.9), _sure(8, 0.9))):
        test = guardrails_of(make_stream(), paired)["GATE-CALIBRATION"]
        assert test.passed
        assert test.said.startswith("Not applied: ")
