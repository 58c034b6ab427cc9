"""The rule "not worse": what it lets pass, what it refuses, and that many such steps do not creep downward."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.training.test_gate import _discordant
from trueup.training.evaluation.gain import MINIMUM_GAIN, Gain
from trueup.training.gate.metric_tests import judge_challenger
from trueup.training.gate.not_worse import (
    EVEN,
    LINE_LEVEL,
    Ancestor,
    begins_line,
    line_test,
    not_worse_test,
    risk_of_step,
)
from trueup.training.gate.result import Gate

SPREAD = 0.006  # of a gain as it is seen: its standard error
NOISE = stats.norm.ppf((np.arange(1000) + 0.5) / 1000)


def gain(seen: float) -> Gain:
    """A gain as its draws show it: what is seen on some rows, and its spread."""
    return Gain(seen + SPREAD * NOISE, MINIMUM_GAIN, 400)


def test_a_small_gain_passes_that_proof_would_refuse() -> None:
    """Twelve rows won and nine lost of 1,000: no proof of a gain, and a loss of a point is improbable."""
    paired = _discordant(1000, 12, 9)
    assert not judge_challenger("accuracy", paired, 0).passed
    gate = judge_challenger("accuracy", paired, 0, rule="not_worse")
    assert gate.passed
    told = {test.code: test for test in gate.tests}
    assert told["GATE-BETTER"].bound == EVEN
    assert "does not lose 1 point to the champion" in told["GATE-LOSS"].said


@pytest.mark.parametrize(("rows", "won", "lost"), [(200, 30, 28), (1000, 9, 12), (200, 10, 30)])
def test_what_may_well_be_worse_is_refused(rows: int, won: int, lost: int) -> None:
    """Too few rows to tell a loss of a point, a loss that is likelier than a gain, and a plain loss."""
    assert not judge_challenger("accuracy", _discordant(rows, won, lost), 0, rule="not_worse").passed


def test_the_beginning_of_the_line_can_refuse_what_the_champion_does_not() -> None:
    """A challenger no worse than a champion that crept down, and worse than what the line began with, is refused."""
    paired = _discordant(1000, 12, 9)
    better_once = replace(paired, opponent_predicted=paired.truth)
    gate = judge_challenger("accuracy", paired, 0, rule="not_worse", ancestor=Ancestor(3, better_once, 2))
    [line] = [test for test in gate.tests if test.code == "GATE-LINE"]
    assert (line.passed, line.bound) == (False, risk_of_step(2))
    assert "v3, with which the champion's line began" in line.said


def test_the_steps_of_a_line_spend_no_more_than_its_level() -> None:
    """However many steps a line has, the risks that they take sum up to at most the stated one; the first takes .05."""
    spent = sum(risk_of_step(step) for step in range(1, 20_000))
    assert 0.999 * LINE_LEVEL < spent < LINE_LEVEL
    assert risk_of_step(1) == pytest.approx(0.05)


def test_a_line_begins_anew_with_proof_alone() -> None:
    """A version no worse is a step of the champion's line; one that is surely a point better begins its own."""
    step, leap = (judge_challenger("accuracy", _discordant(1000, won, 9), 0, rule="not_worse") for won in (12, 60))
    assert (step.passed, step.begins_line, step.as_json()["begins_line"]) == (True, False, False)
    assert (leap.passed, leap.begins_line) == (True, True)
    assert Gate.from_json(step.as_json()) == step
    assert judge_challenger("accuracy", _discordant(1000, 60, 9), 0).begins_line


def _line(rng: np.random.Generator, mean: float, spread: float, *, held: bool) -> tuple[float, int]:
    """How much the last of up to 200 champions is truly better than the first, and how many there were.

    Each of 600 challengers is truly better than the champion by a normal step of that mean and spread. They are judged
    on rows that tell a difference to .6 of a point; the noise against champion and beginning is one in half.
    """
    champion = beginning = 0.0
    step, made = 1, 0
    for _ in range(600):
        truly = champion + rng.normal(mean, spread)
        shared, own, other = SPREAD / np.sqrt(2) * rng.normal(size=3)
        found = gain(truly - champion + shared + own)
        over_line = found if step == 1 else gain(truly - beginning + shared + other)
        if not not_worse_test("accuracy", found).passed or found.chance < EVEN:
            continue
        if held and not line_test("accuracy", 1, over_line, step).passed:
            continue
        champion, made = truly, made + 1
        beginning, step = (champion, 1) if begins_line(over_line, step) else (beginning, step + 1)
        if made == 200:
            break
    return champion, made


def test_two_hundred_promotions_of_equal_models_do_not_creep() -> None:
    """Of challengers as good as their champion, give or take a little, no line of 200 promotions ends a point lower."""
    ends = [_line(np.random.default_rng(seed), 0.0, 0.002, held=True) for seed in range(8)]
    assert np.mean([made for _, made in ends]) > 150
    assert min(champion for champion, _ in ends) > -0.01


def test_challengers_that_are_each_a_little_worse_cannot_take_a_line_far_down() -> None:
    """Each truly worse by a fifth of a point: step by step they lose many points, held to the line's beginning few."""
    held, free = (
        [_line(np.random.default_rng(seed), -0.002, 0.0005, held=held)[0] for seed in range(8)]
        for held in (True, False)
    )
    assert np.mean(free) < -0.2
    assert np.mean(held) > -0.04
