"""A search says how far it is: as a bar on a terminal, as an artifact in a flow, and nowhere else."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tests.flows.test_schedule import until
from trueup.flows.cli import progress
from trueup.flows.cli.progress import shown
from trueup.training.candidates.recipes import Recipe
from trueup.training.search import SearchProgress

SOME = Recipe("naive_bayes", "bow", 100, "all")


def _progress(done: int) -> SearchProgress:
    return SearchProgress(recipe=SOME, done=done, of=40, best=SOME, value=0.9, seconds=12.4, limit=300.0)


def test_a_terminal_sees_the_best_so_far_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar names the fits done of all, the best candidate with its figure, and what is left of the limit."""
    written = io.StringIO()
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    with shown(Console(file=written, force_terminal=True, width=160), "reviews") as watch:
        watch.on_step("train")
        watch.on_candidate(_progress(10))
        until(lambda: _progress(10).said in written.getvalue(), "the best so far")
    assert "reviews: train" in written.getvalue()
    assert _progress(10).said == "10 of at most 40 fits, best naive_bayes/bow/all 0.900, 288 s left"


def test_what_is_no_terminal_stays_clean() -> None:
    """In a pipe or a log file nothing of the bar is written."""
    written = io.StringIO()
    with shown(Console(file=written, width=160), "reviews") as watch:
        watch.on_step("train")
        watch.on_candidate(_progress(10))
    assert not written.getvalue().strip()


def test_a_flow_has_one_progress_artifact(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made at the first fit, and updated whenever another percent is done."""
    from trueup.flows.serve import cycle_flow as scheduled_cycle
    made: list[str] = []
    updates: list[float] = []
    monkeypatch.setattr(scheduled_cycle, "create_progress_artifact", lambda progress, **kw: made.append(kw["key"]) or 7)
    monkeypatch.setattr(
        scheduled_cycle, "update_progress_artifact", lambda artifact, progress, description: updates.append(progress)
    )
    tell = scheduled_cycle.search_artifact("reviews")
    for done in (1, 2, 2, 40):
        tell(_progress(done))
    assert made == ["reviews-search"]
    assert updates == [_progress(done).percent for done in (1, 2, 40)]
