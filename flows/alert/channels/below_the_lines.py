"""What stands below a letter's four lines, as lines of text that each channel escapes for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trueup.reports.alerts.letter import Letter


def lines_below(letter: Letter) -> Iterator[str]:
    """Causes with their examples, rows of sections below their titles, and the foot; a line each."""
    for cause in letter.causes:
        yield f"• {cause.said}"
        yield from (f"◦ {example if example.startswith('“') else f'“{example}”'}" for example in cause.examples)
    for part in letter.sections:
        yield f"{part.title}: {cells_beside(part.columns)}" if any(part.columns) else part.title
        yield from (f"• {cells_beside(row)}" for row in part.rows)
    yield from (f"{name}: {value}" for name, value in letter.foot)


def cells_beside(row: Iterable[str]) -> str:
    """The cells of a row that hold something, beside each other."""
    return " · ".join(filter(None, row))


def web_address(link: str) -> str:
    """A letter's link where it can be followed from elsewhere, with no sign that could end it early; else nothing."""
    if not link.startswith(("https://", "http://")):
        return ""
    return "".join(sign if sign.isprintable() and sign not in ' <>|"\\^`{}' else f"%{ord(sign):02X}" for sign in link)
