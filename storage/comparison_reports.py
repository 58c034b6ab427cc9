"""Reports that compare: two models at a gate, or periods of a stream; what each found, as the store keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.id_lookup import ids_beginning
from trueup.storage.prunings import REPORT
from trueup.storage.report_kind import ReportKind


@dataclass(frozen=True, kw_only=True)
class ListedComparison:
    """A comparison as a list shows it. version: the challenger, or the newest model that is compared."""

    report_id: str
    stream: str
    kind: ReportKind
    as_of: datetime
    made_at: datetime
    version: int
    title: str


class ComparisonLog:
    """Comparisons in the store: written once, and looked up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, listed: ListedComparison, document: dict[str, Any]) -> None:
        """Keep a comparison; one that is made again, as by a cycle that is resumed, changes nothing."""
        row = {**listed.__dict__, "kind": str(listed.kind), "document": document}
        with self._database.write() as connection:
            self._database.insert_new(connection, t.comparisons, [row])

    def page(
        self,
        limit: int | None,
        *,
        stream: str | None = None,
        kind: ReportKind | None = None,
        since: datetime | None = None,
    ) -> tuple[list[ListedComparison], int]:
        """The newest `limit` comparisons, and how many there are; no document is read."""
        c = t.comparisons.c
        asked = [
            *([c.stream == stream] if stream is not None else []),
            *([c.kind == str(kind)] if kind is not None else []),
            *([c.as_of >= since] if since is not None else []),
        ]
        query = sa.select(*_shown()).where(*asked).order_by(c.as_of.desc(), c.made_at.desc()).limit(limit)
        counting = sa.select(sa.func.count()).select_from(t.comparisons).where(*asked)
        with self._database.read() as connection:
            found = [_listed(row._mapping) for row in connection.execute(query)]
            return found, connection.execute(counting).scalar_one()

    def unpruned(self, stream: str, kind: ReportKind, before: datetime) -> Sequence[str]:
        """The comparisons of a kind that were made before a time, and whose files were not pruned."""
        c, p = t.comparisons.c, t.prunings.c
        marked = sa.exists().where(p.stream == stream, p.kind == REPORT, p.name == c.report_id)
        query = sa.select(c.report_id).where(c.stream == stream, c.kind == str(kind), c.made_at < before, ~marked)
        with self._database.read() as connection:
            return connection.execute(query.order_by(c.made_at, c.report_id)).scalars().all()

    def beginning(self, typed: str, stream: str | None = None) -> Sequence[str]:
        """The ids that begin so."""
        mine = [] if stream is None else [t.comparisons.c.stream == stream]
        return ids_beginning(self._database, t.comparisons.c.report_id, typed, *mine)

    def find(self, report_id: str) -> ListedComparison | None:
        """The comparison of this id; None: there is none."""
        query = sa.select(*_shown()).where(t.comparisons.c.report_id == report_id)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _listed(row._mapping)

    def document(self, report_id: str) -> dict[str, Any]:
        """What a comparison found.

        Raises:
            ValueError: what the store holds is no JSON.
        """
        query = sa.select(t.comparisons.c.document).where(t.comparisons.c.report_id == report_id)
        with self._database.read() as connection:
            return dict(connection.execute(query).scalar_one())


def _shown() -> list[Any]:
    return [t.comparisons.c[name] for name in ListedComparison.__dataclass_fields__]


def _listed(row: Any) -> ListedComparison:
    return ListedComparison(**{**row, "kind": ReportKind(row["kind"])})
