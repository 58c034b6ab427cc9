"""Files of which every row is stored, so that one that comes again is answered without being read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from trueup.storage.database import Database
from trueup.storage.sources.source_tables import whole_files


@dataclass(frozen=True)
class WholeFile:
    """rows: of the file, all stored. notes: what was told of it."""

    rows: int
    notes: tuple[str, ...]


class WholeFiles:
    """What is remembered of the files of all streams, by the hash of their bytes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, stream: str, digest: str, asked: str, now: datetime) -> WholeFile | None:
        """The file, where it was taken in by now and is asked for as it was then."""
        w = whole_files.c
        query = sa.select(w.rows, w.notes).where(
            w.stream == stream, w.digest == digest, w.asked == asked, w.taken_at <= now
        )
        with self._database.read() as connection:
            found = connection.execute(query).one_or_none()
        if found is not None:
            self._database.ask()  # as if its rows had been held against what is stored
        return None if found is None else WholeFile(found.rows, tuple(found.notes))

    def keep(self, stream: str, digest: str, asked: str, rows: int, notes: Sequence[str], now: datetime) -> None:
        """Remember that every row of a file is stored."""
        w = whole_files.c
        said = {"asked": asked, "rows": rows, "notes": list(notes), "taken_at": now}
        with self._database.write() as connection:
            here = sa.update(whole_files).where(w.stream == stream, w.digest == digest).values(said)
            if not connection.execute(here).rowcount:
                connection.execute(sa.insert(whole_files).values(stream=stream, digest=digest, **said))
