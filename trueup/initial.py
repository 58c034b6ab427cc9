"""What `init` gives back: the settings that were written, and all that was concluded from the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.storage.tabular import Document, Tabular

if TYPE_CHECKING:
    from trueup.flows.admin.initial_settings import FirstSettings

_VALUES = 3  # of a column that are shown


@dataclass(frozen=True)
class InitResult(Tabular):
    """The settings file, the home folder beside it, and what was concluded from a file. As a table, its columns.

    found: None where no file was named.
    """

    config: Path
    home: Path
    stream: str
    found: FirstSettings | None = None

    def caption(self) -> str:
        return f"columns of '{self.stream}'"

    def records(self) -> Sequence[Document]:
        return self.columns

    @property
    def columns(self) -> list[Document]:
        """Each column of the file: name, kind, role, share missing, its commonest values, why."""
        if self.found is None:
            return []
        roles = {role.column: role for role in self.found.found.roles}
        return [
            {
                "name": column.name,
                "kind": roles[column.name].kind,
                "role": roles[column.name].role,
                "missing": column.empty / column.rows if column.rows else 0.0,
                "values": [value for value, _ in column.commonest(_VALUES)],
                "why": roles[column.name].why,
            }
            for column in self.found.table.columns
        ]

    def as_json(self) -> Document:
        document: dict[str, object] = {"config": self.config, "home": self.home}
        if self.found is None:
            return document
        done, look = self.found, self.found.look
        refused = {one.reason: one.rows for one in look.refused} if look else {}
        return document | {
            "stream": self.stream,
            "rows": done.table.rows,
            "sampled": len(done.table.sample) if done.table.sampled else None,
            "broken": done.table.broken,
            "format": done.found.detected.format.model_dump(),
            "columns": self.columns,
            "undecided": [asdict(one) for one in done.found.undecided],
            "records": [asdict(one) for one in look.records] if look else [],
            "refused": {"rows": sum(refused.values()), "reasons": refused},
            "labels": look.labels if look else {},
            "unmatched": dict(look.unmatched) if look else {},
            "repeats": look.repeats if look and not done.found.identity.column else done.found.identity.repeats,
            "next": list(done.next),
        }
