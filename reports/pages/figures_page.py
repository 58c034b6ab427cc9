"""The page of an old check: its verdict and signals in words and figures, made in milliseconds: there are thousands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trueup.reports.pages.frame import PageFrame, page_part, whole_page
from trueup.storage.formatting import figure, p_value_figure
from trueup.storage.timepoints import to_minute

_ORDER = {"breached": 0, "ok": 1, "insufficient": 2}
_TONES = {"breached": "bad", "ok": "fine"}
_WORDS = {"insufficient": "not judged"}


@dataclass(frozen=True, kw_only=True)
class SignalLine:
    """A signal in a line; said: already masked where it has to be."""

    code: str
    verdict: str
    said: str
    value: float | None
    p_value: float | None
    threshold: float | None


@dataclass(frozen=True, kw_only=True)
class FiguresFacts:
    """All that the page shows. command: what shows the check with its pictures and plots."""

    frame: PageFrame
    stream: str
    report_id: str
    as_of: datetime
    champion: int
    counted: bool
    signals: tuple[SignalLine, ...]
    command: str


def figures_page(facts: FiguresFacts) -> bytes:
    """The page, UTF-8; the same bytes for the same facts."""
    lines = sorted(facts.signals, key=lambda s: (_ORDER.get(s.verdict, 3), s.code))
    breached = sum(s.verdict == "breached" for s in lines)
    judged = sum(s.verdict != "insufficient" for s in lines)
    body = page_part(
        "figures.html",
        facts=facts,
        tone="bad" if breached else "fine" if judged else "still",
        headline=_headline(breached, judged),
        moment=to_minute(facts.as_of),
        rows=_rows(lines),
    )
    return whole_page(facts.frame, body)


def _headline(breached: int, judged: int) -> str:
    if breached:
        return f"{breached} of {judged} judged signals breached."
    return f"Nothing breached: {judged} signals are ok." if judged else "Not judged: too little data."


def _rows(lines: Sequence[SignalLine]) -> list[tuple[str, str, str, str, str, str, str]]:
    return [
        (s.code, _TONES.get(s.verdict, "still"), _WORDS.get(s.verdict, s.verdict), s.said, figure(s.value),
         p_value_figure(s.p_value), figure(s.threshold))
        for s in lines
    ]  # fmt: skip
