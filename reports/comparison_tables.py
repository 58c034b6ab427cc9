"""A comparison in the terminal: the news, then its tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trueup.reports.comparison_facts import ComparisonFacts, shown_cell
from trueup.reports.tables import SENTENCE, Column, table

if TYPE_CHECKING:
    from rich.console import RenderableType


def comparison_shown(facts: ComparisonFacts) -> Iterator[RenderableType]:
    """What the terminal shows of a comparison."""
    from rich.text import Text

    yield Text(facts.title)
    for said in (facts.verdict, *facts.details):
        yield Text(said)
    for one in facts.tables:
        widest = [max((len(shown_cell(row[k])) for row in one.rows), default=0) for k in range(len(one.columns))]
        columns = [Column(name, least=SENTENCE) if wide > SENTENCE else Column(name) for name, wide in
                   zip(one.columns, widest, strict=True)]  # fmt: skip
        yield table(one.caption, columns, [tuple(map(shown_cell, row)) for row in one.rows])
    yield from (Text(f"note: {note}") for note in facts.notes)
