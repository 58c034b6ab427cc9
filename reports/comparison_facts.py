"""What a comparison found, as it is stored and shown: a verdict in words, tables, pictures, notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from trueup.reports.masking import Mask
from trueup.reports.pictures.curves import UnitCurve, unit_curves
from trueup.reports.pictures.distributions import LevelShares, distribution_pair, levels_pair
from trueup.reports.pictures.drawing import Drawing
from trueup.reports.pictures.palette import picture_css
from trueup.reports.pictures.what_moved import SliceMetric, slices_by_harm
from trueup.storage.escaping import for_html
from trueup.storage.formatting import figure
from trueup.storage.tabular import Tabular

Cell = str | int | float | None
_QUOTED = 400  # characters of a cell or of the words of a picture


@dataclass(frozen=True, kw_only=True)
class FigureTable:
    """A table of a comparison: its caption, its columns, and rows of as many cells."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, kw_only=True)
class PictureFacts:
    """The numbers of a picture. form: which one; values: its arguments, as JSON holds them."""

    form: Literal["levels", "distribution", "slices", "curves"]
    name: str
    title: str
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ComparisonFacts(Tabular):
    """A comparison. sides: what is compared, the earlier or the champion first. tone: fine, warn, bad or still.

    verdict: the news, in a sentence; details: how sure, and on what. As a table, its first table.
    """

    title: str
    sides: tuple[str, ...]
    verdict: str
    tone: str
    details: tuple[str, ...]
    tables: tuple[FigureTable, ...]
    pictures: tuple[PictureFacts, ...] = ()
    notes: tuple[str, ...] = ()

    def caption(self) -> str:
        return f"{self.title}: {self.verdict}"

    def records(self) -> list[dict[str, Any]]:
        first = self.tables[0] if self.tables else FigureTable(caption="", columns=(), rows=())
        return [dict(zip(first.columns, row, strict=True)) for row in first.rows]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> ComparisonFacts:
        """What the store kept.

        Raises:
            KeyError, TypeError, ValueError: it is no comparison.
        """
        tables = tuple(
            FigureTable(caption=t["caption"], columns=tuple(t["columns"]), rows=tuple(map(tuple, t["rows"])))
            for t in value["tables"]
        )
        return ComparisonFacts(
            title=value["title"],
            sides=tuple(value["sides"]),
            verdict=value["verdict"],
            tone=value["tone"],
            details=tuple(value["details"]),
            tables=tables,
            pictures=tuple(PictureFacts(**picture) for picture in value["pictures"]),
            notes=tuple(value["notes"]),
        )

    def shown_through(self, mask: Mask) -> ComparisonFacts:
        """The same, with what outsiders may have written, in tables and in pictures, shown through a mask."""

        def through(value: Any) -> Any:
            if isinstance(value, str):
                return value if value in self.sides else mask(value, _QUOTED)
            if isinstance(value, Mapping):
                return {key: through(inner) for key, inner in value.items()}
            return [through(inner) for inner in value] if isinstance(value, list | tuple) else value

        return replace(
            self,
            tables=tuple(
                replace(one, columns=tuple(through(one.columns)), rows=tuple(tuple(through(row)) for row in one.rows))
                for one in self.tables
            ),
            pictures=tuple(replace(picture, values=through(picture.values)) for picture in self.pictures),
        )

    def drawings(self) -> tuple[Drawing, ...]:
        """The pictures, drawn."""
        return tuple(_drawn(picture, self.sides) for picture in self.pictures)


def shown_cell(cell: Cell) -> str:
    """A cell of a table as people read it."""
    if isinstance(cell, float):
        return figure(cell)
    return "–" if cell is None else f"{cell:,}" if isinstance(cell, int) else cell


def _drawn(picture: PictureFacts, sides: tuple[str, ...]) -> Drawing:
    values, pair = picture.values, (sides[0], sides[-1])
    if picture.form == "levels":
        levels = [LevelShares(**level) for level in values["levels"]]
        return levels_pair(levels, name=picture.name, title=picture.title, sides=pair)
    if picture.form == "distribution":
        return distribution_pair(
            values["edges"], values["before"], values["now"], name=picture.name, title=picture.title, sides=pair
        )
    if picture.form == "slices":
        slices = [SliceMetric(**part) for part in values["slices"]]
        return slices_by_harm(
            slices, metric=values["metric"], lower_is_better=values["lower_is_better"], name=picture.name, sides=pair
        )
    curves = [UnitCurve(words=c["words"], points=tuple(map(tuple, c["points"]))) for c in values["curves"]]
    return unit_curves(
        curves, name=picture.name, title=picture.title, across=values["across"], up=values["up"], dots=values["dots"]
    )


def notebook_view(facts: ComparisonFacts) -> str:
    """A comparison within a notebook: the news, its tables and its pictures, no script."""
    said = "".join(f"<p>{for_html(line)}</p>" for line in (facts.verdict, *facts.details))
    tables = "".join(_html_table(table) for table in facts.tables)
    pictures = "".join(
        f'<figure class="picture"><figcaption>{for_html(drawing.title)}</figcaption>{drawing.svg}</figure>'
        for drawing in facts.drawings()
    )
    return f"<style>{picture_css()}</style><h3>{for_html(facts.title)}</h3>{said}{tables}{pictures}"


def _html_table(table: FigureTable) -> str:
    head = "".join(f"<th>{for_html(column)}</th>" for column in table.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{for_html(shown_cell(cell))}</td>' for cell in row)}</tr>" for row in table.rows
    )
    caption = f"<caption>{for_html(table.caption)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
