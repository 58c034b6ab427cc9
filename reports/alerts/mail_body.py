"""A letter as a mail: the same words as plain text and as HTML, with its picture by CID.

The HTML is tables and inline styles, since mail clients drop the rest; dark by `prefers-color-scheme`, and plain black
on white where a client takes `<style>` away. All that a letter says is escaped here.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from trueup.reports.alerts.letter import Letter
from trueup.storage.escaping import for_header, for_page

if TYPE_CHECKING:
    import jinja2

PICTURE_CID = "picture"  # the name by which the HTML asks for the picture: `Content-ID: <picture>`
CAPTIONS = ("What is wrong", "Who is affected", "What trueup did", "What you need to do")
HTML_BYTES = 60_000  # beyond which rows of the sections are left out: Gmail cuts a mail at 102 kB
_WIDTH = 78  # columns of the plain text
_COLOURS = {"HIGH": "#b91c1c", "LOW": "#b45309", "CLOSED": "#15803d"}


@dataclass(frozen=True)
class RenderedMail:
    """A mail without its envelope. png: to be attached as PICTURE_CID; None: the HTML shows no picture."""

    subject: str
    text: str
    html: str
    png: bytes | None = None


def rendered(letter: Letter) -> RenderedMail:
    """The letter as a mail; below HTML_BYTES, its sections cut from the end."""
    html = _html(letter, letter.sections)
    sections = list(letter.sections)
    while len(html.encode()) > HTML_BYTES and sections:
        sections.pop()
        html = _html(letter, tuple(sections))
    return RenderedMail(
        subject=for_header(letter.subject),
        text=_text(letter),
        html=html,
        png=letter.picture.png if letter.picture else None,
    )


def _html(letter: Letter, sections: tuple[object, ...]) -> str:
    return (
        _templates()
        .get_template("letter.html")
        .render(
            letter=letter,
            sections=sections,
            lines=tuple(zip(letter.lines, CAPTIONS, strict=True)),
            colour=_COLOURS.get(letter.tag, "#475569"),
            cid=PICTURE_CID,
        )
    )


def _text(letter: Letter) -> str:
    parts = [f"{caption.upper()}\n{_wrapped(line)}" for line, caption in zip(letter.lines, CAPTIONS, strict=True)]
    if letter.action:
        parts.append(f"    {for_header(letter.action.command)}\n{_wrapped(f'({letter.action.changes})', '    ')}")
    if letter.link:
        parts.append(for_header(letter.link))
    if letter.picture:
        parts.append(_wrapped(letter.picture.alt))
    for cause in letter.causes:
        shown = [_wrapped(f"“{example}”", "    ") for example in cause.examples]
        parts.append("\n".join([_wrapped(f"* {cause.said}"), *(["  For example:"] if shown else []), *shown]))
    for section in letter.sections:
        rows = [_wrapped(" | ".join(cell for cell in row if cell), "  ") for row in section.rows]
        parts.append("\n".join([f"-- {for_header(section.title)}", *rows]))
    foot = [_wrapped(f"{name}: {value}") for name, value in letter.foot]
    return "\n\n".join([*parts, "\n".join(["-- ", *foot]) if foot else ""]).rstrip() + "\n"


def _wrapped(text: str, indent: str = "") -> str:
    """Lines that need no breaking by a client; a command or word that is longer stays whole."""
    return textwrap.fill(
        for_header(text), _WIDTH, initial_indent=indent, subsequent_indent=indent or "  " * text.startswith("* "),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


@cache
def _templates() -> jinja2.Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=PackageLoader("trueup.reports"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        finalize=for_page,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
