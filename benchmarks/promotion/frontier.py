"""The picture of the rules: how often each promotes what is worse, against what its promotions gain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

Point = tuple[str, float, float]
"""A rule, the share of its promotions that were worse, and its gain of quality; further left and up is better."""


def on_frontier(points: Sequence[Point]) -> list[Point]:
    """The points that no other one beats: none is worse as seldom or seldomer at a greater gain; by rising share."""
    found: list[Point] = []
    for point in sorted(points, key=lambda p: (p[1], -p[2])):
        if not found or point[2] > found[-1][2]:
            found.append(point)
    return found


def draw(points: Sequence[Point], file: Path, *, ours: str = "", bound: float | None = None) -> None:
    """Write the picture as SVG, the same to the byte for the same points.

    Args:
        ours: the rule that trueup uses, drawn in another colour.
        bound: a share of worse promotions that must not be passed, drawn as a line.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.add_subplot()
    edge = on_frontier(points)
    axes.step([p[1] for p in edge], [p[2] for p in edge], where="post", color="0.75", linewidth=1.2, zorder=1)
    for name, worse, gain in points:
        colour = "tab:red" if name == ours else "tab:blue"
        axes.scatter(worse, gain, color=colour, s=28, zorder=2)
        axes.annotate(name, (worse, gain), xytext=(5, 4), textcoords="offset points", fontsize=8, color=colour)
    if bound is not None:
        axes.axvline(bound, color="0.6", linestyle="--", linewidth=1)
    axes.set_xlabel("share of promotions worse by more than one point")
    axes.set_ylabel("gain of quality, points")
    axes.margins(x=0.15, y=0.12)
    axes.grid(color="0.92")
    with matplotlib.rc_context({"svg.hashsalt": "trueup", "svg.fonttype": "none"}):
        FigureCanvasSVG(figure).print_svg(str(file), metadata={"Date": None, "Creator": None})
