"""Quarantine: what was refused can be looked at, and released once it holds."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from trueup.feedback.intake import ingest, ingest_feedback
from trueup.feedback.quarantine import quarantined_item, release, release_all
from trueup.storage.errors import InputError
from trueup.storage.reading import RecordReader
from trueup.storage.records.appending import RecordStore
from trueup.storage.stream import LabelPolicy, StreamSettings

NOW = datetime(2024, 6, 15, tzinfo=UTC)
STREAM = StreamSettings(name="s", id="id", time="at", text=("t",), numeric=("n",), label=LabelPolicy(column="y"))


def _ingest(store: RecordStore, body: str, stream: StreamSettings = STREAM) -> None:
    ingest(store, stream, ["-"], now=NOW, stdin=io.BytesIO(("id,at,t,n,y\n" + body).encode()))


def _said(store: RecordStore, body: str) -> None:
    ingest_feedback(store, STREAM, ["-"], now=NOW, stdin=io.BytesIO(("record_id,kind,value,user,at\n" + body).encode()))


def test_a_row_is_released_when_the_schema_has_come_right(store: RecordStore, reader: RecordReader) -> None:
    """Refused as no number; once the column is a category the same raw row goes in, and leaves the list."""
    _ingest(store, "a,2024-01-01,hello,two,1\n")
    (item,) = store.quarantine.items(STREAM)
    still = release(store, STREAM, item.id, now=NOW)
    assert (still.released, still.reason) == (False, "wrong_type")
    assert "'two'" in still.detail
    mended = STREAM.model_copy(update={"numeric": (), "categorical": ("n",)})
    assert release(store, mended, item.id, now=NOW).released
    assert reader.read(mended, as_of=NOW).features.iloc[0].tolist() == ["hello", "two"]
    assert store.quarantine.items(STREAM) == []
    assert quarantined_item(store, STREAM, item.id).released_at == NOW
    assert release(store, mended, item.id, now=NOW).released


def test_feedback_is_released_when_its_record_has_come(store: RecordStore, reader: RecordReader) -> None:
    """An unknown record is no error of the person who spoke: the item waits, and then counts."""
    _said(store, "a,label,9,ann,2024-02-01\n")
    (item,) = store.quarantine.items(STREAM)
    assert item.kind == "feedback"
    assert release(store, STREAM, item.id, now=NOW).reason == "unknown_record"
    assert len(store.quarantine.items(STREAM)) == 1
    _ingest(store, "a,2024-01-01,hello,2,1\n")
    assert release(store, STREAM, item.id, now=NOW).released
    assert reader.read(STREAM, as_of=NOW).meta["label"].tolist() == ["9"]
    assert store.quarantine.items(STREAM) == []


def test_broken_and_conflicting_rows_stay_refused_and_say_why(store: RecordStore) -> None:
    """No schema fixes a broken line, and a stored record is not replaced."""
    _ingest(store, "a,2024-01-01,hello,2,1\nb,2024\na,2024-01-01,other,2,1\n")
    items = {i.reason: i for i in store.quarantine.items(STREAM)}
    assert set(items) == {"broken_line", "conflict"}
    broken = release(store, STREAM, items["broken_line"].id, now=NOW)
    assert (broken.released, broken.reason) == (False, "broken_line")
    assert "ingest it again" in broken.detail
    conflict = release(store, STREAM, items["conflict"].id, now=NOW)
    assert (conflict.released, conflict.reason) == (False, "conflict")
    assert len(store.quarantine.items(STREAM)) == 2


def test_bad_unicode_does_not_slip_in_by_release(store: RecordStore) -> None:
    """The raw content reads back as it was, so that it is refused again."""
    line = b'{"id":"a","at":"2024-01-01","t":"x\\ud83d","n":1,"y":1}\n'
    ingest(store, STREAM, ["-"], now=NOW, stdin=io.BytesIO(line))
    (item,) = store.quarantine.items(STREAM)
    assert item.reason == "bad_unicode"
    assert release(store, STREAM, item.id, now=NOW).reason == "bad_unicode"


def test_one_unknown_item_of_several_releases_none(store: RecordStore) -> None:
    """What the message says is what happened."""
    _ingest(store, "a,2024-01-01,hello,two,1\n")
    mended = STREAM.model_copy(update={"numeric": (), "categorical": ("n",)})
    (item,) = store.quarantine.items(STREAM)
    with pytest.raises(InputError, match="'nope'; nothing was released"):
        release_all(store, mended, [item.id, "nope"], now=NOW)
    assert len(store.quarantine.items(STREAM)) == 1
    assert [r.released for r in release_all(store, mended, [item.id], now=NOW)] == [True]


def test_an_unknown_item_is_named(store: RecordStore) -> None:
    """The message says what to look at instead."""
    with pytest.raises(InputError, match="holds no item 'nope'"):
        release(store, STREAM, "nope", now=NOW)
