"""A letter: what one message says to one recipient, before any channel draws it.

Every text is one clean line of plain words, not escaped: each channel escapes for itself, all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from trueup.monitoring.severity import Severity


class Standing(StrEnum):
    """What a letter says of its incident; pages of on-call services follow it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    NONE = "none"  # it belongs to no incident: a promotion, a digest, a test


@dataclass(frozen=True)
class Remedy:
    """What a person can do with one command. changes: what that command changes, in one sentence."""

    command: str
    changes: str


@dataclass(frozen=True)
class MovedInput:
    """One cause in words, with at most three masked examples."""

    said: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Details:
    """A part below the four lines: figures, gate tests, ids. rows: cells, all rows as long as `columns`."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """An opaque PNG, and what it shows in words."""

    png: bytes
    alt: str


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One message.

    stem: the subject without its tag, at most 60 characters, frozen when the incident opened. tag: "HIGH", "LOW",
    "CLOSED", or "" for a digest and a test.
    wrong, affected, done, todo: the four lines: what is wrong; who is hurt and how many; what trueup did; what the
    reader needs to do. The words that change come first in each.
    action: at most one command. link: at most one page, "" where no page is set.
    incidents: ids of the incidents that this letter is about, the gravest first. over: those of them that are resolved.
    report: id of the report of the newest check that it tells of, or "".
    foot: name and value of host, deployment, since when.
    """

    stream: str
    kind: str
    severity: Severity
    standing: Standing
    stem: str
    tag: str
    wrong: str
    affected: str
    done: str
    todo: str
    action: Remedy | None = None
    link: str = ""
    causes: tuple[MovedInput, ...] = ()
    picture: Picture | None = None
    sections: tuple[Details, ...] = ()
    foot: tuple[tuple[str, str], ...] = ()
    incidents: tuple[str, ...] = ()
    report: str = ""
    over: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The tag in brackets, and the stem."""
        return f"[{self.tag}] {self.stem}" if self.tag else self.stem

    @property
    def lines(self) -> tuple[str, str, str, str]:
        """The four lines, in order."""
        return self.wrong, self.affected, self.done, self.todo

    def without_picture(self) -> Letter:
        """The same letter for a way out that takes no picture, or not this one."""
        return replace(self, picture=None)
