"""The benchmark of promotion rules walks a stream as production would."""

from __future__ import annotations

import pytest

from benchmarks.promotion.label_feed import ended
from benchmarks.promotion.label_feed import followed as feed_followed
from benchmarks.promotion.made_streams import KINDS, made
from benchmarks.promotion.shifts import Course, Met, followed, missed, rules


def _met(gain: float, rows: int, chance: float = 0.99) -> Met:
    return Met(rows, rows, 30, 10, gain, chance, chance, True, 100)


def test_what_is_promoted_is_the_champion_that_the_next_ones_meet() -> None:
    """The first challenger is worse and refused, the second better and promoted, the third meets it and is refused."""
    course = Course(
        "made", 0, (0.8, 0.7, 0.85, 0.9),
        {(0, 1): _met(-0.1, 200), (0, 2): _met(0.05, 400), (2, 3): _met(-0.01, 200), (0, 3): _met(1, 1)},
    )  # fmt: skip
    found = followed(course, rules()["score higher"])
    assert found.promoted == (pytest.approx(0.05),)
    assert found.gain == pytest.approx(0.05)


def test_a_clearly_better_one_that_is_refused_is_missed() -> None:
    """Every meeting counts in which the challenger is worth two points more and the labels are as many as it takes."""
    met = {(0, 1): _met(0.05, 200), (0, 2): _met(-0.1, 200), (1, 2): _met(-0.1, 50), (0, 3): _met(0.1, 200)}
    assert missed([Course("made", 0, (0.8, 0.85, 0.9, 0.81), met)], rules()["score higher"]) == [1, 2]


def test_a_later_look_is_asked_for_more() -> None:
    """The same chance that passes at the first look does not when the labels have doubled without a promotion."""
    met = {(0, 1): _met(0.02, 200, 0.8), (0, 2): _met(0.02, 400, 0.9)}
    assert followed(Course("made", 0, (0.8, 0.8, 0.9), met), rules()["trueup"]).promoted == ()
    assert followed(Course("made", 0, (0.8, 0.9, 0.9), {(0, 1): _met(0.02, 200, 0.9), (1, 2): _met(0, 200, 0.5)}),
                    rules()["trueup"]).promoted == (pytest.approx(0.1),)


@pytest.mark.parametrize("kind", KINDS)
def test_a_made_stream_is_the_same_for_the_same_seed(kind: str) -> None:
    """Every kind of shift can be made, and made again."""
    one, other = made(kind, 3), made(kind, 3)
    assert one.rows.features.equals(other.rows.features)
    assert one.fresh.meta["label"].equals(other.fresh.meta["label"])
    assert len(one.rows) == one.known + 4 * one.window


@pytest.mark.parametrize(("kind", "ends"), [("one class", "held"), ("full flip", "at once")])
def test_a_broken_label_feed_is_held_where_a_full_flip_gets_through(kind: str, ends: str) -> None:
    """Both are promoted by the gate alone, on made numbers."""
    assert ended(feed_followed("made", kind, 301)["windows"]) == ("promoted", ends)
