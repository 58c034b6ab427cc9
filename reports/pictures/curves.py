"""Two curves in the unit square: ROC and calibration of two models beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trueup.reports.pictures import marks
from trueup.reports.pictures.axes import NO_TIME, Axes, Frame, finite
from trueup.reports.pictures.drawing import Drawing
from trueup.storage.formatting import figure

_HIGH = 330  # of the square, in SVG units


@dataclass(frozen=True, kw_only=True)
class UnitCurve:
    """One curve: who drew it, and its points, both coordinates in [0, 1]."""

    words: str
    points: tuple[tuple[float, float], ...]


def unit_curves(
    curves: Sequence[UnitCurve], *, name: str, title: str, across: str, up: str, dots: bool = False
) -> Drawing:
    """The first curve dashed, the second full, over the diagonal. across, up: what the axes say. dots: mark points."""
    styles = (("line-reference dashed", "fill-reference"), ("line-current", "fill-current"))
    legend, top = marks.key(
        [(line, "line", marks.cut_to_fit(c.words, 640)) for c, (line, _) in zip(curves, styles, strict=False)]
    )
    above = top + 2 * marks.LINE - 10  # the highest tick stands beside the axis's own words
    left = marks.left_of(0.0, 1.0)
    frame = Frame(marks.WIDTH, above + _HIGH + 10 + 2 * marks.LINE, left, marks.WIDTH - 14, above, above + _HIGH)
    axes = Axes(frame, *NO_TIME, 0.0, 1.0)
    drawn = [legend, marks.text(0, top + marks.LINE // 2, f"↑ {marks.cut_to_fit(up, 650)}", "muted")]
    drawn.append(marks.value_axis(axes) + marks.number_axis(frame, 0.0, 1.0))
    drawn.append(marks.segment(frame.left, frame.bottom, frame.right, frame.top, "line-axis thin dotted"))
    for curve, (line, fill) in zip(curves, styles, strict=False):
        places = [
            (round(frame.left + x * (frame.right - frame.left), 1), axes.y(y))
            for x, y in (_inside(point) for point in curve.points)
        ]
        drawn.append(marks.path(places, line) if len(places) > 1 else "")
        if dots:
            for (x, y), (said, came) in zip(places, curve.points, strict=True):
                drawn.append(marks.dot(x, y, 5, fill, f"{curve.words}: {figure(said)}, {figure(came)}"))
    drawn.append(
        marks.text(marks.WIDTH, frame.height - marks.LINE // 2, f"{marks.cut_to_fit(across, 650)} →", "muted end")
    )
    alt = f"{title}: {'; '.join(f'{c.words}, {len(c.points)} points' for c in curves) or 'no curve'}."
    rows = tuple((curve.words, *_inside(point)) for curve in curves for point in curve.points)
    svg = marks.element(title, alt, frame.height, "".join(drawn))
    return Drawing(name, title, svg, alt, ("model", across, up), rows)


def _inside(point: tuple[float, float]) -> tuple[float, float]:
    x, y = (min(max(finite(value) or 0.0, 0.0), 1.0) for value in point)
    return x, y
