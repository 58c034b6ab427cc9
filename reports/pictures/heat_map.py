"""Signals over time as a heat map: a row a code, a column a check, each column a link to its check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from trueup.monitoring.check import Verdict
from trueup.reports.pictures import marks
from trueup.reports.pictures.axes import NO_TIME, Axes, Frame
from trueup.reports.pictures.drawing import Drawing
from trueup.storage.timepoints import to_minute

_MOST = 62  # columns; more checks share one, which shows the worst of them
_WORST_FIRST = (Verdict.BREACHED, Verdict.INSUFFICIENT, Verdict.OK)
_LABEL = 300  # for a code, in SVG units
_WIDEST = 34  # of a cell, in SVG units


@dataclass(frozen=True, kw_only=True)
class CheckColumn:
    """One check of the heat map: its verdict by code, and the page that it links to."""

    at: datetime
    verdicts: Mapping[str, Verdict]
    href: str = ""


def signal_heat_map(
    codes: Sequence[str],
    checks: Sequence[CheckColumn],
    *,
    name: str = "signals",
    span: tuple[datetime, datetime] | None = None,
) -> Drawing:
    """The verdict of each code in each check; codes stand in the order given, checks where their time is.

    Breached is a full square, not judged a hollow one, ok a small one; no square: the check had no such signal.
    """
    start, end = span or _whole(checks)
    shown = sorted((c for c in checks if start <= c.at <= end), key=lambda c: c.at)
    labels = [marks.cut_within(code, _LABEL) for code in codes]
    left = round(max((marks.breadth(label) for label in labels), default=1.0) * marks.EM) + 16
    legend, top = marks.key(
        [
            ("fill-incident", "box", "breached"),
            ("line-quiet hollow", "box", "not judged"),
            ("fill-good", "box", "ok"),
        ]
    )
    bottom = top + 8 + marks.LINE * max(len(codes), 1)
    frame = Frame(marks.WIDTH, bottom + marks.LINE + 10, left, marks.WIDTH - 14, top + 8, bottom)
    columns = _columns(shown, start, end)
    slots = max(round((end - start) / _step(shown, start, end)) + 1, 1)
    wide = min((frame.right - frame.left) / slots, _WIDEST)
    inner = Frame(frame.width, frame.height, round(left + wide / 2), round(frame.right - wide / 2), frame.top, bottom)
    axes = Axes(inner, start, end, 0.0, 1.0)
    body = (
        legend
        + "".join(
            marks.text(left - 10, top + 8 + marks.LINE * k + marks.LINE / 2, label, "end")
            for k, label in enumerate(labels)
        )
        + marks.time_axis(axes)
        + "".join(_column(axes, codes, group, wide) for group in columns)
    )
    alt = _alt(codes, shown)
    title = "Signals by check"
    svg = marks.element(title, alt, frame.height, body, role="group" if any(c.href for c in shown) else "img")
    rows = tuple((c.at, *(v.in_words if (v := c.verdicts.get(code)) else "" for code in codes)) for c in shown)
    return Drawing(name, title, svg, alt, ("time", *codes), rows)


def _whole(checks: Sequence[CheckColumn]) -> tuple[datetime, datetime]:
    moments = [c.at for c in checks] or NO_TIME
    return min(moments), max(moments)


def _step(checks: Sequence[CheckColumn], start: datetime, end: datetime) -> timedelta:
    """The distance of columns: that of the checks, or as much more as the columns that fit ask for."""
    distances = [(b.at - a.at).total_seconds() for a, b in pairwise(checks) if b.at > a.at]
    usual = timedelta(seconds=median(distances)) if distances else timedelta(days=1)
    return max(usual, (end - start) / (_MOST - 1), timedelta(minutes=1))


def _columns(checks: Sequence[CheckColumn], start: datetime, end: datetime) -> list[list[CheckColumn]]:
    step = _step(checks, start, end)
    places: dict[int, list[CheckColumn]] = {}
    for check in checks:
        places.setdefault(round((check.at - start) / step), []).append(check)
    return list(places.values())


def _column(axes: Axes, codes: Sequence[str], group: Sequence[CheckColumn], wide: float) -> str:
    """The cells of one check, or the worst of several; it leads to the one that breached most."""
    worst = {code: _worst(code, group) for code in codes}
    leads = max(group, key=lambda c: (sum(v is Verdict.BREACHED for v in c.verdicts.values()), c.at))
    breached = [code for code in codes if worst[code] is Verdict.BREACHED]
    when = to_minute(group[0].at)
    when = when if len(group) == 1 else f"{len(group)} checks, {when} to {to_minute(group[-1].at)}"
    words = f"{when}: {'breached ' + ', '.join(breached) if breached else 'nothing breached'}"
    x, top = axes.x(leads.at), axes.frame.top
    cells: dict[Verdict, list[str]] = {}
    for k, code in enumerate(codes):
        verdict = worst[code]
        if verdict is not None:
            half = min(wide, marks.LINE) / 2 - 1 if verdict is not Verdict.OK else min(wide, marks.LINE) / 5
            half = round(max(half, 1.5), 1)
            middle = top + marks.LINE * k + marks.LINE / 2
            cells.setdefault(verdict, []).append(
                f"M{x - half:g} {middle - half:g}h{2 * half:g}v{2 * half:g}h{-2 * half:g}z"
            )
    behind = marks.box(x - wide / 2, top, x + wide / 2, axes.frame.bottom, "unseen")
    drawn = "".join(f'<path d="{"".join(squares)}" class="{_CLASSES[verdict]}"/>' for verdict, squares in cells.items())
    return marks.linked(leads.href, words, f"<g>{marks.said(words)}{behind}{drawn}</g>")


_CLASSES = {Verdict.BREACHED: "fill-incident", Verdict.INSUFFICIENT: "line-quiet thin", Verdict.OK: "fill-good"}


def _worst(code: str, group: Sequence[CheckColumn]) -> Verdict | None:
    found = [c.verdicts[code] for c in group if code in c.verdicts]
    return min(found, key=_WORST_FIRST.index) if found else None


def _alt(codes: Sequence[str], checks: Sequence[CheckColumn]) -> str:
    if not checks:
        return "No check in this time."
    counts = {code: sum(c.verdicts.get(code) is Verdict.BREACHED for c in checks) for code in codes}
    told = [f"{code} in {count}" for code, count in sorted(counts.items(), key=lambda kv: (-kv[1], kv[0])) if count]
    words = f"{len(codes)} signals in {len(checks)} checks, {to_minute(checks[0].at)} to {to_minute(checks[-1].at)}. "
    return words + (f"Breached: {', '.join(told)}." if told else "Nothing breached.")
