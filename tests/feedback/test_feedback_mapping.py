"""Feedback in the shapes in which other programs export it: columns by name, lists of annotations, several users."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trueup.feedback.chunks import chunk_of
from trueup.feedback.feedback_items import validate_feedback
from trueup.feedback.feedback_rows import each_row
from trueup.feedback.intake import ingest, ingest_feedback
from trueup.feedback.labels import resolve
from trueup.feedback.quarantine import release_all
from trueup.storage.database import Database
from trueup.storage.errors import InputError
from trueup.storage.feedback_mapping import FeedbackMapping
from trueup.storage.majority import majority
from trueup.storage.reading import RecordReader
from trueup.storage.records.appending import RecordStore
from trueup.storage.stream import LabelPolicy, StreamSettings

NOW = datetime(2024, 6, 15, tzinfo=UTC)
CLASSES = {"negative": ["<=2", "Negative"], "positive": [">=4", "Positive"]}
STREAM = StreamSettings(
    name="reviews", id="id", time="at", text=("text",), label=LabelPolicy(column="stars", classes=CLASSES)
)
ANNOTATIONS = FeedbackMapping(
    record="data.review_id", kind="label", value="annotations.result.sentiment.value.choices",
    user="annotations.completed_by", time="annotations.created_at", each="annotations",
    cancelled="annotations.was_cancelled", several="majority",
)  # fmt: skip


def _mapped(mapping: FeedbackMapping) -> StreamSettings:
    return STREAM.model_copy(update={"feedback": mapping})


def _records(store: RecordStore, folder: Path, ids: str) -> None:
    body = "".join(f"{i},2024-01-01,text {i},\n" for i in ids)
    (folder / "records.csv").write_text("id,at,text,stars\n" + body)
    ingest(store, STREAM, [str(folder / "records.csv")], now=NOW)


def _annotation(user: int, choice: str | None, day: int = 1, *, cancelled: bool = False) -> dict[str, Any]:
    said = [{"from_name": "topic", "value": {"choices": ["price", "speed"]}}]
    if choice is not None:
        said.append({"from_name": "sentiment", "value": {"choices": [choice]}})
    at = f"2024-02-{day:02d}T10:00:00.123456Z"
    return {"id": user, "completed_by": user, "created_at": at, "was_cancelled": cancelled, "result": said}


def _tasks(folder: Path, tasks: dict[str, list[dict[str, Any]]]) -> str:
    document = [
        {"id": k, "data": {"review_id": i, "text": i}, "annotations": said} for k, (i, said) in enumerate(tasks.items())
    ]
    (folder / "tasks.json").write_text(json.dumps(document))
    return str(folder / "tasks.json")


def test_annotations_of_several_users_come_to_one_label(
    store: RecordStore, database: Database, reader: RecordReader, tmp_path: Path
) -> None:
    """The majority counts, a tie says nothing, cancelled ones neither; how often they differ is told."""
    stream = _mapped(ANNOTATIONS)
    _records(store, tmp_path, "abcd")
    path = _tasks(tmp_path, {
        "a": [_annotation(1, "Positive"), _annotation(2, "Positive", 2), _annotation(3, "Negative", 3)],
        "b": [_annotation(1, "Positive"), _annotation(2, "Negative", 2)],
        "c": [_annotation(1, "Negative"), _annotation(2, "Positive", cancelled=True)],
        "d": [],
    })  # fmt: skip
    notes: list[str] = []
    done = ingest_feedback(store, stream, [path], now=NOW, on_note=notes.append)
    assert (done.accepted, done.quarantined) == (6, 0)
    assert notes == [
        "Rows of feedback left out, since they give no label: 1 (cancelled, or an ignored value)",
        "2 records have labels of several users, who differ on 2 of them; the majority counts, and 1 ties count as no "
        "label",
    ]
    settling = RecordReader(database, reader._archive, resolve)
    rows = settling.read(stream, as_of=NOW)
    found = dict(zip(rows.meta["id"], resolve(stream, rows.meta["label"]), strict=True))
    assert found == {"a": "positive", "b": None, "c": "negative", "d": None}
    assert dict(zip(rows.meta["id"], settling.users(stream, rows, NOW), strict=True)) == {
        "a": None, "b": None, "c": "1", "d": None,
    }  # fmt: skip
    earlier = settling.read(stream, as_of=datetime(2024, 2, 1, 12, tzinfo=UTC))
    assert resolve(stream, earlier.meta["label"])[:3].tolist() == ["positive", "positive", "negative"]
    assert ingest_feedback(store, stream, [path], now=NOW).accepted == 0


def test_feedback_that_came_before_its_record_is_released_by_the_same_mapping(
    store: RecordStore, reader: RecordReader, tmp_path: Path
) -> None:
    """What quarantine keeps of an item is all that the mapping needs."""
    stream = _mapped(ANNOTATIONS.model_copy(update={"several": "newest"}))
    path = _tasks(tmp_path, {"a": [_annotation(1, "Positive"), _annotation(2, "Negative", 2)]})
    assert ingest_feedback(store, stream, [path], now=NOW).quarantined == 2
    _records(store, tmp_path, "a")
    items = [item.id for item in store.quarantine.items(stream)]
    assert [done.released for done in release_all(store, stream, items, now=NOW)] == [True, True]
    rows = reader.read(stream, as_of=NOW)
    assert resolve(stream, rows.meta["label"]).tolist() == ["negative"]


def test_the_newest_label_counts_where_nothing_else_is_said(store: RecordStore, tmp_path: Path) -> None:
    """That users differ is told, with the setting that counts them all."""
    stream = _mapped(ANNOTATIONS.model_copy(update={"several": "newest"}))
    _records(store, tmp_path, "a")
    notes: list[str] = []
    path = _tasks(tmp_path, {"a": [_annotation(1, "Positive"), _annotation(2, "Negative", 2)]})
    ingest_feedback(store, stream, [path], now=NOW, on_note=notes.append)
    assert "differ on 1 of them; the newest label counts" in notes[0]
    assert 'several = "majority"' in notes[0]


def test_a_field_that_no_item_has_is_refused_before_anything_is_stored(store: RecordStore, tmp_path: Path) -> None:
    """With the fields that there are."""
    stream = _mapped(ANNOTATIONS.model_copy(update={"user": "annotations.completed_by.email"}))
    path = _tasks(tmp_path, {"a": [_annotation(1, "Positive")]})
    with pytest.raises(InputError, match=r"no item of 'annotations' has 'annotations\.completed_by\.email'"):
        ingest_feedback(store, stream, [path], now=NOW)


def test_two_choices_are_no_label() -> None:
    """A list of several values is refused as what it is, not read as its first."""
    annotation = _annotation(1, None)
    annotation["result"].append({"from_name": "sentiment", "value": {"choices": ["Positive", "Negative"]}})
    chunk = each_row(ANNOTATIONS, chunk_of([{"data": {"review_id": "a"}, "annotations": [annotation]}]))
    (refused,) = validate_feedback(_mapped(ANNOTATIONS), chunk, NOW).refused
    assert refused.reason == "no_class"
    assert "Negative" in refused.detail


def test_what_holds_no_list_is_a_broken_row() -> None:
    """It costs only itself."""
    rows = [{"annotations": "none yet"}, {"annotations": [_annotation(1, "Positive")]}]
    chunk = each_row(ANNOTATIONS, chunk_of(rows))
    assert (len(chunk), [fault.line for fault in chunk.broken]) == (1, [1])


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("thumb", "👍🏽", "up"), ("thumb", "👎", "down"), ("thumb", "Like", "up"), ("thumb", "no", "down"),
        ("rating", "4,5", "4.5"), ("rating", "5/5", "5"), ("rating", "5.0 out of 5 stars", "5"),
        ("rating", "★★★★☆", "4"), ("label", "Positive ", "Positive"), ("label", "5/5", "5/5"), ("vote", "-1", "-1"),
    ],
)  # fmt: skip
def test_values_are_read_as_people_write_them(kind: str, value: str, kept: str) -> None:
    """Thumbs of any shade, ratings with a comma, out of five, or in stars."""
    mapping = FeedbackMapping(kind=kind, user="")
    row = {"record_id": "a", "value": value, "at": "2024-01-01"}
    (item,) = validate_feedback(_mapped(mapping), chunk_of([row]), NOW).items
    assert (item.kind, item.value, item.user) == (kind, kept, "")
    if kind == "label":
        assert resolve(STREAM, np.array([item.label], dtype=object)).tolist() == ["positive"]


def test_values_that_say_nothing_are_left_out() -> None:
    """A rating that was offered, and never given, is no fault."""
    mapping = FeedbackMapping(kind="thumb", user="", ignore=("offered", "Unoffered"))
    rows = [{"record_id": "a", "value": v, "at": "2024-01-01"} for v in ("good", "Offered", "unoffered", "dunno")]
    found = validate_feedback(_mapped(mapping), chunk_of(rows), NOW)
    assert ([i.value for i in found.items], found.silent, len(found.refused)) == (["up"], 2, 1)


def test_a_mapping_names_each_column_once() -> None:
    """A column cannot be record and value at once, and none but the user is left out."""
    for wrong in ({"value": "record_id"}, {"record": ""}, {"time": ()}):
        with pytest.raises(ValidationError):
            FeedbackMapping(**wrong)


GIVEN = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["x", "y", "z", ""]), st.sampled_from(["a", "b", None])))


@given(given_labels=GIVEN, shuffle=st.randoms())
def test_a_majority_is_of_users_and_of_their_newest_labels(given_labels: list[Any], shuffle: Any) -> None:
    """As counted by hand, in whatever order the labels lie."""
    labels = [(record, user, at, answer) for at, (record, user, answer) in enumerate(given_labels)]
    expected: dict[int, str] = {}
    for record in range(4):
        newest = {user or str(at): answer for r, user, at, answer in labels if r == record and answer is not None}
        votes = sorted(((list(newest.values()).count(a), a) for a in set(newest.values())), reverse=True)
        if votes and (len(votes) == 1 or votes[0][0] > votes[1][0]):
            expected[record] = votes[0][1]
    shuffle.shuffle(labels)
    columns = list(zip(*labels, strict=True)) or [(), (), (), ()]
    record, user, at, answer = (np.array([*column, None], dtype=object)[:-1] for column in columns)
    won = majority(record.astype(np.int64), user, at.astype(np.int64), answer, answer)
    assert {int(record[k]): answer[k] for k in won} == expected
    assert len(won) == len(expected)


def test_of_numbers_the_middle_one_counts() -> None:
    """Of two the lower; one user's newest number only."""
    numbers = np.array([3.0, 9.0, 4.0, 7.0, 1.0], dtype=object)
    record, user = np.array([0, 0, 0, 1, 1]), np.array(["a", "b", "c", "a", "b"], dtype=object)
    won = majority(record, user, np.arange(5), numbers, numbers)
    assert numbers[won].tolist() == [4.0, 1.0]
    again = majority(np.zeros(2, int), np.array(["a", "a"], dtype=object), np.arange(2), numbers[:2], numbers[:2])
    assert numbers[again].tolist() == [9.0]
