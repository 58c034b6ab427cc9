"""Comparisons of models and of periods as the rows of a page's table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trueup.reports.pages.page_table import PageCell, PageColumn, PageTable, time_cell


@dataclass(frozen=True)
class ComparisonLink:
    """A comparison in a line. words: what is compared. made_at: when."""

    words: str
    href: str
    as_of: datetime
    made_at: datetime


def comparisons_table(links: Sequence[ComparisonLink]) -> PageTable:
    """One row a comparison, in the order given."""
    columns = (PageColumn("Compared", wide=True), PageColumn("As of", time=True), PageColumn("Made", time=True))
    rows = tuple((PageCell(one.words, one.href), time_cell(one.as_of), time_cell(one.made_at)) for one in links)
    return PageTable("Comparisons, newest first", columns, rows)
