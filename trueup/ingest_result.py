"""What taking data in gives back; apart from the other results, so that an ingest starts without what they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from trueup.storage.tabular import Document, Tabular


@dataclass(frozen=True)
class IngestResult(Tabular):
    """How many rows went in, stood there already, and were refused.

    labelled: of the accepted ones, those with a label; None for feedback. notes: what a person should look at.
    revised: stored records that changed; None where `on_change` refuses them.
    Of what was pulled from the stream's source, else None: files: name, outcome (taken, grew, changed, renamed,
    waiting, set_aside, barred) and why, of each that was not taken in before as it is; problems: what a person should
    see to. unfinished: whether more waits there.
    erased: rows left out, since their record or user was erased; None where there were none.
    """

    accepted: int
    duplicate: int
    quarantined: int
    labelled: int | None
    notes: tuple[str, ...]
    revised: int | None = None
    files: tuple[Document, ...] | None = None
    problems: tuple[str, ...] | None = None
    unfinished: bool | None = None
    erased: int | None = None

    def as_json(self) -> Document:
        return {name: value for name, value in asdict(self).items() if value is not None}

    def records(self) -> Sequence[Document]:
        return [self.as_json()]
