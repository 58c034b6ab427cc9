"""What "when retraining pays" is told by: the gap that a policy closes, its harm, and its place in the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import machine
from benchmarks.promotion.document import REQUIRED, file_of, with_section
from benchmarks.promotion.pays import (
    BETTER,
    EVERY_THIRD,
    VARIANTS,
    as_good,
    bounds,
    closed,
    harm,
    page,
    shown,
    windows_lost,
)
from benchmarks.promotion.retraining.course_of_models import CourseOfModels
from benchmarks.promotion.retraining.long_streams import HISTORY, KINDS_OF_LONG, WINDOW, WINDOWS, long_stream
from benchmarks.promotion.retraining.played import Variant, play
from trueup.storage.policy import Policy
from trueup.training.candidates.recipes import Recipe


def stream(kind: str, seed: int, **means: float) -> dict[str, Any]:
    """A stream on which each policy has a mean metric; each promoted twice, once in vain."""
    moves = [{"old": 0, "new": 1, "back": None, "harmful": True}, {"old": 1, "new": 2, "back": 3, "harmful": True},
             {"old": 1, "new": 4, "back": None}]  # fmt: skip
    played = [{"variant": v.name, "metrics": [means.get(v.asks, 0.85)], "retrains": 3 if v.asks == "always" else 1,
               "moves": moves} for v in VARIANTS]  # fmt: skip
    return {"stream": "made", "kind": kind, "seed": seed, "played": played}


def test_the_gap_is_that_of_all_streams_together() -> None:
    """Half of one stream's gap and all of another's, which is as wide, are three quarters."""
    ours = next(v.name for v in VARIANTS if v.asks == "policy")
    streams = [stream("calm", 2, never=0.8, always=0.9), stream("calm", 4, never=0.8, always=0.85)]
    assert closed(streams, ours) == pytest.approx(2 / 3)
    assert closed(streams, "never") == 0
    assert harm(streams, ours) == (4, 4)
    assert harm(streams, ours, kept=True) == (2, 4)
    assert shown([*streams, stream("calm", 1)]) == streams


def test_a_simpler_policy_that_is_as_good_is_named() -> None:
    """As much of the gap, at no more retrains; one that closes less, or trains more often, is not."""
    one = stream("flip", 2, never=0.8, always=0.9)
    found = {played["variant"]: played for played in one["played"]}
    found[EVERY_THIRD]["metrics"] = [0.86]
    assert EVERY_THIRD in as_good([one])
    found[EVERY_THIRD]["retrains"] = found[BETTER]["retrains"] + 1
    assert EVERY_THIRD not in as_good([one])


def test_windows_are_lost_where_the_old_concept_is_still_answered() -> None:
    """Only where retraining at once would have helped: the policy loses one such window, never retraining both."""
    ours = next(v.name for v in VARIANTS if v.asks == "policy")
    one = stream("flip", 2)
    for played in one["played"]:
        played["metrics"] = {"never": [0.9, 0.1, 0.1, 0.1], "always, no gate": [0.9, 0.1, 0.9, 0.9]}.get(
            played["variant"], [0.9, 0.1, 0.2, 0.9]
        )
    assert windows_lost([one], ours) == 1
    assert windows_lost([one], "never") == 2


def test_the_section_is_put_between_its_marks_and_nowhere_else(tmp_path: Path) -> None:
    """What stands around it stays; a page without a place for it is refused."""
    found = {"streams": [stream(kind, 2, never=0.8, always=0.9) for kind in ("reviews", "calm", "returning", "flip")]}
    whole = {"quick": False, "seconds": 90, "processes": 2, "machine": machine.facts(), "found": found}
    file_of(tmp_path, "pays").write_text(json.dumps(whole))
    before, after = "# Promotion\n\n", "\n\nthe end\n"
    told = with_section(f"{before}<!-- pays -->\nof last year\n<!-- end of pays -->{after}", "pays", tmp_path)
    assert told.startswith(before)
    assert told.endswith(after)
    assert "of last year" not in told
    assert told == with_section(told, "pays", tmp_path)
    assert "Measured so far: 4 of " in told
    assert len(bounds(found)) == 8
    assert all(v.name in "\n".join(page(found)) for v in VARIANTS)
    head = f"{REQUIRED}\n\n| what | against | bound | measured |\n| - | - | - | - |"
    required = f"{head}\n| {bounds(found)[0][0]} | a | b | c |"
    listed = with_section(f"{required}\n| other | a | b | c |\n\n{told}", "pays", tmp_path)
    assert listed.count(f"| {bounds(found)[0][0]} |") == 1
    assert f"| {' | '.join(bounds(found)[0])} |\n| other | a | b | c |\n| {bounds(found)[1][0]} |" in listed
    with pytest.raises(ValueError, match="no place for pays"):
        with_section("# Promotion\n", "pays", tmp_path)


def test_a_long_stream_is_played_by_trueups_own_rules() -> None:
    """Its windows are whole, the same seed gives the same rows, and each policy answers each window it plays."""
    for kind in KINDS_OF_LONG:
        settings, rows, ends = long_stream(kind, 1, Policy())
        assert ends == tuple(HISTORY + WINDOW * k for k in range(WINDOWS + 1))
        assert len(rows) == ends[-1]
    recipe = Recipe("naive_bayes", "tabular", None, "all", (("smoothing", 0.5),))
    course = CourseOfModels(settings, rows, ends[:3], (recipe,))
    never, always, hindsight = (
        play(course, Variant(asks, asks)) for asks in ("never", "always", "hindsight")  # type: ignore[arg-type]
    )
    assert hindsight["retrains"] <= always["retrains"]
    assert (never["retrains"], len(never["metrics"]), never["moves"]) == (0, 2, [])
    assert (always["retrains"], [move["new"] for move in always["moves"]]) == (2, [1, 2])
    grown = Variant("grown", policy={"retrain_on": ("growth",), "growth": 0.2}, rule="not_worse", again=4, line=True)
    assert play(course, grown)["retrains"] >= 1
