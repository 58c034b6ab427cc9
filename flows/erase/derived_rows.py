"""What the store holds in words that were made of records: findings, notices, cycles, evidence; cleaned row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from trueup.storage import alert_tables, tables
from trueup.storage.database import Database
from trueup.storage.erasure.needles import Needles

# What holds rows themselves, or names of files and programs and nothing of a person.
_OTHER = frozenset(
    {
        "streams", "segments", "records", "revisions", "labels", "predictions", "feedback", "quarantine",
        "erasures", "tombstones", "erased_files", "prunings", "leases", "deployments", "digests", "reminders",
        "source_marks",
    }
)  # fmt: skip
_KEYS = frozenset(
    {
        "id", "stream", "cycle_id", "check_id", "incident_id", "report_id", "code", "thread", "run_id", "snapshot",
        "reference", "quality", "alert_id", "recipient", "message_id", "version", "digest", "reading",
    }
)  # fmt: skip
_AT_ONCE = 200
_ = alert_tables  # of the same metadata


def clean_documents(database: Database, stream: str, needles: Needles) -> int:
    """Take what the needles name out of every document and sentence of a stream; how many rows changed."""
    return sum(_clean(database, table, stream, needles) for table in _tables())


def _tables() -> Iterator[sa.Table]:
    yield from (table for table in tables.metadata.sorted_tables if table.name not in _OTHER)


def _clean(database: Database, table: sa.Table, stream: str, needles: Needles) -> int:
    said = [c for c in table.c if isinstance(c.type, sa.Text | sa.JSON) and c.name not in _KEYS and not c.primary_key]
    key = list(table.primary_key)
    mine = [table.c.stream == stream] if "stream" in table.c else []
    changed, last = 0, None
    while said:
        query = sa.select(*key, *said).where(*mine).order_by(*key).limit(_AT_ONCE)
        if last is not None:
            query = query.where(sa.tuple_(*key) > sa.tuple_(*last))
        with database.read() as connection:
            rows = connection.execute(query).all()
        if not rows:
            return changed
        last = tuple(rows[-1][: len(key)])
        made = [(row, _cleaned(row[len(key) :], said, needles)) for row in rows]
        if any(values for _, values in made):
            with database.write() as connection:
                for row, values in made:
                    if values:
                        here = [column == value for column, value in zip(key, row, strict=False)]
                        connection.execute(sa.update(table).where(*here).values(**values))
                        changed += 1
    return changed


def _cleaned(row: Any, columns: list[sa.Column[Any]], needles: Needles) -> dict[str, Any]:
    pairs = ((column.name, value, needles.scrubbed(value)) for column, value in zip(columns, row, strict=True))
    return {name: made for name, value, made in pairs if made is not value}
