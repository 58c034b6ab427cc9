"""Pages of the site read as a browser would: their elements, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

_VOID = {"meta", "br", "img", "input", "link", "hr"}
_DRAWN = {"path", "circle", "rect", "line"}


@dataclass
class ReadPage(HTMLParser):
    """The elements of a page in their order, each with its attributes; faults: what is not closed as it was opened."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        """The attributes of these elements."""
        return [attributes for tag, attributes in self.elements if tag in tags]


def read_page(page: bytes) -> ReadPage:
    """The page, read."""
    found = ReadPage()
    found.feed(page.decode())
    found.close()
    return found


def faults_of(page: bytes) -> list[str]:
    """What is wrong with a page for who cannot see it, has no script, or was written to by strangers."""
    found = read_page(page)
    return [*found.faults, *(f"{tag} is left open" for tag in found.open), *_faults(found)]


def _faults(found: ReadPage) -> Iterator[str]:
    if [a.get("lang") for a in found.of("html")] != ["en"]:
        yield "no language"
    if len(found.of("main")) != 1 or len(found.of("h1")) != 1:
        yield "not one main part with one heading"
    levels = [int(tag[1]) for tag, _ in found.elements if tag in ("h1", "h2", "h3", "h4")]
    if any(after > before + 1 for before, after in pairwise(levels)):
        yield f"headings leave out a level: {levels}"
    tables, captions = found.of("table"), found.of("caption")
    if len(tables) != len(captions):
        yield f"{len(tables)} tables have {len(captions)} captions"
    if any("scope" not in head for head in found.of("th")):
        yield "a head of a table without scope"
    for tag, attributes in found.elements:
        if tag not in _DRAWN and any(name.startswith("on") for name in attributes):
            yield f"{tag} has a handler"
        address = attributes.get("href") or attributes.get("src") or ""
        if address and (":" in address.split("/")[0] or address.startswith("//")):
            yield f"{tag} leads away: {address}"
    if any(a.get("http-equiv") == "Content-Security-Policy" for a in found.of("meta")) is False:
        yield "no content policy"
    for region in found.of("div"):
        if region.get("role") == "region" and not (region.get("aria-label") and region.get("tabindex") == "0"):
            yield "a region without a name, or that no key reaches"
