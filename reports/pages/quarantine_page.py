"""The page of what was refused at intake: how much for which reason, with examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trueup.reports.pages.frame import PageFrame, page_part, whole_page
from trueup.reports.pages.page_table import PageCell, PageColumn, PageTable, time_cell

_WORDS = {
    "broken_line": "No row can be made of the line.",
    "bad_unicode": "The bytes are no UTF-8.",
    "too_long": "A value is too long to be stored.",
    "no_id": "The id column is empty.",
    "no_text": "Every text column is empty.",
    "no_features": "Every feature is missing.",
    "wrong_type": "A numeric column holds no number.",
    "unreadable_time": "The time is empty, or not in the declared format.",
    "time_too_early": "The time lies before 1970.",
    "time_in_future": "The time lies in the future.",
    "unknown_kind": "The feedback is of a kind that is not known.",
    "no_value": "The feedback says nothing.",
    "no_class": "The label or prediction is no class of the stream.",
    "conflict": "A record of this id is stored with other content.",
    "unknown_record": "The feedback is about a record that has not come.",
}


@dataclass(frozen=True, kw_only=True)
class RefusedItem:
    """One refused item. where: file and line. detail, raw: as they may be shown, on one line."""

    received_at: datetime
    where: str
    detail: str
    raw: str


@dataclass(frozen=True, kw_only=True)
class RefusedGroup:
    """What was refused for one reason: how many wait, how many were released, and the newest that wait."""

    kind: str
    reason: str
    waiting: int
    released: int
    first: datetime
    last: datetime
    newest: tuple[RefusedItem, ...]


@dataclass(frozen=True, kw_only=True)
class QuarantineFacts:
    """Everything on the page. groups: the largest first. masked: whether examples are shown masked."""

    stream: str
    groups: tuple[RefusedGroup, ...]
    stream_href: str
    index: str
    masked: bool = False


def quarantine_page(facts: QuarantineFacts) -> bytes:
    """The page."""
    waiting = [group for group in facts.groups if group.waiting]
    body = page_part(
        "quarantine.html",
        facts=facts,
        waiting=sum(group.waiting for group in facts.groups),
        table=_reasons(facts.groups),
        examples=[(reason_words(group), _newest(group)) for group in waiting],
    )
    return whole_page(PageFrame("Quarantine", ((facts.stream, facts.stream_href),), facts.index), body)


def reason_words(group: RefusedGroup) -> str:
    """A reason as people read it: Unreadable time for `unreadable_time`."""
    return group.reason.replace("_", " ").capitalize()


def _reasons(groups: Sequence[RefusedGroup]) -> PageTable:
    columns = (
        PageColumn("Reason", wide=True), PageColumn("Of"), PageColumn("Refused", number=True),
        PageColumn("Released", number=True), PageColumn("First", time=True), PageColumn("Newest", time=True),
    )  # fmt: skip
    rows = tuple(
        (
            PageCell(reason_words(group), more=_WORDS.get(group.reason, "")), PageCell(group.kind),
            PageCell(f"{group.waiting:,}"), PageCell(f"{group.released:,}"), time_cell(group.first),
            time_cell(group.last),
        )
        for group in groups
    )  # fmt: skip
    return PageTable("What was refused, by reason", columns, rows)


def _newest(group: RefusedGroup) -> PageTable:
    columns = (
        PageColumn("Received", time=True), PageColumn("Where"), PageColumn("Why", wide=True),
        PageColumn("Row", wide=True),
    )  # fmt: skip
    rows = tuple(
        (time_cell(one.received_at), PageCell(one.where), PageCell(one.detail), PageCell(one.raw))
        for one in group.newest
    )
    return PageTable(f"{reason_words(group)} ({group.kind}): the newest", columns, rows, row_heads=False)
