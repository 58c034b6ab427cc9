"""Any course of intake: by hand and by sources, in any order, killed anywhere, with months moved in between."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from tests.many import examples
from tests.storage.row_by_row import RowByRow, stored
from trueup.feedback.intake import ingest
from trueup.feedback.readers import LocalCopy
from trueup.feedback.sources.file_place import FilePlace
from trueup.feedback.sources.file_source import FileSource
from trueup.feedback.sources.sql_place import SqlPlace
from trueup.feedback.sources.sql_source import AskedRows, SqlSource
from trueup.storage.archive import Archive
from trueup.storage.database import Database, open_database
from trueup.storage.history.month_moves import close_months
from trueup.storage.incoming import Appended, Incoming, Refused
from trueup.storage.leases import hold
from trueup.storage.predictions import PredictionLog
from trueup.storage.reading import RecordReader
from trueup.storage.records.appending import RecordStore
from trueup.storage.sources.file_manifest import FileManifest
from trueup.storage.sources.source_marks import SourceMarks
from trueup.storage.stream import LabelPolicy, StreamSettings
from trueup.storage.tables import metadata

NOW = datetime(2024, 6, 15, tzinfo=UTC)
STREAM = StreamSettings(name="r", id="id", time="at", text=("text",), label=LabelPolicy(column="stars"))
HEADER = "id,at,text,stars\n"
DAYS = dict(zip("abcdef", (f"2024-0{day}" for day in ("1-03", "1-30", "2-01", "2-20", "3-09", "5-30")), strict=True))
# id, text (none: the row is refused) and stars (none: not known yet); a text or a star that differs is a correction
ROW = st.tuples(st.sampled_from(list(DAYS)), st.sampled_from(["x", "x", "y", ""]), st.sampled_from(["", "5", "5", "1"]))
ROWS = st.lists(ROW, min_size=1, max_size=5)
DEED = st.one_of(
    st.tuples(st.just("by_hand"), ROWS),
    st.tuples(st.just("export"), ROWS, st.sampled_from(["one", "two"])),
    st.tuples(st.just("insert"), ROWS),
    st.tuples(st.sampled_from(["pull_files", "pull_query", "answer", "close"])),
)
KILL = st.one_of(st.just(0), st.integers(1, 25))  # before which statement or commit of the store; 0: not at all
Row = tuple[str, str, str]
Deed = tuple[Any, ...]


class Killed(Exception):
    """The process ends here."""


@dataclass
class Place:
    """A store, and when it kills whoever writes into it."""

    database: Database
    archive: Archive
    home: Path
    left: int = 0

    def __post_init__(self) -> None:
        for moment in ("before_cursor_execute", "commit"):
            sa.event.listen(self.database.engine, moment, self._count)

    def _count(self, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


class Compared(RecordStore):
    """Whatever it has appended is appended row by row to another store, with the same outcome."""

    def __init__(self, database: Database, archive: Archive, home: Path, oracle: RowByRow) -> None:
        super().__init__(database, archive, home)
        self.oracle = oracle

    def append(
        self, stream: StreamSettings, incoming: Incoming, refused: Sequence[Refused], *, source: str, now: datetime
    ) -> Appended:
        done = super().append(stream, incoming, refused, source=source, now=now)
        expected = self.oracle.append(stream, incoming, now=now)
        with self.oracle.database.write() as connection:
            self.oracle.quarantine.add(connection, stream, "record", refused, source, now)
        assert done == expected + Appended(quarantined=len(refused))
        return done


@dataclass
class Course:
    """A stream in a store, its sources, and what is known to have come in."""

    place: Place
    oracle: RowByRow
    stream: StreamSettings
    folder: Path
    undone: list[list[Row]] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    answered: dict[str, str] = field(default_factory=dict)
    files: int = 0

    def store(self, database: Database) -> RecordStore:
        return Compared(database, self.place.archive, self.place.home, self.oracle)

    def take(
        self, rows: Any, *, name: str = "", also: Callable[[Connection], None] | None = None
    ) -> Appended:
        """What a source hands over; the mark of a query is in the transaction of its page."""
        database = self.place.database.also_writing(also) if also else self.place.database
        return ingest(self.store(database), self.stream, [rows], now=NOW)

    def by_hand(self, rows: list[Row]) -> None:
        self.undone.append(rows)
        self.files += 1
        file = self.folder / f"hand{self.files}.txt"
        file.write_text(HEADER + lines(rows))
        self.take(LocalCopy(file, "hand.csv"))
        self.undone.remove(rows)

    def export(self, rows: list[Row], name: str) -> None:
        file = self.folder / f"{name}.csv"
        file.write_text((file.read_text() if file.exists() else HEADER) + lines(rows))

    def insert(self, rows: list[Row]) -> None:
        with closing(sqlite3.connect(self.folder / "shop.db")) as connection, connection:
            connection.executemany(
                "INSERT INTO reviews (id, at, text, stars) VALUES (?, ?, ?, ?)",
                [(id_, DAYS[id_], text, stars) for id_, text, stars in rows],
            )

    def pull_files(self) -> None:
        manifest = FileManifest(self.place.database, self.stream.name, "records")
        FileSource(
            FilePlace("*.csv", self.folder, {}), manifest, settle=timedelta(0), reading="", days=lambda copy: [],
            clock=lambda: datetime.now(UTC), wait=lambda seconds: None,
        ).pull(self.take, now=NOW)  # fmt: skip

    def pull_query(self) -> None:
        place = SqlPlace(f"sqlite:///{self.folder / 'shop.db'}", "", timedelta(minutes=1))
        marks = SourceMarks(self.place.database, self.stream.name, "records", "one query")
        asked = AskedRows("SELECT * FROM reviews", "n", "n")
        SqlSource(
            place, asked, marks, look_back=2, settle=timedelta(0), days=lambda page: [], page=3
        ).pull(self.take, now=NOW)  # fmt: skip

    def answer(self) -> None:
        """A version's answers to all records; those of before stay."""
        rows = RecordReader(self.place.database, self.place.archive).read(self.stream, as_of=NOW)
        said = [f"{id_}{len(self.answered)}" for id_ in rows.meta["id"]]
        log = PredictionLog(self.place.database, self.place.archive)
        log.add(self.stream, 1, rows, np.array(said, object), np.full(len(rows), 0.5))
        self.answered = dict(zip(rows.meta["id"], said, strict=True)) | self.answered

    def close(self) -> None:
        with hold(self.place.database, self.stream.name) as lease:
            close_months(self.place.database, self.place.archive, self.stream.name, lease, before=NOW)

    def do(self, deed: Deed, kill: int) -> None:
        name, *given_ = deed
        if given_:
            self.shown |= {id_ for id_, text, _ in given_[0] if text}
        self.place.left = kill
        try:
            getattr(self, name)(*given_)
        except Killed:
            pass
        finally:
            self.place.left = 0


def lines(rows: list[Row]) -> str:
    return "".join(f"{id_},{DAYS[id_]},{text},{stars}\n" for id_, text, stars in rows)


def unnumbered(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """All rows, but for the stream's number: PostgreSQL gives one away with each transaction that is cut short."""
    return {
        table: [row if table == "quarantine" else row[1:] for row in rows] for table, rows in stored(database).items()
    }


Fresh = Callable[[], tuple[Place, Place]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    """Gives two stores, emptied."""
    places = []
    for _ in range(2):
        home = tmp_path_factory.mktemp("store")
        url = request.getfixturevalue("new_postgres_store")() if request.param == "postgresql" else ""
        places.append(Place(open_database(url, home), Archive("", home), home))

    def emptied() -> tuple[Place, Place]:
        for place in places:
            with place.database.write() as connection:
                for table in reversed(metadata.sorted_tables):
                    connection.execute(sa.delete(table))
                if request.param == "postgresql":
                    connection.execute(sa.text("ALTER SEQUENCE streams_number_seq RESTART"))
        return places[0], places[1]

    yield emptied
    for place in places:
        place.database.close()


@settings(max_examples=examples(40))
@given(deeds=st.lists(st.tuples(DEED, KILL), max_size=12), revise=st.booleans())
def test_any_course_ends_as_row_by_row(
    fresh: Fresh, tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[Deed, int]], revise: bool
) -> None:
    """The same records, labels, changes, refusals and counts; every row that was shown is in, each answer in one place.

    Files, a query and rows by hand, with duplicates and corrections among them; what was killed is done again.
    """
    place, plain = fresh()
    folder = tmp_path_factory.mktemp("course")
    with closing(sqlite3.connect(folder / "shop.db")) as connection:
        connection.execute("CREATE TABLE reviews (n INTEGER PRIMARY KEY, id, at, text, stars)")
    stream = STREAM.model_copy(update={"on_change": "revise" if revise else "refuse"})
    course = Course(place, RowByRow(plain.database, plain.archive), stream, folder)
    for deed, kill in deeds:
        course.do(deed, kill)
    for rows in list(course.undone):
        course.undone.remove(rows)
        course.by_hand(rows)
    for last in ("pull_files", "pull_query", "close"):
        course.do((last,), 0)
    assert unnumbered(place.database) == unnumbered(plain.database)
    said, expected = (
        RecordReader(each.database, each.archive).read(stream, as_of=NOW, version=version)
        for each, version in ((place, 1), (plain, None))
    )
    assert set(said.meta["id"]) == course.shown
    assert len(said) == len(course.shown)
    given_answers = said.meta["predicted"].astype(object)
    assert {i: a for i, a in zip(said.meta["id"], given_answers, strict=True) if isinstance(a, str)} == course.answered
    same = [column for column in expected.meta.columns if column not in ("predicted", "score")]
    assert said.meta[same].equals(expected.meta[same])
    assert said.features.equals(expected.features)
    missing = PredictionLog(place.database, place.archive).missing(
        stream, 1, after=datetime(2023, 1, 1, tzinfo=UTC), as_of=NOW
    )
    assert missing == len(said) - len(course.answered)
