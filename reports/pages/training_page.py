"""The page of a training: how good the version is, why it was trained, the candidates, its pictures, its lineage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trueup.reports.pages.frame import PageFrame, page_part, whole_page
from trueup.reports.pages.page_table import PageCell, PageColumn, PageTable
from trueup.storage.formatting import capitalised, figure, metric_name


@dataclass(frozen=True, kw_only=True)
class CandidateLine:
    """A candidate of a search. value: its metric; None where it has none. blocks: that it was judged on.

    failed: why it could not be fitted.
    """

    title: str
    value: float | None
    blocks: int
    seconds: float
    winner: bool
    failed: str = ""


@dataclass(frozen=True, kw_only=True)
class TrainingFacts:
    """A training as its page shows it.

    lead: what came of it, in a sentence or two. reasons: why it was trained. links: words and address, or a command
    without one. metric: as settings name it. pictures: words and address, of images that are part of the page.
    lineage: what it was made of, by name.
    """

    title: str
    lead: str
    reasons: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    metric: str
    lower_is_better: bool
    candidates: tuple[CandidateLine, ...]
    pictures: tuple[tuple[str, str], ...]
    lineage: Mapping[str, str]


def training_page(facts: TrainingFacts) -> bytes:
    """The page as one file that needs nothing beside it."""
    body = page_part("training.html", facts=facts, candidates=_candidates(facts), lineage=_lineage(facts))
    return whole_page(PageFrame(title=facts.title), body)


def _candidates(facts: TrainingFacts) -> PageTable:
    """The winner first, then by the metric among those that were judged on as many blocks."""
    sign = 1 if facts.lower_is_better else -1
    ordered = sorted(
        facts.candidates,
        key=lambda c: (not c.winner, -c.blocks, c.value is None, 0.0 if c.value is None else sign * c.value),
    )
    rows = tuple(
        (
            PageCell(c.title, more="chosen" if c.winner else c.failed),
            PageCell(figure(c.value), sort=c.value),
            PageCell(str(c.blocks), sort=c.blocks),
            PageCell(figure(c.seconds), sort=c.seconds),
        )
        for c in ordered
    )
    columns = (
        PageColumn("Candidate", wide=True), PageColumn(capitalised(metric_name(facts.metric)), number=True),
        PageColumn("Blocks judged", number=True), PageColumn("Seconds", number=True),
    )  # fmt: skip
    return PageTable(
        "The search drops candidates block by block, so only those judged on as many blocks compare.", columns, rows,
        caption_shown=True,
    )  # fmt: skip


def _lineage(facts: TrainingFacts) -> PageTable:
    rows = tuple((PageCell(name), PageCell(value)) for name, value in facts.lineage.items() if value)
    return PageTable("Where the version comes from", (PageColumn("What"), PageColumn("Value", wide=True)), rows)
