"""What every source does: pull what is new, say what it reaches, and count its rows by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from sqlalchemy.engine import Connection

from trueup.feedback.readers import LocalCopy
from trueup.storage.incoming import Appended

if TYPE_CHECKING:
    import pyarrow as pa


class Feed(StrEnum):
    """What a source brings."""

    RECORDS = "records"
    FEEDBACK = "feedback"


class FileOutcome(StrEnum):
    """What became of a file that was not simply the one taken before."""

    TAKEN = "taken"
    GREW = "grew"  # taken in before with fewer bytes, and again now
    CHANGED = "changed"  # taken in before with other bytes, and again now
    RENAMED = "renamed"  # its content is taken in already, from another name
    WAITING = "waiting"  # it may still be written to; the next pull looks again
    SET_ASIDE = "set_aside"  # it cannot be taken in; tried again once it or the stream's settings change
    BARRED = "barred"  # no permission to read it, or the place fails for it; tried again at each pull


@dataclass(frozen=True)
class PulledFile:
    """A file, what became of it, and why where it was not taken in."""

    name: str
    outcome: FileOutcome
    why: str = ""


@dataclass(frozen=True)
class Pulled:
    """What a pull brought.

    files: those that were not taken before as they are. problems: what a person should look at, in sentences; empty
    where the source is sound. unfinished: more is there, left for the next pull.
    """

    rows: Appended = field(default_factory=Appended)
    files: tuple[PulledFile, ...] = ()
    problems: tuple[str, ...] = ()
    unfinished: bool = False


class Take(Protocol):
    """Takes rows in, as `ingest` does: a file, or rows in memory under a name.

    also: written in the transaction of the (last) batch, so that what is remembered of the source and its rows are
    durable together; called with nothing stored where there are no rows.

    Raises:
        InputError: the rows cannot be taken in at all; nothing of them was stored.
        ConfigError: the stream's schema cannot be followed.
    """

    def __call__(
        self, rows: str | LocalCopy | pa.Table, *, name: str = "", also: Callable[[Connection], None] | None = None
    ) -> Appended: ...


class StreamSource(Protocol):
    """A place that records or feedback come from."""

    def pull(self, take: Take, *, now: datetime, enough: Callable[[], bool]) -> Pulled:
        """Take in what is new. It may be killed anywhere, and goes on where it stopped.

        Args:
            now: the time of the pull, kept beside what is remembered.
            enough: whether to stop after what is under way, since the time for a pull is used up.

        Raises:
            SourceFailed: the place cannot be reached or read.
            ConfigError: the settings describe no source that may be read.
        """
        ...

    def reach(self) -> str:
        """Look at the place without taking anything in: what is there, in a sentence. Raises as `pull`."""
        ...

    def problems(self) -> tuple[str, ...]:
        """What a person should look at, as `Pulled.problems` says it, with nothing taken in. Raises as `pull`."""
        ...

    def rows_by_day(self, since: date) -> Mapping[date, int]:
        """How much the place holds of each day from `since` on: records by their event time, feedback by when it was
        given. Raises as `pull`.
        """
        ...
