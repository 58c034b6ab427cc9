"""The few lines of SVG that drawings are made of: texts that fit, marks that speak when pointed at, the element."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from trueup.reports.pictures.axes import Axes, Frame, Tick, calendar, nice, tick_words
from trueup.storage.escaping import for_header, for_html

WIDTH = 720  # of every drawing, in SVG units
EM = 25  # the largest size a text is shown in: on a phone; room is kept for it
LINE = 32  # from one line of text to the next
_TITLE = 240  # signs of what a mark says when pointed at
_ACCENTS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_STACKED = re.compile(f"([{_ACCENTS}]{{2}})[{_ACCENTS}]+")
_LIGATURES = ("\ufdfd", "\ua9c5", "\U0001242b", "\u2e3b", "\U00012031")  # signs many times as wide as others


def one_line(words: str) -> str:
    """Words of outsiders on one line: nothing invisible, no towers of accents; a name for what is left empty."""
    line = for_header(words[:4_000])
    line = "".join(sign for sign in line if unicodedata.category(sign) not in ("Cf", "Co", "Cn") or sign == "\u200d")
    line = _STACKED.sub(r"\1", unicodedata.normalize("NFC", line)).strip("\u200d ")
    return line or "(empty)"


def breadth(words: str) -> float:
    """About how wide the words are at most, in ems."""
    return sum(map(_em, words))


def _em(sign: str) -> float:
    if sign in _LIGATURES:
        return 12.0
    if unicodedata.east_asian_width(sign) in "WF" or ord(sign) > 0xFFFF:
        return 1.3
    if unicodedata.combining(sign):
        return 0.0
    if ord(sign) >= 0x0250:
        return 1.0
    return 0.95 if sign in "mwMW@%—" else 0.74 if sign.isupper() else 0.33 if sign in "iljtf.,:;|!' " else 0.6


def cut_to_fit(words: str, room: float) -> str:
    """The words, cut with an ellipsis where they would take more than `room` units at their largest size."""
    line, most = one_line(words), room / EM
    if breadth(line) <= most:
        return line
    taken, kept = 0.9, 0
    for sign in line:
        taken += _em(sign)
        if taken > most:
            break
        kept += 1
    return line[:kept].rstrip("\u200d ") + "…"


def cut_within(words: str, room: float) -> str:
    """The words, cut in their middle where they would take more than `room`, so that those that begin alike differ."""
    line, most = one_line(words), room / EM
    if breadth(line) <= most:
        return line
    first, last, taken = 0, len(line), 0.9
    while True:
        end_is_next = len(line) - last <= first
        taken += _em(line[last - 1] if end_is_next else line[first])
        if taken > most:
            break
        first, last = (first, last - 1) if end_is_next else (first + 1, last)
    return line[:first].rstrip("\u200d ") + "…" + line[last:].lstrip("\u200d ")


def text(x: float, y: float, words: str, classes: str = "") -> str:
    """One line of text whose middle stands at `y`."""
    named = f' class="{classes}"' if classes else ""
    return f'<text x="{x:g}" y="{y:g}"{named} unicode-bidi="isolate">{for_html(words)}</text>'


def said(words: str) -> str:
    """What is shown when the mark is pointed at."""
    line = one_line(words)
    return f"<title>{for_html(line if len(line) <= _TITLE else line[:_TITLE] + '…')}</title>"


def segment(x1: float, y1: float, x2: float, y2: float, classes: str) -> str:
    """A straight line."""
    return f'<path d="M{x1:g} {y1:g}L{x2:g} {y2:g}" class="{classes}"/>'


def box(x1: float, y1: float, x2: float, y2: float, classes: str, words: str = "") -> str:
    """A rectangle between two corners, at least one unit wide and high."""
    left, top = min(x1, x2), min(y1, y2)
    wide, high = max(abs(x2 - x1), 1.0), max(abs(y2 - y1), 1.0)
    place = f'x="{left:g}" y="{top:g}" width="{round(wide, 1):g}" height="{round(high, 1):g}" class="{classes}"'
    return f"<rect {place}>{said(words)}</rect>" if words else f"<rect {place}/>"


def dot(x: float, y: float, r: float, classes: str, words: str = "") -> str:
    """A circle."""
    place = f'cx="{x:g}" cy="{y:g}" r="{r:g}" class="{classes}"'
    return f"<circle {place}>{said(words)}</circle>" if words else f"<circle {place}/>"


def path(places: Iterable[tuple[float, float]], classes: str) -> str:
    """A line through places."""
    return f'<path d="{_steps(places)}" class="{classes}"/>'


def area(upper: Sequence[tuple[float, float]], lower: Sequence[tuple[float, float]], classes: str) -> str:
    """What lies between two lines over the same x."""
    return f'<path d="{_steps([*upper, *reversed(lower)])}Z" class="{classes}"/>'


def _steps(places: Iterable[tuple[float, float]]) -> str:
    return "".join(f"{'L' if k else 'M'}{x:g} {y:g}" for k, (x, y) in enumerate(places))


def key(items: Sequence[tuple[str, str, str]], left: float = 0.0) -> tuple[str, int]:
    """The legend: items of classes, form (`line`, `dot`, `box`) and words, in as many rows as they take; its height."""
    x, y, drawn = left, 0, []
    for classes, form, words in items:
        wide = 40 + breadth(words) * EM + 16
        if x > left and x + wide > WIDTH:
            x, y = left, y + LINE
        middle = y + LINE // 2
        drawn.append(_sample(x, middle, classes, form) + text(x + 40, middle, words))
        x += wide
    return "".join(drawn), y + LINE if items else 0


def _sample(x: float, y: float, classes: str, form: str) -> str:
    if form == "line":
        return segment(x, y, x + 32, y, classes)
    if form == "dot":
        return dot(x + 16, y, 6, classes)
    return box(x + 4, y - 8, x + 28, y + 8, classes)


def value_axis(axes: Axes, words: Callable[[float], str] = tick_words) -> str:
    """Round values at the left of the plot, with a faint line each."""
    f, drawn = axes.frame, []
    for value in nice(axes.low, axes.high, most=5):
        at = axes.y(value)
        drawn.append(segment(f.left, at, f.right, at, "line-grid thin"))
        drawn.append(text(f.left - 8, at, words(value), "muted end"))
    return "".join(drawn)


def left_of(low: float, high: float, words: Callable[[float], str] = tick_words) -> int:
    """The room that the values of an axis take at its left, in SVG units."""
    return round(max(breadth(words(value)) for value in nice(low, high, most=5)) * EM) + 14


def time_axis(axes: Axes) -> str:
    """Full hours, days or months below the plot, as many as stand apart."""
    return _below(axes.frame, [Tick(axes.x(moment), words) for moment, words in calendar(axes.start, axes.end)])


def number_axis(frame: Frame, low: float, high: float) -> str:
    """Round numbers below a plot that reaches from `low` to `high`."""
    wide = frame.right - frame.left
    return _below(
        frame, [Tick(round(frame.left + (v - low) / (high - low) * wide, 1), tick_words(v)) for v in nice(low, high)]
    )


def _below(frame: Frame, ticks: Sequence[Tick]) -> str:
    drawn = [segment(frame.left, frame.bottom, frame.right, frame.bottom, "line-axis thin")]
    taken = -1.0
    for tick in ticks:
        half = breadth(tick.words) * EM / 2
        middle = min(max(tick.at, half), WIDTH - half)
        if middle - half < taken:
            continue
        taken = middle + half + 14
        drawn.append(segment(tick.at, frame.bottom, tick.at, frame.bottom + 6, "line-axis thin"))
        drawn.append(text(middle, frame.bottom + 10 + LINE // 2, tick.words, "muted middle"))
    return "".join(drawn)


def element(title: str, alt: str, height: int, body: str, *, role: str = "img") -> str:
    """The whole `<svg>`; a drawing that holds links is a group, since an image holds nothing that can be reached."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="{role}">'
        f"<title>{for_html(one_line(title))}</title><desc>{for_html(one_line(alt))}</desc>{body}</svg>"
    )


def linked(href: str, words: str, drawn: str) -> str:
    """The mark as a link to a page of ours; as it is where there is none."""
    return f'<a href="{for_html(href)}" aria-label="{for_html(one_line(words))}">{drawn}</a>' if href else drawn
