"""The page of a comparison: the news, its tables and pictures, then Evidently's plots."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.reports.comparison_facts import Cell, ComparisonFacts, FigureTable, shown_cell
from trueup.reports.pages.check_page import EvidentlyPlots, packed_plots, plots_hashes
from trueup.reports.pages.frame import PageFrame, page_template, whole_page
from trueup.reports.pages.page_table import PageCell, PageColumn, PageTable
from trueup.reports.pictures.drawing import Drawing


def comparison_page(
    facts: ComparisonFacts,
    frame: PageFrame,
    plots: EvidentlyPlots,
    drawings: Sequence[Drawing] | None = None,
    *,
    csv_stem: str = "",
) -> bytes:
    """The page, UTF-8, the same bytes each time.

    drawings: those of the facts, where they are made already. csv_stem: what the names of the CSV files beside the page
    begin with; empty: there are none.
    """
    from markupsafe import Markup

    tables = [_table(table) for table in facts.tables]
    body = page_template("comparison.html").render(
        facts=facts,
        first=tables[:1],
        others=tables[1:],
        drawings=facts.drawings() if drawings is None else drawings,
        csv_stem=csv_stem,
        plots=plots,
        packed=packed_plots(plots.inside),
    )
    scripts = (page_template("plots.js").render(),) if plots.href or plots.inside else ()
    return whole_page(frame, Markup(body), scripts=scripts, allowed=plots_hashes(plots.inside))


def _table(table: FigureTable) -> PageTable:
    numbers = [
        bool(table.rows) and all(row[k] is None or isinstance(row[k], int | float) for row in table.rows)
        for k in range(len(table.columns))
    ]
    return PageTable(
        caption=table.caption,
        columns=tuple(PageColumn(name, number) for name, number in zip(table.columns, numbers, strict=True)),
        rows=tuple(tuple(map(_cell, row)) for row in table.rows),
    )


def _cell(cell: Cell) -> PageCell:
    return PageCell(shown_cell(cell), sort=cell, tone={"passed": "fine", "failed": "bad"}.get(str(cell), ""))
