"""Tables for a terminal of any width: columns wrap, or give way in a stated order, and none is left without room."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trueup.storage.escaping import for_terminal
from trueup.storage.secrets import without_secrets

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

MOMENT = 10  # cells in which a time breaks between its day and its hour
SENTENCE = 24  # cells in which a sentence can still be read
GAP = 2  # cells between two columns


@dataclass(frozen=True)
class Column:
    """One column of a table.

    rank: the order in which columns give way where the width does not suffice, the highest first; those of 0 only
        where one cell of each has no room.
    least: the cells that its words may be broken to; None: its cells stay on one line.
    right: its cells end at the right, as figures do.
    cut: a cell is cut at the column's width instead, so that each row is one line.
    """

    heading: str
    rank: int = 0
    least: int | None = None
    right: bool = False
    cut: bool = False


def laid_out(columns: Sequence[Column], natural: Sequence[int], width: int) -> dict[int, int]:
    """The places of the columns that are kept, and the cells that each gets: at least 1, with gaps at most `width`.

    natural: the widest cell of each column. Where those of rank 0 are too wide together, the widest of them is made
    narrower.
    """
    kept = list(range(len(columns)))
    least = [most if c.least is None else min(most, c.least) for c, most in zip(columns, natural, strict=True)]
    while len(kept) > 1:
        last = max(kept, key=lambda k: (columns[k].rank, k))
        if _whole([least[k] if columns[last].rank else 1 for k in kept]) <= width:
            break
        kept.remove(last)
    given = {k: max(least[k], 1) for k in kept}
    while _whole(given.values()) > max(width, _whole([1] * len(kept))):
        given[max(given, key=lambda k: (given[k], k))] -= 1
    spare = width - _whole(given.values())
    while spare and (wanting := [k for k in kept if given[k] < natural[k]]):
        given[min(wanting, key=lambda k: (given[k], k))] += 1
        spare -= 1
    return given


def _whole(widths: Collection[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


@dataclass(frozen=True)
class TerminalTable:
    """A table that is laid out when it is drawn. Cells are text, never markup; a column without content is left out."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    def layout(self, width: int) -> dict[int, int]:
        """The places of the columns that are shown at a width, and the cells that each gets."""
        from rich.cells import cell_len

        filled = self._filled()
        natural = [
            max(cell_len(line) for cell in (self.columns[k].heading, *(row[k] for row in self.rows))
                for line in str(cell).split("\n"))
            for k in filled
        ]  # fmt: skip
        given = laid_out([_with_heading(self.columns[k]) for k in filled], natural, width)
        return {filled[k]: cells for k, cells in given.items()}

    def _filled(self) -> list[int]:
        return [k for k in range(len(self.columns)) if any(row[k].plain for row in self.rows)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        columns, given = self.columns, self.layout(options.max_width)
        if self.title:
            yield Text(self.title, style="bold")
        drawn = Table(
            box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim",
            show_header=any(column.heading for column in columns),
        )  # fmt: skip
        for k, cells in given.items():
            drawn.add_column(
                Text(columns[k].heading), width=cells, justify="right" if columns[k].right else "left",
                overflow="ellipsis" if columns[k].cut else "fold", no_wrap=columns[k].cut,
            )  # fmt: skip
        for row in self.rows:
            drawn.add_row(*(row[k] for k in given))
        yield drawn
        gone = [columns[k].heading for k in self._filled() if k not in given]
        if gone:
            yield Text(f"A wider terminal also shows: {', '.join(gone)}.", style="dim")


def _with_heading(column: Column) -> Column:
    """A column no narrower than the longest word of its heading."""
    if column.least is None:
        return column
    return replace(column, least=max(column.least, *(len(word) for word in column.heading.split() or [""])))


def table(title: str, columns: Sequence[Column | str], rows: Sequence[Sequence[Any]]) -> RenderableType:
    """A table under its title; a sentence where it would be empty. Cells are rich's Text, or are written out."""
    from rich.text import Text

    if not rows:
        return Text(f"{title}: none.")
    every = tuple(Column(one) if isinstance(one, str) else one for one in columns)
    return TerminalTable(title, every, tuple(tuple(_cell(cell) for cell in row) for row in rows))


def facts(title: str, pairs: Mapping[str, Any]) -> RenderableType:
    """Names and values below each other."""
    return table(title, (Column(""), Column("", least=SENTENCE)), list(pairs.items()))


def _cell(value: Any) -> Any:
    from rich.text import Text

    if isinstance(value, Text):
        return value
    return Text("" if value is None else for_terminal(without_secrets(str(value))))
