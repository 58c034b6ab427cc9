"""Rows without an id: what their id hangs on, and what is told of equal ones before anything is stored."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from trueup.feedback.chunks import chunk_of
from trueup.feedback.intake import ingest
from trueup.feedback.row_ids import EqualRows, IdForms
from trueup.feedback.validation import validate
from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.incoming import Appended
from trueup.storage.records.appending import RecordStore
from trueup.storage.row_ids import hashed_columns
from trueup.storage.stream import LabelPolicy, StreamSettings

NOW = datetime(2024, 6, 15, tzinfo=UTC)
STREAM = StreamSettings(
    name="reviews", time="at", text=("text",), numeric=("n",), slices=("version",), label=LabelPolicy(column="stars")
)
ROW = {"at": "2024-01-02", "text": "good", "n": "1.5", "version": "1.10", "stars": "5"}


def _ids(*rows: dict[str, str], stream: StreamSettings = STREAM) -> list[str]:
    return list(validate(stream, chunk_of(list(rows)), NOW).accepted.ids)


def _file(folder: Path, rows: list[dict[str, str]], name: str = "a.csv") -> str:
    pd.DataFrame(rows).to_csv(folder / name, index=False)
    return str(folder / name)


@given(order=st.permutations(list(ROW)), more=st.dictionaries(st.sampled_from(["votes", "_id", "crawled"]), st.text()))
def test_undeclared_columns_and_their_order_are_no_part_of_an_id(order: list[str], more: dict[str, str]) -> None:
    """A crawl that counts more votes, or writes its columns otherwise, brings the same record."""
    assert _ids({c: ROW[c] for c in order} | more) == _ids(ROW)


def test_the_time_counts_and_not_how_it_is_written() -> None:
    """The same instant in another form is the same record; another instant is another."""
    assert _ids(ROW | {"at": "2024-01-02T10:00:00+02:00"}) == _ids(ROW | {"at": "2024-01-02 08:00"})
    assert _ids(ROW | {"at": "2024-01-03"}) != _ids(ROW)


def test_a_label_that_comes_later_is_no_part_of_an_id() -> None:
    """With `arrived` a row is sent before its label is known, and again with it; otherwise the label is of the row."""
    late = STREAM.model_copy(update={"label": LabelPolicy(column="stars", arrived="seen")})
    assert _ids(ROW, stream=late) == _ids(ROW | {"stars": ""}, stream=late)
    assert _ids(ROW) != _ids(ROW | {"stars": "1"})


def test_rows_that_wait_for_their_label_without_an_id_are_told(store: RecordStore, tmp_path: Path) -> None:
    """Sent again with it they would be other records; where `arrived` is declared they are the same ones."""
    early = [{k: v for k, v in ROW.items() if k != "stars"}]
    notes: list[str] = []
    ingest(store, STREAM, [_file(tmp_path, early)], now=NOW, on_note=notes.append)
    assert any("1 row without a label yet" in note and "no id column" in note for note in notes)
    late = STREAM.model_copy(
        update={"name": "late", "label": STREAM.label.model_copy(update={"arrived": "seen"})}
    )
    notes.clear()
    waiting, known = ROW | {"stars": "", "seen": ""}, ROW | {"seen": "2024-01-09"}
    assert ingest(store, late, [_file(tmp_path, [waiting])], now=NOW, on_note=notes.append).accepted == 1
    assert ingest(store, late, [_file(tmp_path, [known])], now=NOW).duplicate == 1
    assert notes == []


def test_a_stream_keeps_the_hash_that_it_began_with(store: RecordStore, tmp_path: Path) -> None:
    """A feature declared later makes no new records of those that are stored."""
    path = _file(tmp_path, [ROW | {"place": "Rome"}, ROW | {"place": "Oslo", "text": "bad"}])
    assert ingest(store, STREAM, [path], now=NOW).accepted == 2
    more = STREAM.model_copy(update={"slices": ("version", "place")})
    assert store.hashed(more) == hashed_columns(STREAM)
    assert ingest(store, more, [path], now=NOW) == Appended(duplicate=2)


def test_a_stream_of_a_former_trueup_keeps_the_hash_of_every_column(
    store: RecordStore, database: Database, tmp_path: Path
) -> None:
    """Rows that were stored by all their columns are known again, and rows that differ in any are others."""
    path = _file(tmp_path, [ROW | {"place": "Rome"}, ROW | {"place": "Oslo"}])
    with database.write() as connection:  # the store as it was left: records, and no mark
        connection.execute(sa.insert(t.streams).values(name=STREAM.name, next_seq=1))
    notes: list[str] = []
    assert ingest(store, STREAM, [path], now=NOW, on_note=notes.append).accepted == 2
    assert ingest(store, STREAM, [path], now=NOW) == Appended(duplicate=2)
    assert (notes, store.hashed(STREAM).names) == ([], None)


def test_equal_rows_are_told_before_anything_is_stored(store: RecordStore, tmp_path: Path) -> None:
    """How many, which for example, and both ways out; the file's rows in all are told beside them."""
    rows = [ROW, ROW | {"text": "bad"}, ROW | {"votes": "7"}, ROW]
    told: list[tuple[str, int]] = []
    done = ingest(
        store, STREAM, [_file(tmp_path, rows)], now=NOW, on_note=lambda note: told.append((note, _next_seq(store)))
    )
    assert (done.accepted, done.duplicate) == (2, 2)
    ((note, stored),) = told
    assert stored == 0
    assert "2 of 4 rows equal another row in every declared column, such as lines 2 and 4" in note
    assert 'id = "..." under [streams.reviews]' in note


def _next_seq(store: RecordStore) -> int:
    with store._database.read() as connection:  # what is committed at this moment
        return connection.execute(sa.select(t.streams.c.next_seq)).scalar() or 0


@given(texts=st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=12), size=st.integers(1, 5))
def test_repeats_are_counted_over_the_whole_file(texts: list[str], size: int) -> None:
    """However the file is read in pieces, the count is of rows beyond the first of each."""
    rows = [ROW | {"text": text} for text in texts]
    chunks = [chunk_of(rows[k : k + size]) for k in range(0, len(rows), size)]
    seen = EqualRows(hashed_columns(STREAM), STREAM)
    list(seen.tapped(chunks))
    repeats = len(texts) - len(set(texts))
    assert [f"{repeats} of {len(texts)} rows" in note for note in seen.notes("f")] == [True] * (repeats > 0)


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        (["123", "123.0", "7"], "1 id in two ways, such as 123 and 123.0"),
        (["123.0", "124.0"], ""),
        (["5.7E+17", "5.71E+17", "a"], "2 ids that a spreadsheet rounded, such as 5.7E+17"),
        (["570000000000000123.0", "9"], "1 id that a spreadsheet rounded, such as 570000000000000123.0"),
        (["1e4", "0123", "123"], ""),
    ],
)
def test_ids_that_may_mean_another_are_told(ids: list[str], told: str) -> None:
    """One id written in two ways, and ids whose digits are gone."""
    forms = IdForms(STREAM.model_copy(update={"id": "key"}))
    list(forms.tapped([chunk_of([{"key": v}]) for v in ids]))
    notes = list(forms.notes("f"))
    assert len(notes) == bool(told)
    assert all(told in note for note in notes)
