"""`trueup init --from` on made files: never silently wrong, seldom undecided, the kinds of columns right."""

from __future__ import annotations

import pytest

from tests.init.judging import UNDECIDED, WRONG, Score
from tests.init.score import kinds_right, report, scores
from tests.init.shapes import SHAPES

UNDECIDED_AT_MOST = 0.2
KINDS_AT_LEAST = 0.95  # SortingHat's best published: .927


@pytest.fixture(
    scope="module",
    params=[pytest.param(5, marks=pytest.mark.long), pytest.param(1, marks=pytest.mark.slow)],
    ids=["every fifth shape", "all shapes"],
)
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Score]:
    """The shapes, each read by init once."""
    told = scores(tmp_path_factory.mktemp("shapes"), list(SHAPES)[:: request.param])
    print(report(told))
    return told


def test_nothing_is_silently_wrong(done: list[Score]) -> None:
    """No time, answer, class, value or feature is taken wrongly without a word."""
    wrong = {one.shape: [f"{p.question}: {p.said}" for p in one.points if p.state == WRONG] for one in done}
    found = {shape: faults for shape, faults in wrong.items() if faults}
    assert not found


def test_little_is_left_undecided(done: list[Score]) -> None:
    """What a person could tell from the file is told in four files of five."""
    undecided = [one.shape for one in done if one.state == UNDECIDED]
    assert len(undecided) <= UNDECIDED_AT_MOST * len(done), undecided


def test_kinds_are_right(done: list[Score]) -> None:
    """The kind of a column is one that a careful person would name."""
    kinds = kinds_right(done)
    right, of = (sum(pair[k] for pair in kinds.values()) for k in (0, 1))
    assert right >= KINDS_AT_LEAST * of, kinds
