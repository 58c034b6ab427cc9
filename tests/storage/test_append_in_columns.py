"""Batches in columns leave what rows one by one leave: the same records, labels, changes, refusals and counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.many import examples
from tests.storage.row_by_row import RowByRow, moments, stored
from trueup.storage.archive import Archive
from trueup.storage.content import fingerprints
from trueup.storage.database import Database, open_database
from trueup.storage.incoming import Appended, FeedbackItem, Incoming
from trueup.storage.reading import RecordReader
from trueup.storage.records import columns
from trueup.storage.records.appending import RecordStore
from trueup.storage.records.known_ids import all_stored, known_ids
from trueup.storage.stream import LabelPolicy, StreamSettings
from trueup.storage.tables import metadata

NOW = datetime(2024, 6, 1, tzinfo=UTC)
STREAM = StreamSettings(name="r", id="id", time="at", text=("text",), label=LabelPolicy(column="stars"))
# id, text, day, label, and the day on which that was known
ROW = st.tuples(
    st.sampled_from(["a", "b", "c", 'q"', "ü", ""]), st.sampled_from(["x", "y, z", "", None]), st.integers(0, 1),
    st.sampled_from([None, "", "1", "5"]), st.sampled_from([None, 3, 4]),
)  # fmt: skip
Row = tuple[str, str | None, int, str | None, int | None]
FILES = st.lists(st.lists(ROW, max_size=12), min_size=1, max_size=4)


def incoming(rows: list[Row]) -> Incoming:
    ids, texts, days, labels, known = (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 5
    given_labels = np.array([None if k is None else label for label, k in zip(labels, known, strict=True)], object)
    return Incoming(
        ids=np.array(ids, object), times=moments(*days),
        table=pa.table({"id": pa.array(ids, pa.string()), "text": pa.array(texts, pa.string())}),
        labels=np.array(labels, object), known_at=moments(*known),
        labelled=np.array([label is not None for label in given_labels], bool), lines=np.arange(len(rows)),
        raw=[f"{row}" for row in rows],
    )  # fmt: skip


Fresh = Callable[[], tuple[Database, Archive]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    """Gives the next of two stores by turns, emptied."""
    patched = pytest.MonkeyPatch()
    patched.setattr(columns, "_ROWS", 2)  # of a statement, so that some are full and some are not
    opened = []
    for number in range(2):
        home = tmp_path_factory.mktemp("store")
        url = ""
        if request.param == "postgresql":
            server = sa.make_url(request.getfixturevalue("postgres_url"))
            admin = sa.create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
            name = f"columns{number}"
            with admin.connect() as connection:
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
            admin.dispose()
            url = server.set(database=name).render_as_string(hide_password=False)
        opened.append((open_database(url, home), Archive("", home)))

    def emptied() -> tuple[Database, Archive]:
        database, archive = opened[0]
        opened.reverse()
        with database.write() as connection:
            for table in ("revisions", "labels", "records", "feedback", "segments", "quarantine", "streams"):
                connection.execute(sa.delete(metadata.tables[table]))
            if request.param == "postgresql":
                connection.execute(sa.text("ALTER SEQUENCE streams_number_seq RESTART"))
        return database, archive

    yield emptied
    patched.undo()
    for database, _ in opened:
        database.close()


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Archive]]:
    """A store on SQLite."""
    home = tmp_path_factory.mktemp("one")
    database = open_database("", home)
    yield database, Archive("", home)
    database.close()


@settings(max_examples=examples(40))
@given(files=FILES, revise=st.booleans())
def test_files_in_columns_are_as_row_by_row(fresh: Fresh, files: list[list[Row]], revise: bool) -> None:
    """Duplicates, corrections and late labels, within a file and over several."""
    stream = STREAM.model_copy(update={"on_change": "revise" if revise else "refuse"})
    (columns, archive), (plain, other) = fresh(), fresh()
    store, oracle = RecordStore(columns, archive, Path()), RowByRow(plain, other)
    for number, rows in enumerate(files):
        now = NOW + timedelta(days=number)
        done = store.append(stream, incoming(rows), [], source="f", now=now)
        assert done == oracle.append(stream, incoming(rows), now=now)
    assert stored(columns) == stored(plain)
    last = NOW + timedelta(days=9)
    said, expected = (RecordReader(*each).read(stream, as_of=last) for each in ((columns, archive), (plain, other)))
    assert said.meta.equals(expected.meta)
    assert said.features.equals(expected.features)


@settings(max_examples=examples(15))
@given(rows=st.lists(ROW, max_size=12), data=st.data())
def test_any_order_and_any_cut_gives_the_same_records_and_labels(
    fresh: Fresh, rows: list[Row], data: st.DataObject
) -> None:
    """Of rows that do not contradict each other; each is stored once however often and wherever it stands."""
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row[0], row)
    agreed = [first[row[0]] if row[4] is None else (*first[row[0]][:3], *first[row[0]][3:]) for row in rows]
    parts: list[set[tuple[object, ...]]] = []
    for _ in range(2):
        database, archive = fresh()
        order = data.draw(st.permutations(agreed))
        cut = data.draw(st.integers(0, len(order)))
        done = [RecordStore(database, archive, Path()).append(STREAM, incoming(some), [], source="f", now=NOW)
                for some in (order[:cut], order[cut:])]  # fmt: skip
        total = sum(done, Appended())
        assert (total.accepted, total.quarantined) == (len(first), 0)
        assert total.accepted + total.duplicate == len(rows)
        parts.append({row[2:] for row in stored(database)["records"]})
    assert parts[0] == parts[1]


@pytest.mark.parametrize("middle", [
    ("b", "x", 0, "1", 3), ("b", "x", 0, None, None), ("b", "x", 0, "5", 3), ("b", "y", 0, "1", 3),
    ("b", "x", 1, "1", 3), ("new", "x", 0, "1", 3), ("c", "x", 0, None, None), ("c", "x", 0, "1", 3),
    ("c", "x", 0, "", 3),
])  # fmt: skip
@pytest.mark.parametrize("others", ["left out", "as they came", "the last first"])
@pytest.mark.parametrize("revise", [False, True])
def test_a_batch_that_is_stored_but_perhaps_for_one_row(
    fresh: Fresh, middle: Row, others: str, revise: bool
) -> None:
    """What is new in it is found between rows that stand there already, as row by row."""
    stream = STREAM.model_copy(update={"on_change": "revise" if revise else "refuse"})
    (columns, archive), (plain, other) = fresh(), fresh()
    store, oracle = RecordStore(columns, archive, Path()), RowByRow(plain, other)
    first: list[Row] = [("a", None, 0, "1", 3), ("b", "x", 0, "1", 3), ("c", "x", 0, None, None), ("", "ü", 0, "5", 3)]
    again = [first[0], middle, *([] if others == "left out" else first[2:3]), first[3]]
    for rows in (first, again[::-1] if others == "the last first" else again):
        assert store.append(stream, incoming(rows), [], source="f", now=NOW) == oracle.append(
            stream, incoming(rows), now=NOW
        )
    assert stored(columns) == stored(plain)


@pytest.mark.parametrize("order", [1, -1])
@given(rows=st.lists(ROW, min_size=1, max_size=6, unique_by=lambda row: row[0]), data=st.data())
def test_rows_that_came_together_are_known_together(
    sqlite: tuple[Database, Archive], order: int, rows: list[Row], data: st.DataObject
) -> None:
    """From either end: exactly those that say nothing else, whichever of their neighbours are stored."""
    database, archive = sqlite
    held = incoming(rows)
    with database.write() as connection:
        for table in ("records", "segments", "quarantine", "streams"):
            connection.execute(sa.delete(metadata.tables[table]))
    RecordStore(database, archive, Path()).append(STREAM, held, [], source="f", now=NOW)
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(rows) - 1)] * 2)))
    part = slice(first, last + 1)
    marks = fingerprints(STREAM, held.table, held.times)[part]
    given_labels = np.array([None if known is None else label for *_, label, known in rows], object)[part]
    ids = held.ids[part][::order]
    changed = data.draw(st.none() | st.integers(0, len(ids) - 1))
    how = data.draw(st.sampled_from(["mark", "label", "id"])) if changed is not None else ""
    marks, given_labels, ids = marks[::order].copy(), given_labels[::order].copy(), ids.copy()
    if how == "mark":
        marks[changed] += 1
    elif how == "label":
        given_labels[changed] = "other"
    elif how == "id":
        ids[changed] = "new"
    with database.read() as connection:
        assert all_stored(connection, 1, ids, marks, given_labels) == (changed is None)


IDS = st.text(st.sampled_from("aZ9_ ü\ud7ff\uffff😀"), max_size=3)


@given(held=st.sets(IDS, max_size=4), asked=st.lists(IDS, max_size=4))
def test_ids_that_sort_behind_the_stored_ones_are_new(
    sqlite: tuple[Database, Archive], held: set[str], asked: list[str]
) -> None:
    """By code points, as SQLite sorts: those of UTF-16 would put an emoji before U+FFFF."""
    database, archive = sqlite
    with database.write() as connection:
        for table in ("records", "segments", "quarantine", "streams"):
            connection.execute(sa.delete(metadata.tables[table]))
    rows: list[Row] = [(one, "x", 0, None, None) for one in sorted(held)]
    RecordStore(database, archive, Path()).append(STREAM, incoming(rows), [], source="f", now=NOW)
    with database.read() as connection:
        found = known_ids(connection, 1, asked).row.tolist()
    assert found == [k for k, one in enumerate(asked) if one in held]


def test_more_feedback_than_a_statement_holds(database: Database, tmp_path: Path) -> None:
    """SQLite takes 32,766 values in one statement; a file of more goes in whole."""
    store = RecordStore(database, Archive("", tmp_path), tmp_path)
    store.append(STREAM, incoming([("a", "x", 0, None, None)]), [], source="f", now=NOW)
    items = [FeedbackItem(f"f{k}", "a", "label", "1", "u", NOW, "1", k, "") for k in range(33_000)]
    assert store.append_feedback(STREAM, items, [], source="g", now=NOW).accepted == 33_000
    assert store.append_feedback(STREAM, items, [], source="g", now=NOW).duplicate == 33_000


def test_an_id_with_a_nul_is_not_the_one_before_it(tmp_path: Path) -> None:
    """SQLite's JSON ends a text at its NUL, so such an id is not looked up; those beside it are."""
    database = open_database("", tmp_path)
    rows = [("a", "x", 0, None, None), ("b", "x", 0, None, None)]
    RecordStore(database, Archive("", tmp_path), tmp_path).append(STREAM, incoming(rows), [], source="f", now=NOW)
    with database.read() as connection:
        assert known_ids(connection, 1, ["a\0c", "\\u0000", "b", "a"]).row.tolist() == [2, 3]
    database.close()
