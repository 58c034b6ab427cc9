"""The page on which somebody tries a record: a form, the champion's answer, and what drove it. It needs no script."""

from __future__ import annotations

from dataclasses import dataclass

from trueup.reports.pages.frame import PageFrame, page_template, whole_page
from trueup.reports.pictures.drawing import Drawing


@dataclass(frozen=True)
class TryField:
    """A column of the form. kind: text, number or level. levels: those that are offered, of a level."""

    column: str
    kind: str
    value: str = ""
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class TriedAnswer:
    """What the champion answered, in words.

    sure: how probable, as "91 %"; empty for a number. chances: of the likeliest classes, in words and as a share of 1.
    others: how many classes are not among them. strongest: a sentence about the strongest driver. method: how drivers
    were found. reading: how their picture is read. notes: what else there is to know, a sentence each.
    """

    predicted: str
    sure: str
    chances: tuple[tuple[str, str, float], ...]
    others: int
    strongest: str
    drivers: Drawing | None
    method: str
    reading: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TryFacts:
    """What the page shows.

    named: what it is called. champion: which version answers, a sentence; empty where none can. version: as "v3".
    fields: of the form; empty where no version can be asked. problem: why there is no answer.
    """

    stream: str
    named: str
    champion: str = ""
    version: str = ""
    fields: tuple[TryField, ...] = ()
    problem: str = ""
    answer: TriedAnswer | None = None


def try_page(facts: TryFacts) -> bytes:
    """The page; its form is sent to the page's own address."""
    from markupsafe import Markup

    frame = PageFrame(title=facts.named, crumbs=((facts.stream, "index.html"),), root="../index.html")
    return whole_page(frame, Markup(page_template("try.html").render(facts=facts)))
