"""What drove an answer, as bars: to the right what speaks for it, to the left what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trueup.reports.pictures import marks
from trueup.reports.pictures.drawing import Drawing

MOST_BARS = 12
_ROW = 36
_MIDDLE = marks.WIDTH // 2


@dataclass(frozen=True)
class DriverBar:
    """A part of the record: its name, how strongly it speaks for the answer (below 0: against), and what it changes.

    change: in words, such as "62 %", the probability without it.
    """

    name: str
    by: float
    change: str


def answer_drivers(bars: Sequence[DriverBar], *, sides: tuple[str, str], without: str) -> Drawing:
    """The strongest of the bars, given in that order, on top; all of them in the numbers.

    Args:
        sides: what a bar to the left says, and one to the right: "against it", "for positive".
        without: the name of the column that holds each bar's change.
    """
    shown = [bar for bar in bars if bar.by][:MOST_BARS]
    most = max((abs(bar.by) for bar in shown), default=1.0)
    left, right = (marks.cut_to_fit(side, marks.WIDTH / 2 - 60) for side in sides)
    legend, top = marks.key((("fill-bound", "box", left), ("fill-measured", "box", right)))

    def side(bar: DriverBar) -> str:
        return right if bar.by > 0 else left if bar.by < 0 else "no change"

    drawn = [legend, *(_bar(bar, side(bar), most, top + 8 + _ROW * k) for k, bar in enumerate(shown))]
    bottom = top + 8 + _ROW * max(len(shown), 1)
    if shown:
        drawn.append(marks.segment(_MIDDLE, top + 4, _MIDDLE, bottom, "line-axis thin"))
    else:
        drawn.append(marks.text(_MIDDLE, top + 8 + _ROW / 2, "no part alone changes it", "muted middle"))
    title = "What drove the answer"
    told = ", ".join(f"{marks.one_line(bar.name)} {side(bar)} ({bar.change})" for bar in shown)
    alt = f"{title}, strongest first: {told or 'no part alone changes it'}."
    svg = marks.element(title, alt, bottom + 10, "".join(drawn))
    rows = tuple((bar.name, side(bar), bar.change) for bar in bars)
    return Drawing("drivers", title, svg, alt, ("part", "direction", without), rows)


def _bar(bar: DriverBar, words: str, most: float, top: float) -> str:
    """The name on one side of the middle, the bar and its change on the other."""
    middle, side = top + _ROW / 2, 1 if bar.by > 0 else -1
    reach = _MIDDLE - round(marks.breadth(bar.change) * marks.EM) - 18
    end = _MIDDLE + side * round(max(abs(bar.by) / most * reach, 2.0), 1)
    here, there = ("muted", "end") if side > 0 else ("muted end", "")
    colour = "measured" if side > 0 else "bound"
    return (
        f"<g>{marks.said(f'{bar.name}: {words} ({bar.change})')}"
        + marks.box(_MIDDLE, middle - 10, end, middle + 10, f"fill-{colour}")
        + marks.text(_MIDDLE - side * 10, middle, marks.cut_to_fit(bar.name, _MIDDLE - 20), there)
        + marks.text(end + side * 8, middle, bar.change, here)
        + "</g>"
    )
