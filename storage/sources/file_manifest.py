"""The manifest of a source of files: each file as it was seen last, and what was taken in of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from trueup.storage.database import Database
from trueup.storage.sources.source_tables import source_files


class FileState(StrEnum):
    """How far a file has come."""

    SEEN = "seen"  # it may still be written to
    TAKEN = "taken"
    SET_ASIDE = "set_aside"  # it cannot be read


@dataclass(frozen=True)
class ManifestFile:
    """A file of a source.

    version: its mtime in ns, or its ETag. seen_at: when it was first seen with this size and version. digest,
    taken_size: hash and bytes of the content that was taken in under this name last, at taken_at. reading: hash of the
    settings by which it could not be read, and why: what was wrong with it.
    """

    name: str
    size: int
    version: str
    state: FileState
    seen_at: datetime
    digest: str | None = None
    taken_at: datetime | None = None
    taken_size: int | None = None
    reading: str | None = None
    why: str | None = None


class FileManifest:
    """The files of one source of a stream. feed: records or feedback."""

    def __init__(self, database: Database, stream: str, feed: str) -> None:
        self._database = database
        self._own = {"stream": stream, "feed": feed}

    def known(self) -> Mapping[str, ManifestFile]:
        """Every file that was ever seen, by its name."""
        query = sa.select(*(source_files.c[name] for name in ManifestFile.__dataclass_fields__)).where(self._mine())
        with self._database.read() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query)]
        return {row["name"]: ManifestFile(**{**row, "state": FileState(row["state"])}) for row in rows}

    def keep(self, *files: ManifestFile) -> None:
        """Remember files as they are now; durable when it returns."""
        if not files:
            return
        c, rows = source_files.c, [{**self._own, **asdict(file), "state": str(file.state)} for file in files]
        with self._database.write() as connection:
            for start in range(0, len(rows), 500):
                some = rows[start : start + 500]
                connection.execute(
                    sa.delete(source_files).where(self._mine(), c.name.in_([row["name"] for row in some]))
                )
                connection.execute(sa.insert(source_files), some)

    def _mine(self) -> sa.ColumnElement[bool]:
        c = source_files.c
        return sa.and_(c.stream == self._own["stream"], c.feed == self._own["feed"])
