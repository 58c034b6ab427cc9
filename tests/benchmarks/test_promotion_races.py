"""Two processes that promote at once, and one killed at every step: one winner, right aliases, no decision lost.

The same code makes the figures of docs/promotion.md (`python -m benchmarks.promotion --only races`).
"""

from __future__ import annotations

import json
from collections import Counter

import pytest

from benchmarks.promotion.contenders import Arena, build
from benchmarks.promotion.races import (
    CHANGES,
    ROUNDS,
    WAYS,
    Died,
    Raced,
    bounds,
    kill_everywhere,
    page,
    plain,
    race,
)


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Arena:
    return build(tmp_path_factory.mktemp("races"), "")


@pytest.fixture(scope="module")
def on_postgresql(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Arena:
    return build(tmp_path_factory.mktemp("races"), postgres_url)


def arena(request: pytest.FixtureRequest, store: str) -> Arena:
    found: Arena = request.getfixturevalue(f"on_{store}")
    return found


STORES = pytest.mark.parametrize("store", ["sqlite", "postgresql"])
SLOW = pytest.mark.slow


@pytest.mark.timeout(3600)
@pytest.mark.slow
@pytest.mark.parametrize("rounds", [3, ROUNDS])
@STORES
def test_of_two_promotions_at_once_one_wins(request: pytest.FixtureRequest, store: str, rounds: int) -> None:
    """Queued for the lease, robbed of it, or approved by two people: the other is refused, and that is written down."""
    found = race(arena(request, store), rounds)
    assert (found.rounds, found.not_one_winner, found.wrong_aliases, found.lost_decisions) == (rounds, 0, 0, 0)
    assert found.problems == []
    assert {ending.split(":")[0] for ending in found.endings} == set(WAYS)
    assert all(": won and " in ending for ending in found.endings)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("store", "every"),
    [
        ("sqlite", 12),
        pytest.param("sqlite", 1, marks=SLOW),
        pytest.param("postgresql", 1, marks=SLOW),
    ],
)
def test_a_promotion_killed_at_any_step_is_finished_or_undone(
    request: pytest.FixtureRequest, store: str, every: int
) -> None:
    """SIGKILL before and after each write and each commit, then the next to hold the lease: nothing is in doubt."""
    found = kill_everywhere(arena(request, store), every)
    assert (found.wrong_aliases, found.lost_decisions, found.problems) == (0, 0, [])
    assert set(found.kills) == set(CHANGES)
    assert found.ends["committed"], "a promotion that was written down is finished"
    assert found.ends["not yet written down"]


def test_the_page_tells_what_was_found() -> None:
    """Each way and each kill has its row, and the table at the top adds up all stores."""
    died = Died(Counter(commit=9, force=8), Counter(committed=17), lost_decisions=1, problems=["x"])
    endings = Counter({"evidence: won and StaleEvidence": 2, "takeover: won and LeaseHeld": 1})
    raced = Raced(3, endings, wrong_aliases=2)
    one = json.loads(json.dumps({"raced": plain(raced), "died": plain(died)}))
    found = {"SQLite": one, "PostgreSQL": one}
    text = "\n".join(page(found))
    assert "| SQLite | takeover |" in text
    assert "commit 9, force 8" in text
    ((what, _, bound, measured),) = bounds(found)
    assert "34 kills" in what
    assert bound.startswith("one winner each time")
    assert measured.startswith("0 rounds without one winner; 4 wrong aliases, 2 lost decisions, 2 problems")
