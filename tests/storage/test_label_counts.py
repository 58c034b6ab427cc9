"""Labels are counted and found, and whole numbers read in columns, as if each row had been looked at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from tests.storage.test_record_store import NOW, STREAM, batch
from trueup.feedback.labels import resolve
from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.history.integer_columns import integer_columns
from trueup.storage.history.label_counts import labelled_records
from trueup.storage.incoming import FeedbackItem
from trueup.storage.reading import RecordReader
from trueup.storage.records.appending import RecordStore

START = datetime(2024, 1, 1, tzinfo=UTC)
CLASSED = STREAM.model_copy(
    update={"label": STREAM.label.model_copy(update={"classes": {"bad": "<=2", "good": ">=4"}}), "on_change": "revise"}
)


@pytest.mark.parametrize(("after", "until", "as_of"), [(-1, 99, 99), (5, 30, 99), (-1, 99, 0), (10, 20, 1)])
def test_labels_are_counted_as_they_are_read(
    store: RecordStore, reader: RecordReader, database: Database, after: int, until: int, as_of: int
) -> None:
    """Own labels of classes and of none, later ones, changes of records and feedback: those that a check reads."""
    days = list(range(40))
    given: list[str | None] = [None if day % 7 == 0 else str(1 + day % 5) for day in days]
    ids = [f"i{day}" for day in days]
    store.append(CLASSED, batch(ids, days=days, labels=given), [], source="f", now=NOW)
    changed = batch(ids[20:24], days=days[20:24], texts=["other"] * 4, labels=["3", "1", "5", "3"])
    store.append(CLASSED, changed, [], source="g", now=NOW)
    told = [
        FeedbackItem(
            id=f"f{day}", record_id=f"i{day}", kind="label", value=str(1 + day % 4), user="u",
            at=START + timedelta(days=day), label=str(1 + day % 4), line=day, raw="",
        )
        for day in (0, 7, 8, 9, 21)
    ]  # fmt: skip
    store.append_feedback(CLASSED, told, [], source="h", now=NOW)
    span = START + timedelta(days=after), START + timedelta(days=until)
    known = START + timedelta(days=40 * as_of)
    rows = reader.read(CLASSED, after=span[0], as_of=known).until(min(span[1], known))
    expected = sum(label is not None for label in resolve(CLASSED, rows.meta["label"]))
    found = labelled_records(
        database, reader, CLASSED, resolve, after=span[0], until=min(span[1], known), as_of=known
    )
    assert found == expected


def test_labels_are_the_same_by_place_and_by_time(store: RecordStore, reader: RecordReader) -> None:
    """Of a batch whose times reach over the whole history, and of rows far apart in it, as of all at once."""
    for start in range(4):
        days = list(range(start, 40, 4))
        given = [None if day % 7 == 0 else str(1 + day % 5) for day in days]
        store.append(CLASSED, batch([f"i{d}" for d in days], days=days, labels=given), [], source="f", now=NOW)
    until = START + timedelta(days=99)
    rows = reader.read(CLASSED, as_of=until)
    place = rows.meta["seq"].to_numpy()
    for some in ((place >= 10) & (place < 20), np.isin(place, [0, 39]), place < 0):
        expected = rows.take(some).meta
        told = reader.labelled(CLASSED, rows.take(some).with_meta(label=None, provenance=None), until).meta
        assert told.equals(expected)


def test_columns_of_whole_numbers(store: RecordStore, database: Database) -> None:
    """Row beside row, none of them, and one of them, on both databases."""
    days = [3, 1, 2]
    store.append(STREAM, batch(["a", "b", "c"], days=days), [], source="f", now=NOW)
    r = t.records.c
    query = sa.select(r.seq, sa.type_coerce(r.time, sa.BigInteger))
    with database.read() as connection:
        seq, time = integer_columns(connection, query)
        (nothing,) = integer_columns(connection, sa.select(r.seq).where(r.seq > 99))
    start = int(np.datetime64("2024-01-01", "us").astype(int))
    expected = {place: start + day * 86_400_000_000 for place, day in enumerate(days)}
    assert dict(zip(seq.tolist(), time.tolist(), strict=True)) == expected
    assert (nothing.dtype, len(nothing)) == (np.dtype(np.int64), 0)
