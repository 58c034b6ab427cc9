"""Predictions of closed months: in SQL or in a file, each stands in one place, whatever is cut short where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.many import examples
from tests.storage.test_record_store import batch
from trueup.feedback.labels import resolve
from trueup.storage import predictions as log_of_predictions
from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.database import Database
from trueup.storage.export.exported_batches import Asked, StoredBatches
from trueup.storage.history import month_moves
from trueup.storage.history.month_moves import close_months
from trueup.storage.history.prediction_files import without
from trueup.storage.leases import hold
from trueup.storage.predictions import PredictionLog
from trueup.storage.reading import RecordReader
from trueup.storage.records.appending import RecordStore
from trueup.storage.rows import Rows
from trueup.storage.stream import LabelPolicy, StreamSettings

STREAM = StreamSettings(name="r", id="id", time="at", text=("text",), label=LabelPolicy(column="stars"))
START, NOW = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)
BEFORE = START - timedelta(days=1)


class Answered:
    """A stream with a record a day, and the answers of versions to them."""

    def __init__(self, database: Database, archive: Archive, days: int) -> None:
        self.database, self.archive = database, archive
        self.log, self.reader = PredictionLog(database, archive), RecordReader(database, archive)
        self.days = days
        ids = [f"i{day}" for day in range(days)]
        store = RecordStore(database, archive, Path())
        store.append(STREAM, batch(ids, days=list(range(days))), [], source="f", now=NOW)

    def rows(self, version: int = 1, after: datetime = BEFORE, as_of: datetime = NOW) -> Rows:
        return self.reader.read(STREAM, after=after, as_of=as_of, version=version)

    def answer(self, days: list[int], version: int = 1, said: str = "yes") -> None:
        rows = self.rows(version).take(np.array(days, int))
        scores = np.where(np.array(days) % 5 == 0, np.nan, np.array(days) / 100)
        self.log.add(STREAM, version, rows, np.array([f"{said}{day}" for day in days], object), scores)

    def close(self, before: datetime = NOW) -> int:
        with hold(self.database, "r") as lease:
            return close_months(self.database, self.archive, "r", lease, before=before)

    def read(self, version: int = 1) -> list[tuple[object, object]]:
        meta = self.rows(version).meta
        return [(a, None if np.isnan(s) else s) for a, s in zip(meta["predicted"], meta["score"], strict=True)]

    def missing(self, version: int = 1, after: datetime = BEFORE, as_of: datetime = NOW) -> int:
        return self.log.missing(STREAM, version, after=after, as_of=as_of)

    def in_sql(self) -> int:
        with self.database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(t.predictions)).scalar_one())

    def in_files(self) -> list[tuple[int, int]]:
        f = t.prediction_files.c
        with self.database.read() as connection:
            query = sa.select(f.version, f.rows).order_by(f.version, f.first_time)
            return [(version, rows) for version, rows in connection.execute(query)]


@pytest.fixture
def answered(database: Database, archive: Archive) -> Answered:
    return Answered(database, archive, 100)


def test_what_is_read_and_counted_is_the_same_before_and_after(answered: Answered) -> None:
    """Months that are over lie in files by version, the month under way in SQL; answers, scores and counts stay."""
    answered.answer(list(range(0, 95)))
    answered.answer(list(range(40, 70)), version=2, said="no")
    before = answered.read(), answered.read(2)
    ranges = [(START + timedelta(days=a, hours=1), START + timedelta(days=b)) for a, b in ((3, 9), (20, 45), (50, 99))]
    counts = [answered.missing(v, *span) for v in (1, 2) for span in ranges]
    assert answered.close(datetime(2024, 3, 20, tzinfo=UTC)) == 60 + 20
    assert answered.in_files() == [(1, 31), (1, 29), (2, 20)]
    assert answered.in_sql() == 35 + 10
    assert (answered.read(), answered.read(2)) == before
    assert [answered.missing(v, *span) for v in (1, 2) for span in ranges] == counts
    assert answered.close(datetime(2024, 3, 20, tzinfo=UTC)) == 0


def test_an_answer_that_lies_in_a_file_stays(answered: Answered) -> None:
    """Whoever adds it again, from what was read before it moved, changes nothing; what is new goes in beside it."""
    answered.answer(list(range(20)))
    answered.close()
    answered.answer(list(range(10, 30)), said="other")
    assert answered.in_sql() == 10
    said = [f"{'yes' if day < 20 else 'other'}{day}" for day in range(30)]
    assert [given for given, _ in answered.read()] == [*said, *[None] * 70]


def test_few_late_answers_wait_in_sql(answered: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    """A month that has a file gets another one for many late answers only."""
    answered.answer(list(range(20)))
    answered.close()
    answered.answer(list(range(20, 31)))
    assert answered.close() == 0
    monkeypatch.setattr(month_moves, "FEW_LATER", 11)
    assert answered.close() == 11
    assert answered.missing() == 69


def test_a_month_is_moved_in_parts(answered: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many predictions a month holds, few are in memory; those of one instant stay together."""
    monkeypatch.setattr(month_moves, "ROWS_OF_A_FILE", 10)
    answered.answer(list(range(100)))
    before = answered.read()
    assert answered.close() == 100
    assert max(rows for _, rows in answered.in_files()) == 10
    assert answered.read() == before


def test_many_answers_at_once_go_to_a_file(answered: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for those that stand somewhere already; few go to SQL; all are read and counted alike."""
    monkeypatch.setattr(log_of_predictions, "TO_A_FILE", 30)
    answered.answer(list(range(10)), said="first")
    answered.answer(list(range(5, 60)), said="many")
    assert (answered.in_sql(), answered.in_files()) == (10, [(1, 50)])
    answered.answer(list(range(55, 100)), said="more")
    assert (answered.in_sql(), answered.in_files()) == (10, [(1, 50), (1, 40)])
    said = [f"{'first' if day < 10 else 'many' if day < 60 else 'more'}{day}" for day in range(100)]
    assert [given for given, _ in answered.read()] == said
    assert answered.missing() == 0
    answered.close()
    assert [given for given, _ in answered.read()] == said


@pytest.mark.parametrize("since", [None, START + timedelta(days=20)])
def test_what_is_exported_is_the_same_before_and_after(answered: Answered, since: datetime | None) -> None:
    """Every prediction of the times asked for stands in the export once, wherever it lies."""
    answered.answer(list(range(95)))
    answered.answer(list(range(40, 70)), version=2, said="no")

    def exported() -> list[Any]:
        asked = Asked(STREAM, since, START + timedelta(days=80))
        _, parts = StoredBatches(answered.database, answered.archive, answered.reader, asked, resolve).of("predictions")
        return pa.concat_tables(list(parts)).sort_by([("version", "ascending"), ("seq", "ascending")]).to_pylist()

    before = exported()
    answered.close(datetime(2024, 3, 20, tzinfo=UTC))
    assert exported() == before
    assert len(before) == (81 if since is None else 61) + 30


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("at", ["read", "file", "lock", "named", "deleted", "committed"])
def test_killed_anywhere_nothing_is_lost_or_doubled(
    answered: Answered, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """A kill at each durable step, then the whole again: everything is read and counted as before all the while."""
    answered.answer(list(range(95)))
    before = answered.read()
    with monkeypatch.context() as patch:
        _kill(patch, answered.database, at)
        with pytest.raises(Killed):
            answered.close()
    assert (answered.read(), answered.missing()) == (before, 5)
    assert answered.in_sql() + sum(rows for _, rows in answered.in_files()) == 95
    answered.close()
    assert (answered.read(), answered.missing()) == (before, 5)
    assert (answered.in_sql(), answered.in_files()) == (0, [(1, 31), (1, 29), (1, 31), (1, 4)])


def _kill(patch: pytest.MonkeyPatch, database: Database, at: str) -> None:
    def end_at(name: str, *, done: bool = True) -> None:
        real: Callable[..., Any] = getattr(month_moves, name)

        def killed(*given: Any) -> Any:
            if done:
                real(*given)
            raise Killed

        patch.setattr(month_moves, name, killed)

    def on_delete(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("DELETE FROM predictions"):
            sa.event.remove(database.engine, "after_cursor_execute", on_delete)
            raise Killed

    if at == "deleted":
        sa.event.listen(database.engine, "after_cursor_execute", on_delete)
        return
    places = {"file": "write_predictions", "lock": "lock_stream", "named": "add_file"}
    end_at(places.get(at, "_move"), done=at != "read")


def test_what_comes_in_between_waits_for_the_next_time(answered: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is added after a part was read and before it is moved keeps the part where it is."""
    answered.answer(list(range(0, 31, 2)))
    real = month_moves.write_predictions

    def meanwhile(*given: Any) -> str:
        answered.answer([1])
        return real(*given)

    monkeypatch.setattr(month_moves, "write_predictions", meanwhile)
    assert answered.close() == 0
    monkeypatch.undo()
    assert answered.close() == 17


def test_a_file_is_written_anew_without_some_rows(answered: Answered) -> None:
    """What is to be gone is gone from the new file, and only that; the old one stays until nobody reads it."""
    answered.answer(list(range(31)))
    answered.close()
    with answered.database.read() as connection:
        name = connection.execute(sa.select(t.prediction_files.c.name)).scalar_one()
    new, rows = without(answered.archive, name, "seq", np.array([3, 4, 500]))
    assert new is not None
    assert (new != name, rows) == (True, 29)
    assert not {3, 4} & set(answered.archive.read_table(new).column("seq").to_pylist())
    assert without(answered.archive, name, "seq", np.array([500])) == (name, 31)
    assert without(answered.archive, name, "seq", np.arange(31)) == (None, 0)


@contextmanager
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answered]:
    from trueup.storage.database import open_database

    home = tmp_path_factory.mktemp("home")
    database = open_database("", home)
    yield Answered(database, Archive("", home), 75)
    database.close()


Step = tuple[str, list[int]]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("answer"), st.lists(st.integers(0, 74), min_size=1, max_size=20, unique=True)),
        st.tuples(st.just("close"), st.lists(st.integers(20, 100), min_size=1, max_size=1)),
    ),
    max_size=8,
)


@given(steps=STEPS)
@settings(max_examples=examples(15))
def test_any_order_of_answers_and_moves_reads_as_one_table(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    """The first answer to each record stays, as in a dictionary; the count of those without one is exact."""
    known: dict[int, str] = {}
    with fresh(tmp_path_factory) as answered:
        for number, (what, days) in enumerate(steps):
            if what == "answer":
                answered.answer(sorted(days), said=f"n{number}-")
                known = {day: f"n{number}-{day}" for day in days} | known
            else:
                answered.close(START + timedelta(days=days[0]))
            assert [said for said, _ in answered.read()] == [known.get(day) for day in range(75)]
            assert answered.missing() == 75 - len(known)
