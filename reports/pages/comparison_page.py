"""The page of a comparison: the news, its tables and pictures, then Evidently's plots."""

from __future__ import annotations

import re
from collections.abc import Sequence

from trueup.reports.comparison_facts import Cell, ComparisonFacts, FigureTable, shown_cell
from trueup.reports.pages.check_page import EvidentlyPlots, packed_plots, plots_hashes
from trueup.reports.pages.frame import PageFrame, page_template, whole_page
from trueup.reports.pages.page_table import PageCell, PageColumn, PageTable
from trueup.reports.pictures.drawing import Drawing

_PERCENT = re.compile(r"[\d.]+ %")


def comparison_page(
    facts: ComparisonFacts,
    frame: PageFrame,
    plots: EvidentlyPlots | None = None,
    drawings: Sequence[Drawing] | None = None,
    *,
    csv_stem: str = "",
) -> bytes:
    """The page, UTF-8, the same bytes each time.

    plots: None: Evidently draws nothing of such a comparison, and the page does not speak of it. drawings: those of the
    facts, where they are made already. csv_stem: what the names of the CSV files beside the page begin with; empty:
    there are none.
    """
    from markupsafe import Markup

    tables = [_table(table, facts.sides) for table in facts.tables]
    inside = plots.inside if plots else b""
    body = page_template("comparison.html").render(
        facts=facts,
        first=tables[:1],
        others=tables[1:],
        drawings=facts.drawings() if drawings is None else drawings,
        csv_stem=csv_stem,
        plots=plots,
        packed=packed_plots(inside),
    )
    scripts = (page_template("plots.js").render(),) if inside or (plots and plots.href) else ()
    return whole_page(frame, Markup(body), scripts=scripts, allowed=plots_hashes(inside))


def _table(table: FigureTable, sides: Sequence[str]) -> PageTable:
    numbers = [bool(table.rows) and all(_is_number(row[k]) for row in table.rows) for k in range(len(table.columns))]
    names = [_unbroken(name, sides) for name in table.columns]
    return PageTable(
        caption=table.caption,
        columns=tuple(PageColumn(name, number) for name, number in zip(names, numbers, strict=True)),
        rows=tuple(tuple(map(_cell, row)) for row in table.rows),
    )


def _is_number(cell: Cell) -> bool:
    """Whether it is read as a number: a share in hundredths is one."""
    return cell is None or isinstance(cell, int | float) or _PERCENT.fullmatch(cell) is not None


def _unbroken(name: str, sides: Sequence[str]) -> str:
    """The name of a column in which no line ends within a side, such as 2024-05."""
    for side in sides:
        name = name.replace(side, side.replace("-", "\N{NON-BREAKING HYPHEN}"))
    return name


def _cell(cell: Cell) -> PageCell:
    return PageCell(shown_cell(cell), sort=cell, tone={"passed": "fine", "failed": "bad"}.get(str(cell), ""))
