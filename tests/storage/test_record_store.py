"""The store of records: durable, idempotent, and read as it was known at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from trueup.storage.content import evaluation_side, normalise
from trueup.storage.errors import ConfigError
from trueup.storage.incoming import FeedbackItem, Incoming, Refused
from trueup.storage.predictions import PredictionLog
from trueup.storage.reading import RecordReader
from trueup.storage.records.appending import RecordStore
from trueup.storage.stream import LabelPolicy, OrderTime, SentPrediction, StreamSettings
from trueup.storage.training_settings import Training

NOW = datetime(2024, 6, 1, tzinfo=UTC)
STREAM = StreamSettings(name="r", id="id", time="at", text=("text",), label=LabelPolicy(column="stars"))


def batch(
    ids: list[str], *, days: list[int], texts: list[str] | None = None, labels: list[str | None] | None = None
) -> Incoming:
    times = np.array([np.datetime64("2024-01-01", "us") + np.timedelta64(d, "D") for d in days], dtype="M8[us]")
    raw_labels = np.array(labels or ["5"] * len(ids), dtype=object)
    return Incoming(
        ids=np.array(ids, dtype=object),
        times=times,
        table=pa.table({"id": ids, "text": texts or [f"text of {i}" for i in ids], "stars": raw_labels}),
        labels=raw_labels,
        known_at=np.where([x is not None for x in raw_labels], times, np.datetime64("NaT", "us")),
        labelled=np.array([x is not None for x in raw_labels]),
        lines=np.arange(1, len(ids) + 1),
        raw=[f"raw {i}" for i in ids],
    )


def test_sent_twice_is_stored_once(store: RecordStore, reader: RecordReader) -> None:
    """The same batch again changes nothing and says so."""
    sent = batch(["a", "b", "c"], days=[0, 1, 2])
    first = store.append(STREAM, sent, [], source="f", now=NOW)
    again = store.append(STREAM, sent, [], source="f", now=NOW)
    assert (first.accepted, again.accepted, again.duplicate) == (3, 0, 3)
    assert list(reader.read(STREAM, as_of=NOW).meta["id"]) == ["a", "b", "c"]


def test_ids_may_stay_in_arrow(store: RecordStore, reader: RecordReader) -> None:
    """Several batches whose times cross, and none at all: all is as without, but for the memory of the ids."""
    store.append(STREAM, batch(["a", "b", "c"], days=[0, 4, 2]), [], source="f", now=NOW)
    store.append(STREAM, batch(["d", "e é"], days=[3, 1], labels=["1", None]), [], source="f", now=NOW)
    for since in (None, datetime(2024, 1, 2, tzinfo=UTC), NOW):
        plain, small = (reader.read(STREAM, as_of=NOW, after=since, ids_in_arrow=kept) for kept in (False, True))
        assert list(small.meta["id"]) == list(plain.meta["id"])
        pd.testing.assert_frame_equal(small.meta.drop(columns="id"), plain.meta.drop(columns="id"))
        pd.testing.assert_frame_equal(small.features, plain.features)
    whole = reader.read(STREAM, as_of=NOW, ids_in_arrow=True)
    assert list(whole.meta["id"]) == ["a", "e é", "c", "d", "b"]
    assert list(whole.take(np.array([True, False, False, True, True])).meta["id"]) == ["a", "d", "b"]


def test_other_content_under_a_stored_id_is_quarantined(store: RecordStore, reader: RecordReader) -> None:
    """What was acted on stays; the newcomer is kept aside with its raw content."""
    store.append(STREAM, batch(["a"], days=[0]), [], source="f", now=NOW)
    done = store.append(STREAM, batch(["a"], days=[0], texts=["something else"]), [], source="g", now=NOW)
    assert (done.accepted, done.duplicate, done.quarantined) == (0, 0, 1)
    (item,) = store.quarantine.items(STREAM)
    assert (item.reason, item.raw, item.source) == ("conflict", "raw a", "g")
    assert list(reader.read(STREAM, as_of=NOW).features["text"]) == ["text of a"]


def test_a_label_that_comes_later_is_added(store: RecordStore, reader: RecordReader) -> None:
    """A record sent again with the label it lacked gains the label, and stays one record."""
    store.append(STREAM, batch(["a"], days=[0], labels=[None]), [], source="f", now=NOW)
    assert not reader.read(STREAM, as_of=NOW).labelled.any()
    store.append(STREAM, batch(["a"], days=[0], labels=["1"]), [], source="f", now=NOW)
    rows = reader.read(STREAM, as_of=NOW)
    assert list(rows.meta["label"]) == ["1"]
    assert len(rows) == 1


REVISED = STREAM.model_copy(update={"on_change": "revise"})
SOON, LATER = NOW + timedelta(days=1), NOW + timedelta(days=2)


def test_an_edited_record_is_a_revision_known_from_its_arrival(store: RecordStore, reader: RecordReader) -> None:
    """Text and label are new from then on; a time before sees the old ones; time and side of the split stay."""
    store.append(REVISED, batch(["a", "b"], days=[0, 1], labels=["5", "4"]), [], source="f", now=NOW)
    edited = batch(["a", "b"], days=[0, 1], texts=["UPDATE bad", "text of b"], labels=["1", "4"])
    done = store.append(REVISED, edited, [], source="g", now=SOON)
    assert (done.accepted, done.revised, done.duplicate, done.quarantined) == (0, 1, 1, 0)
    before, after = (reader.read(REVISED, as_of=moment) for moment in (NOW, SOON))
    assert (list(before.features["text"]), list(before.meta["label"])) == (["text of a", "text of b"], ["5", "4"])
    assert (list(after.features["text"]), list(after.meta["label"])) == (["UPDATE bad", "text of b"], ["1", "4"])
    assert list(after.meta["content"] != before.meta["content"]) == [True, False]
    for name in ("id", "time", "seq", "evaluation", "group"):
        assert list(before.meta[name]) == list(after.meta[name])


def test_what_was_sent_before_is_no_revision_when_it_is_sent_again(store: RecordStore, reader: RecordReader) -> None:
    """Yesterday's file taken in again, and today's, leave the store as it was; a third content is one more revision."""
    old, new, newest = (batch(["a"], days=[0], texts=[text], labels=["5"]) for text in ("one", "two", "three"))
    store.append(REVISED, old, [], source="f", now=NOW)
    assert store.append(REVISED, new, [], source="g", now=SOON).revised == 1
    for sent in (old, new):
        assert store.append(REVISED, sent, [], source="h", now=LATER).duplicate == 1
    assert store.append(REVISED, newest, [], source="i", now=LATER).revised == 1
    said = [reader.read(REVISED, as_of=moment).features["text"][0] for moment in (NOW, SOON, LATER)]
    assert said == ["one", "two", "three"]


def test_a_refused_edit_is_quarantined_once(store: RecordStore) -> None:
    """Also where a column that no setting names, such as its votes, has changed since."""
    store.append(STREAM, batch(["a"], days=[0]), [], source="f", now=NOW)
    edited = batch(["a"], days=[0], texts=["something else"])
    for raw in ("votes 1", "votes 2"):
        store.append(STREAM, replace(edited, raw=[raw]), [], source="g", now=NOW)
    assert len(store.quarantine.items(STREAM)) == 1


def test_another_label_under_a_stored_id_is_a_conflict(store: RecordStore, reader: RecordReader) -> None:
    """A record's own label is not changed behind the back of what was learnt from it; feedback is the way."""
    store.append(STREAM, batch(["a"], days=[0], labels=["5"]), [], source="f", now=NOW)
    done = store.append(STREAM, batch(["a"], days=[0], labels=["1"]), [], source="g", now=NOW)
    assert (done.duplicate, done.quarantined) == (0, 1)
    assert list(reader.read(STREAM, as_of=NOW).meta["label"]) == ["5"]


def test_the_world_is_read_as_it_was_known(store: RecordStore, reader: RecordReader) -> None:
    """A record is known from its time, a correction from its own; feedback overrides the record's label."""
    store.append(STREAM, batch(["a", "b"], days=[0, 10]), [], source="f", now=NOW)
    at = datetime(2024, 1, 5, tzinfo=UTC)
    item = FeedbackItem("f1", "a", "label", "1", "u", at, "1", 1, "raw")
    assert store.append_feedback(STREAM, [item], [], source="g", now=NOW).accepted == 1
    assert store.append_feedback(STREAM, [item], [], source="g", now=NOW).duplicate == 1
    early = reader.read(STREAM, as_of=datetime(2024, 1, 4, tzinfo=UTC))
    late = reader.read(STREAM, as_of=datetime(2024, 1, 6, tzinfo=UTC))
    assert list(early.meta["label"]) == ["5"]
    assert (list(late.meta["label"]), list(late.meta["provenance"])) == (["1"], ["feedback"])


def test_feedback_on_an_unknown_record_waits(store: RecordStore) -> None:
    """Feedback that comes before its record is not lost."""
    item = FeedbackItem("f1", "zz", "label", "1", "u", NOW, "1", 7, "the raw line")
    assert store.append_feedback(STREAM, [item], [], source="g", now=NOW).quarantined == 1
    (kept,) = store.quarantine.items(STREAM)
    assert (kept.kind, kept.reason, kept.line, kept.raw) == ("feedback", "unknown_record", 7, "the raw line")


def test_rows_come_from_many_segments(store: RecordStore, reader: RecordReader) -> None:
    """The rows of a time range are the same however the records were batched, also when they came out of order."""
    rng = np.random.default_rng(3)
    days = rng.permutation(60)
    for start in range(0, 60, 7):
        ids = [f"r{d}" for d in days[start : start + 7]]
        store.append(STREAM, batch(ids, days=list(days[start : start + 7])), [], source="f", now=NOW)
    rows = reader.read(STREAM, after=datetime(2024, 1, 11, tzinfo=UTC), as_of=datetime(2024, 2, 15, tzinfo=UTC))
    assert list(rows.meta["id"]) == [f"r{d}" for d in range(11, 46)]
    assert list(rows.features["text"]) == [f"text of r{d}" for d in range(11, 46)]
    assert len(reader.read(STREAM, as_of=NOW)) == 60


def test_predictions_are_kept_by_version(
    store: RecordStore, reader: RecordReader, predictions: PredictionLog
) -> None:
    """A version's answer is kept once and read with its version only."""
    store.append(STREAM, batch(["a", "b"], days=[0, 1]), [], source="f", now=NOW)
    rows = reader.read(STREAM, as_of=NOW)
    predictions.add(STREAM, 1, rows, np.array(["x", "y"], object), np.array([0.2, np.nan]))
    predictions.add(STREAM, 1, rows, np.array(["z", "z"], object), np.array([0.9, 0.9]))
    assert list(reader.read(STREAM, as_of=NOW, version=1).meta["predicted"]) == ["x", "y"]
    assert reader.read(STREAM, as_of=NOW, version=2).meta["predicted"].isna().all()


def test_refused_rows_are_kept_once(store: RecordStore) -> None:
    """The same bad line sent twice stands once in quarantine."""
    bad = [Refused(3, "no_text", "text is empty", "a,,5")]
    for _ in range(2):
        store.append(STREAM, batch(["a"], days=[0]), bad, source="f", now=NOW)
    assert len(store.quarantine.items(STREAM)) == 1


def test_equal_content_falls_on_one_side() -> None:
    """The side follows the normalised content, in about the declared share, and another salt draws anew."""
    groups = np.arange(20_000)
    side = evaluation_side(STREAM, groups)
    assert 0.18 < side.mean() < 0.22
    salted = STREAM.model_copy(update={"training": STREAM.training.model_copy(update={"split_salt": "2"})})
    assert (evaluation_side(salted, groups) != side).mean() > 0.2
    assert normalise("  ＧＯＯＤ\u00a0 Phone\n") == "good phone"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"training": Training(evaluation_share=0.3)}, "training.evaluation_share was 0.2 and is 0.3"),
        ({"training": Training(split_salt="x")}, "training.split_salt"),
        ({"group": ("id",)}, "group"),
    ],
)
def test_the_split_of_stored_records_stays(store: RecordStore, change: dict[str, Any], named: str) -> None:
    """Other settings of the split are refused once a record is stored, and hold before."""
    other = STREAM.model_copy(update=change)
    store.append(other, batch([], days=[]), [], source="f", now=NOW)
    store.append(STREAM, batch(["a"], days=[0]), [], source="f", now=NOW)
    with pytest.raises(ConfigError, match=named):
        store.append(other, batch(["b"], days=[1]), [], source="f", now=NOW)
    assert store.append(STREAM, batch(["b"], days=[1]), [], source="f", now=NOW).accepted == 1


def test_intake_order_is_the_clock_where_there_is_none(store: RecordStore, reader: RecordReader) -> None:
    """Row k of such a stream lies k steps after its start, over all batches."""
    stream = StreamSettings(
        name="o", time=OrderTime(start="1996-05-07", step="30min"), numeric=("x",), label=LabelPolicy(column="y")
    )
    for part in ([0.5, 1.5], [2.5]):
        sent = Incoming(
            ids=np.array([f"i{x}" for x in part], dtype=object),
            times=np.array([], dtype="datetime64[us]"),
            table=pa.table({"x": part, "y": ["1"] * len(part)}),
            labels=np.array(["1"] * len(part), dtype=object),
            known_at=np.array([], dtype="datetime64[us]"),
            labelled=np.ones(len(part), dtype=bool),
            lines=np.arange(len(part)),
            raw=[""] * len(part),
        )
        store.append(stream, sent, [], source="f", now=NOW)
    rows = reader.read(stream, as_of=NOW)
    assert [str(v)[11:16] for v in rows.meta["time"].to_numpy()] == ["00:00", "00:30", "01:00"]
    assert rows.features["x"].dtype == np.float64
    assert rows.labelled.all()


@pytest.mark.parametrize("stamp", ["2024-01-03T00:00:00", "2024-01-02T23:59:59.999999"])
def test_as_of_is_included(store: RecordStore, reader: RecordReader, stamp: str) -> None:
    """A record at T is known at T."""
    store.append(STREAM, batch(["a", "b", "c"], days=[0, 1, 2]), [], source="f", now=NOW)
    known = len(reader.read(STREAM, as_of=datetime.fromisoformat(stamp).replace(tzinfo=UTC)))
    assert known == (3 if stamp.startswith("2024-01-03") else 2)


def test_records_without_an_answer_are_counted(
    store: RecordStore, reader: RecordReader, predictions: PredictionLog
) -> None:
    """What a version has yet to answer is known without reading the records; other times and versions do not count."""
    store.append(STREAM, batch(["a", "b", "c"], days=[0, 1, 2]), [], source="f", now=NOW)
    after = datetime(2024, 1, 1, tzinfo=UTC)
    rows = reader.read(STREAM, as_of=NOW, after=after)
    assert predictions.missing(STREAM, 1, after=after, as_of=NOW) == 2
    predictions.add(STREAM, 1, rows.newest(1), np.array(["x"], object), np.array([0.5]))
    predictions.add(STREAM, 2, rows, np.array(["x", "y"], object), np.array([0.5, np.nan]))
    assert [predictions.missing(STREAM, v, after=after, as_of=NOW) for v in (1, 2)] == [1, 0]
    assert predictions.missing(STREAM, 1, after=after, as_of=datetime(2024, 1, 2, tzinfo=UTC)) == 1
    again = reader.read(STREAM, as_of=NOW, after=after, version=2)
    assert list(again.meta["predicted"]) == ["x", "y"]
    assert np.array_equal(again.meta["score"], [0.5, np.nan], equal_nan=True)


def test_when_records_came_is_known_for_each(store: RecordStore, reader: RecordReader) -> None:
    """Each record's time of receipt is that of its batch, in the order of receipt."""
    later = datetime(2024, 6, 2, tzinfo=UTC)
    store.append(STREAM, batch(["a", "b"], days=[5, 6]), [], source="f", now=later)
    store.append(STREAM, batch(["c"], days=[0]), [], source="f", now=NOW)
    accepted, refused = reader.received(STREAM, later)
    assert list(accepted) == [np.datetime64(m.replace(tzinfo=None), "us") for m in (NOW, later, later)]
    assert len(refused) == 0


def test_in_replayed_time_rows_come_on_the_day_they_happened(store: RecordStore, reader: RecordReader) -> None:
    """A past day knows the records and the refused rows of its days, all of which were taken in at once much later."""
    bad = [Refused(1, "no_text", "text is empty", "a,,5", at) for at in (NOW - timedelta(days=40), NOW, None)]
    raw = [replace(item, raw=str(k)) for k, item in enumerate(bad)]
    store.append(STREAM, batch(["a", "b"], days=[0, 300]), raw, source="f", now=NOW + timedelta(days=1))
    accepted, refused = reader.received(STREAM, NOW - timedelta(days=30))
    day = (NOW - timedelta(days=40)).date()
    assert (list(accepted), list(refused)) == ([np.datetime64("2024-01-01", "us")], [np.datetime64(day, "us")])
    accepted, refused = reader.received(STREAM, NOW + timedelta(days=1))
    assert (len(accepted), len(refused)) == (2, 3)


def test_what_a_service_answered_is_read_beside_its_records(store: RecordStore, reader: RecordReader) -> None:
    """From every file that the rows came in, also one that was taken in before any prediction was declared."""
    sends = STREAM.model_copy(update={"prediction": SentPrediction(column="said", version="by")})
    first, second = batch(["a", "b"], days=[0, 3]), batch(["c", "d"], days=[1, 2])
    store.append(STREAM, first, [], source="f", now=NOW)
    answered = second.table.append_column("said", [["yes", None]]).append_column("by", [["svc-1", "svc-1"]])
    store.append(sends, replace(second, table=answered), [], source="g", now=NOW)
    rows = reader.read(sends, as_of=NOW)
    sent = reader.sent(sends, rows)
    assert list(rows.meta["id"]) == ["a", "c", "d", "b"]
    assert sent.answer.tolist() == [None, "yes", None, None]
    assert sent.version.tolist() == [None, "svc-1", "svc-1", None]
    assert sent.score.tolist() == [None] * 4
    assert reader.sent(STREAM, rows).answer.tolist() == [None] * 4


def test_when_the_first_label_of_each_record_was_known(store: RecordStore, reader: RecordReader) -> None:
    """As known by a time, in the order of the records; of several labels of one record the first counts."""
    store.append(STREAM, batch(["b", "a"], days=[9, 2], labels=["1", None]), [], source="f", now=NOW)
    store.append(STREAM, batch(["c"], days=[40]), [], source="f", now=NOW)
    begin, day = datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 20, tzinfo=UTC)
    times, known = reader.label_times(STREAM, reader.times(STREAM, day), after=begin, as_of=day)
    assert times.astype("datetime64[D]").astype(str).tolist() == ["2024-01-03", "2024-01-10"]
    assert known.astype("datetime64[D]").astype(str).tolist() == ["NaT", "2024-01-10"]
    late = NOW + timedelta(days=1)
    assert len(reader.label_times(STREAM, reader.times(STREAM, late), after=NOW, as_of=late)[0]) == 0


def test_labels_of_records_of_one_time_are_all_known(store: RecordStore, reader: RecordReader) -> None:
    """Each of them, whichever it belongs to; and what came in after the times were read is left out."""
    days, given = [3, 3, 3, 1, 3], [None, "1", "2", "4", None]
    store.append(STREAM, batch(list("abcde"), days=days, labels=given), [], source="f", now=NOW)
    arrived, begin = reader.times(STREAM, NOW), datetime(2023, 12, 31, tzinfo=UTC)
    store.append(STREAM, batch(["f", "g"], days=[2, 4], labels=["5", "5"]), [], source="g", now=NOW)
    times, known = reader.label_times(STREAM, arrived, after=begin, as_of=NOW)
    assert len(times) == 5
    assert sorted(known[~np.isnat(known)].astype("datetime64[D]").astype(str)) == ["2024-01-02", *["2024-01-04"] * 2]
