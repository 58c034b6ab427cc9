"""What is to be done with a file of a source: read it, wait until it is whole, or leave it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from trueup.storage.sources.file_manifest import FileState, ManifestFile


class NextStep(StrEnum):
    """LEAVE: nothing is new. WAIT: it may still be written to. READ: it is whole."""

    LEAVE = "leave"
    WAIT = "wait"
    READ = "read"


@dataclass(frozen=True)
class FoundFile:
    """A file as its place lists it.

    path: where the file system finds it; name: what it is known by. version: mtime in ns, or ETag. changed_at: when it
    was written last, None where the place does not say.
    """

    path: str
    name: str
    size: int
    version: str
    changed_at: datetime | None

    def same_as(self, other: FoundFile | ManifestFile) -> bool:
        """Whether nothing was written in between."""
        return (self.size, self.version) == (other.size, other.version)


def next_step(
    found: FoundFile, known: ManifestFile | None, now: datetime, settle: timedelta, reading: str
) -> NextStep:
    """A file is whole once it is unchanged for `settle`: by its own time, or by two looks that lie so far apart. An
    empty one is not whole.

    reading: hash of the settings that it would be read by; one that could not be read is tried again under others.
    """
    if known is not None and found.same_as(known):
        if known.state is FileState.TAKEN or (known.state is FileState.SET_ASIDE and known.reading == reading):
            return NextStep.LEAVE
        if found.size and now - known.seen_at >= settle:
            return NextStep.READ
    if not found.size:
        return NextStep.WAIT
    rested = found.changed_at is not None and now - found.changed_at >= settle
    return NextStep.READ if rested or not settle else NextStep.WAIT
