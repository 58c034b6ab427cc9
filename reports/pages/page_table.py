"""A table of a page: columns, and cells that may link, carry a tone, and sort by another value than they show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trueup.storage.timepoints import to_minute


@dataclass(frozen=True)
class PageColumn:
    """A column; numbers stand to the right, sentences have room, and times stay on one line."""

    name: str
    number: bool = False
    wide: bool = False
    time: bool = False

    @property
    def style(self) -> str:
        """Its class."""
        return "number" if self.number else "wide" if self.wide else "time" if self.time else "plain"


@dataclass(frozen=True)
class PageCell:
    """A cell. tone: fine, warn, bad or still, shown as a badge. more: a second, quiet line.

    sort: what it is ordered by, a number or a text; None: its words. svg: a small picture in place of the words, made
    by trueup and never of what outsiders wrote.
    """

    words: str
    href: str = ""
    tone: str = ""
    more: str = ""
    sort: float | str | None = None
    svg: str | None = None


@dataclass(frozen=True)
class PageTable:
    """Rows of as many cells as there are columns. row_heads: the first cell names its row."""

    caption: str
    columns: tuple[PageColumn, ...]
    rows: tuple[tuple[PageCell, ...], ...]
    caption_shown: bool = False
    row_heads: bool = True


def time_cell(moment: datetime | None, missing: str = "–", href: str = "", more: str = "") -> PageCell:
    """A time to the minute; that times are UTC stands at the foot of every page."""
    return PageCell(to_minute(moment, missing).removesuffix(" UTC"), href, more=more)
