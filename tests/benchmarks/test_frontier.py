"""The picture of the rules: which stand on the frontier, and a file that does not change by itself."""

from __future__ import annotations

from pathlib import Path

from benchmarks.promotion.frontier import Point, draw, on_frontier

POINTS: list[Point] = [("score higher", 0.10, 2.0), ("McNemar", 0.01, 1.0), ("beaten", 0.05, 0.9), ("ours", 0.02, 1.8)]


def test_the_frontier_is_what_no_rule_beats() -> None:
    """A rule that is worse oftener and gains less is not on it."""
    assert [name for name, _, _ in on_frontier(POINTS)] == ["McNemar", "ours", "score higher"]


def test_the_picture_names_every_rule_and_is_the_same_again(tmp_path: Path) -> None:
    """Drawn twice it is the same to the byte, with each rule's name as text."""
    first, second = tmp_path / "1.svg", tmp_path / "2.svg"
    for file in (first, second):
        draw(POINTS, file, ours="ours", bound=0.05)
    assert first.read_bytes() == second.read_bytes()
    assert all(f">{name}<" in first.read_text() for name, _, _ in POINTS)
