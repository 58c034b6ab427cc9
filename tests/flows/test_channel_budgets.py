"""A letter fits its channel: items go from the end and are counted, the four lines stay."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_letters import any_letter, made_envelope, made_letter
from tests.many import examples
from trueup.flows.alert.channels import pagerduty, slack, teams, webhook
from trueup.flows.alert.channels.budget import Size, clipped, fitted, more
from trueup.reports.alerts.letter import Letter

_ENVELOPE = made_envelope()
WAYS: dict[str, tuple[int, Size]] = {
    "slack": (slack.SLACK_BUDGET, slack._size),
    "teams": (teams.TEAMS_BUDGET, lambda letter, left: len(teams._written(teams._card(letter, left)))),
    "pagerduty": (
        pagerduty.PAGERDUTY_BUDGET,
        lambda letter, left: len(
            json.dumps(pagerduty._event("k", letter, left, "trigger", "i", envelope=_ENVELOPE))
        ),
    ),
    "webhook": (webhook.WEBHOOK_BUDGET, lambda letter, left: len(webhook._body(letter, left, _ENVELOPE))),
}  # fmt: skip


def _items(letter: Letter) -> int:
    return len(letter.causes) + sum(len(part.rows) for part in letter.sections) + len(letter.foot)


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=examples(15), deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_letter_exceeds_a_budget_and_each_keeps_the_beginning_of_its_four_lines(way: str, seed: int) -> None:
    """Whatever its texts are: what is left out is counted, and it is whole items before it is a part of a line."""
    letter, (budget, size) = any_letter(seed), WAYS[way]
    small, left_out = fitted(letter, budget, size)
    assert size(small, left_out) <= budget
    for line, whole in zip(small.lines, letter.lines, strict=True):
        assert line == whole or (line.endswith("…") and whole.startswith(line[:-1].rstrip()))
    gone = (letter.action is not None and small.action is None) + (bool(letter.link) and not small.link)
    assert left_out == _items(letter) - _items(small) + gone
    if _items(small):
        assert small.lines == letter.lines  # whole items go first


def test_what_is_cut_is_counted() -> None:
    """Of twelve rows the last nine go, and the message says so; the foot behind them goes before."""
    rows = tuple((f"row {number:02}", "x" * 200) for number in range(12))
    part = made_letter().sections[0]
    letter = made_letter(sections=(type(part)(part.title, part.columns, rows),), foot=())
    budget = slack._size(made_letter(sections=(type(part)(part.title, part.columns, rows[:3]),), foot=()), 9)
    small, left_out = fitted(letter, budget, slack._size)
    assert left_out == 9
    assert slack._text(small, left_out).endswith(f"row 02 · {'x' * 200}\nand 9 more")
    assert fitted(letter, budget - 1, slack._size)[1] == 10


def test_command_and_link_outlive_every_item() -> None:
    """They go only where the four lines have given all they can."""
    letter = made_letter(todo="x" * 5_000)
    small, left_out = fitted(letter, 900, slack._size)
    assert small.action == letter.action
    assert small.link == letter.link
    assert left_out == _items(letter)
    assert len(small.todo) >= 80
    bare, left_out = fitted(letter, 300, slack._size)
    assert not bare.link
    assert left_out == _items(letter) + 2


def test_words_for_what_is_left_out() -> None:
    """Nothing is said where nothing is missing."""
    assert (more(0), more(9)) == ("", "and 9 more")
    assert (clipped("word", 4), clipped("words", 4)) == ("word", "wor…")
