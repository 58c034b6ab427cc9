"""What moved most: words that came and went as diverging bars, and slices of the data by the harm done to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trueup.reports.pictures import marks
from trueup.reports.pictures.axes import Frame, extent, finite
from trueup.reports.pictures.drawing import Drawing
from trueup.storage.formatting import capitalised, figure, metric_name, percent_change

_MOST = 10  # words either way, and slices
_ROW = 36  # of a word
_SLICE = 66  # of a slice: its words, and its line below them
_MIDDLE = marks.WIDTH // 2


@dataclass(frozen=True, kw_only=True)
class MovedWord:
    """A word and the shares of records that hold it, before and now, in [0, 1]."""

    word: str
    before: float
    now: float


@dataclass(frozen=True, kw_only=True)
class SliceMetric:
    """A part of the data: its metric before and now, and how many records of the window it holds."""

    words: str
    before: float | None
    now: float | None
    records: int
    breached: bool = False


def words_moved(words: Sequence[MovedWord], *, name: str, title: str) -> Drawing:
    """Bars to the right for words that came, to the left for words that went, the largest change first either way."""
    held = [MovedWord(word=w.word, before=_within(w.before), now=_within(w.now)) for w in words]
    moves = [(w, w.now - w.before) for w in held]
    came = sorted((m for m in moves if m[1] > 0), key=lambda m: (-m[1], m[0].word))[:_MOST]
    went = sorted((m for m in moves if m[1] < 0), key=lambda m: (m[1], m[0].word))[:_MOST]
    most = max((abs(change) for _, change in (*came, *went)), default=0.0) or 1.0
    legend, top = marks.key((("fill-current", "box", "came"), ("fill-reference", "box", "went")))
    drawn = [legend]
    for k, (word, change) in enumerate((*came, *reversed(went))):
        drawn.append(_word(word, change, most, top + 8 + _ROW * k))
    bottom = top + 8 + _ROW * max(len(came) + len(went), 1)
    if not came and not went:
        drawn.append(marks.text(_MIDDLE, top + 8 + _ROW / 2, "no word moved", "muted middle"))
    else:
        drawn.append(marks.segment(_MIDDLE, top + 4, _MIDDLE, bottom, "line-axis thin"))
    told = [
        f"{kind}: {', '.join(f'{w.word} {percent_change(w.before, w.now)}' for w, _ in group)}"
        for kind, group in (("Came", came), ("Went", went)) if group
    ]  # fmt: skip
    alt = f"{title}. {'. '.join(told) or 'No word moved'}."
    rows = tuple((w.word, w.before, w.now) for w in held)
    svg = marks.element(title, alt, bottom + 10, "".join(drawn))
    return Drawing(name, title, svg, alt, ("word", "share before", "share now"), rows)


def _within(share: float) -> float:
    return min(max(finite(share) or 0.0, 0.0), 1.0)


def _word(word: MovedWord, change: float, most: float, top: float) -> str:
    """The word on one side of the middle, its bar and change on the other."""
    middle = top + _ROW / 2
    side = 1 if change > 0 else -1
    points = f"{'+' if change > 0 else '−'}{abs(100 * change):.1f} points"
    reach = _MIDDLE - round(marks.breadth(points) * marks.EM) - 18
    end = _MIDDLE + side * round(max(abs(change) / most * reach, 2.0), 1)
    here, there = ("", " end") if change > 0 else (" end", "")
    label = marks.cut_to_fit(word.word, _MIDDLE - 20)
    return (
        f"<g>{marks.said(f'{word.word}: {percent_change(word.before, word.now)} of records')}"
        + marks.box(_MIDDLE, middle - 10, end, middle + 10, "fill-current" if change > 0 else "fill-reference")
        + marks.text(_MIDDLE - side * 10, middle, label, there.strip())
        + marks.text(end + side * 8, middle, points, f"muted{here}")
        + "</g>"
    )


def by_harm(slices: Sequence[SliceMetric], *, lower_is_better: bool) -> list[SliceMetric]:
    """The slices, the most harm first: the fall of the metric times the records that it falls for."""

    def harm(part: SliceMetric) -> float:
        before, now = finite(part.before), finite(part.now)
        if before is None or now is None:
            return float("-inf")
        return (now - before if lower_is_better else before - now) * part.records

    return sorted(slices, key=lambda part: (-harm(part), part.words))


def slices_by_harm(
    slices: Sequence[SliceMetric],
    *,
    metric: str,
    lower_is_better: bool = False,
    name: str = "slices",
    sides: tuple[str, str] = ("before", "now"),
) -> Drawing:
    """The metric of each slice before (hollow) and now (full), those that lost most for most records first."""
    ordered = by_harm(slices, lower_is_better=lower_is_better)
    shown = ordered[:_MOST]
    title = f"{capitalised(metric_name(metric))} by slice"
    low, high = extent(v for part in shown for v in (part.before, part.now))
    legend, top = marks.key(
        (
            ("line-reference hollow", "dot", marks.cut_to_fit(sides[0], 640)),
            ("fill-current", "dot", marks.cut_to_fit(sides[1], 640)),
            *([("fill-incident", "dot", "breached")] if any(part.breached for part in shown) else []),
        )
    )
    bottom = top + 8 + _SLICE * max(len(shown), 1)
    frame = Frame(marks.WIDTH, bottom + marks.LINE + 12, 20, marks.WIDTH - 20, top + 8, bottom)
    drawn = [legend, marks.number_axis(frame, low, high)]
    if not shown:
        drawn.append(marks.text(_MIDDLE, top + 8 + _SLICE / 2, "no slice was judged", "muted middle"))
    for k, part in enumerate(shown):
        drawn.append(_slice(part, frame, (low, high), top + 8 + _SLICE * k))
    told = [f"{part.words} {_pair(part)} on {part.records:,} records" for part in shown]
    alt = f"{title}, the most harm first: {'; '.join(told) or 'no slice was judged'}."
    rows = tuple(
        (p.words, finite(p.before), finite(p.now), p.records, "breached" if p.breached else "") for p in ordered
    )
    svg = marks.element(title, alt, frame.height, "".join(drawn))
    return Drawing(name, title, svg, alt, ("slice", *sides, "records", "verdict"), rows)


def _pair(part: SliceMetric) -> str:
    return f"{_short(finite(part.before))} → {_short(finite(part.now))}"


def _short(value: float | None) -> str:
    return figure(value) if value is None or abs(value) < 1e9 else f"{value:.3g}"


def _slice(part: SliceMetric, frame: Frame, scale: tuple[float, float], top: float) -> str:
    def x(value: float) -> float:
        return round(frame.left + (value - scale[0]) / (scale[1] - scale[0]) * (frame.right - frame.left), 1)

    before, now = finite(part.before), finite(part.now)
    line, kind = top + 48, "incident" if part.breached else "current"
    figures = f"{_pair(part)}{' breached' * part.breached}"
    room = marks.WIDTH - round(marks.breadth(figures) * marks.EM) - 24
    words = f"{part.words}: {_pair(part)} on {part.records:,} records{', breached' * part.breached}"
    drawn = [marks.segment(frame.left, line, frame.right, line, "line-grid thin")]
    if before is not None and now is not None:
        drawn.append(marks.segment(x(before), line, x(now), line, f"line-{kind} thick"))
    if before is not None:
        drawn.append(marks.dot(x(before), line, 7, "line-reference hollow"))
    if now is not None:
        drawn.append(marks.dot(x(now), line, 7, f"fill-{kind}"))
    classes = "fill-incident end strong" if part.breached else "muted end"
    return (
        f"<g>{marks.said(words)}{''.join(drawn)}{marks.text(0, top + 18, marks.cut_to_fit(part.words, room))}"
        f"{marks.text(marks.WIDTH, top + 18, figures, classes)}</g>"
    )
