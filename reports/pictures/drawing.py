"""A drawing: its SVG, what it shows in words, and its numbers, as a table and as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime

from trueup.storage.escaping import for_spreadsheet
from trueup.storage.timepoints import iso


@dataclass(frozen=True)
class Drawing:
    """One picture of a page.

    name: ASCII slug, unique on its page; the CSV beside the page is called by it. title: what it shows, one line.
    svg: one whole `<svg>` element that is coloured by the classes of `picture_css` alone. alt: what it shows, for who
    cannot see it. columns, rows: its numbers, as they are read in a table.
    """

    name: str
    title: str
    svg: str
    alt: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    def csv(self) -> bytes:
        """The numbers as UTF-8 CSV; a text that a spreadsheet would take for a formula begins with an apostrophe."""
        held = io.StringIO()
        writer = csv.writer(held, lineterminator="\n")
        writer.writerow([_cell(column) for column in self.columns])
        writer.writerows([_cell(value) for value in row] for row in self.rows)
        return held.getvalue().encode("utf-8", "replace")


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    return "" if value is None else for_spreadsheet(value)
