"""Checks as the rows of a page's table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trueup.reports.pages.page_table import PageCell, PageColumn, PageTable, time_cell
from trueup.reports.pages.standing import Tone
from trueup.storage.formatting import aligned_figure, capitalised, metric_name


@dataclass(frozen=True, kw_only=True)
class CheckLine:
    """A check in a line. href: of its page; empty: the page was removed. metric: None where it was not judged."""

    as_of: datetime
    href: str
    version: int
    counted: bool
    breached: tuple[str, ...]
    judged: bool
    metric: float | None


def checks_table(lines: Sequence[CheckLine], *, caption: str, metric: str, predicts: bool) -> PageTable:
    """One row a check, in the order given."""
    columns = [PageColumn("Check", time=True), PageColumn("Verdict"), PageColumn("Breached")]
    if predicts:
        columns += [PageColumn(capitalised(metric_name(metric)), number=True), PageColumn("Model")]
    return PageTable(caption, (*columns, PageColumn("Kind")), tuple(_row(line, predicts) for line in lines))


def _row(line: CheckLine, predicts: bool) -> tuple[PageCell, ...]:
    verdict = PageCell("ok", tone=Tone.FINE) if line.judged else PageCell("not judged", tone=Tone.STILL)
    if line.breached:
        verdict = PageCell("breached", tone=Tone.BAD)
    cells = [time_cell(line.as_of, href=line.href), verdict, PageCell(", ".join(line.breached))]
    if predicts:
        cells += [PageCell(aligned_figure(line.metric)), PageCell(f"v{line.version}")]
    return (*cells, PageCell("counted" if line.counted else "provisional"))
