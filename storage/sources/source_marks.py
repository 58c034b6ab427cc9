"""How far the query of a source was read: its last cursor, kept in the source's own type."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage.database import Database
from trueup.storage.sources.source_tables import source_marks as marks


@dataclass(frozen=True)
class CursorMark:
    """A value of a column, as its database writes it, and what the database calls its type."""

    value: str
    kind: str


@dataclass(frozen=True)
class SourceMarks:
    """The mark of one stream's source.

    asked: hash of what is asked; another query, column or database begins anew.
    """

    database: Database
    stream: str
    feed: str
    asked: str

    def newest(self) -> CursorMark | None:
        """The last cursor that was read; None: nothing yet."""
        here = sa.select(marks.c.mark).where(
            marks.c.stream == self.stream, marks.c.feed == self.feed, marks.c.asked == self.asked
        )
        with self.database.read() as connection:
            found = connection.execute(here).scalar()
        return CursorMark(**found) if found else None

    def keep(self, connection: Connection, mark: CursorMark, now: datetime) -> None:
        """Remember it, with the rows up to it in the same transaction."""
        here = sa.and_(marks.c.stream == self.stream, marks.c.feed == self.feed)
        said = {"asked": self.asked, "mark": asdict(mark), "pulled_at": now}
        if not connection.execute(sa.update(marks).where(here).values(said)).rowcount:
            connection.execute(sa.insert(marks).values(stream=self.stream, feed=self.feed, **said))
