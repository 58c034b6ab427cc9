"""Intake by file: what is accepted, what is a duplicate, what is kept aside, and that a second run changes nothing."""

from __future__ import annotations

import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from trueup.feedback import intake, taken_files
from trueup.feedback.intake import ingest, ingest_feedback
from trueup.feedback.labels import resolve
from trueup.storage.errors import ConfigError, InputError
from trueup.storage.incoming import Appended
from trueup.storage.reading import RecordReader
from trueup.storage.records.appending import RecordStore
from trueup.storage.stream import LabelPolicy, OrderTime, StreamSettings

NOW = datetime(2024, 6, 15, tzinfo=UTC)
STREAM = StreamSettings(
    name="reviews", id="id", time="at", text=("text",), slices=("version",),
    label=LabelPolicy(column="stars", classes={"negative": "<=2", "positive": ">=4"}),
)
HEADER = "id,at,text,version,stars\n"


def _csv(folder: Path, body: str, name: str = "a.csv") -> str:
    (folder / name).write_text(HEADER + body, encoding="utf-8")
    return str(folder / name)


def _labels(reader: RecordReader, stream: StreamSettings = STREAM) -> dict[str, Any]:
    rows = reader.read(stream, as_of=NOW)
    return dict(zip(rows.meta["id"], resolve(stream, rows.meta["label"]), strict=True))


def test_good_rows_go_in_and_bad_ones_are_kept_aside(store: RecordStore, reader: RecordReader, tmp_path: Path) -> None:
    """Accepted, duplicate and quarantined add up to the rows; each refused one has its line and reason."""
    path = _csv(tmp_path, "a,2024-01-01,good,1.0,5\nb,2024-01-02,,1.0,1\na,2024-01-01,good,1.0,5\nc,2024-01-03,bad\n")
    assert ingest(store, STREAM, [path], now=NOW) == Appended(accepted=1, duplicate=1, quarantined=2, labelled=1)
    assert _labels(reader) == {"a": "positive"}
    kept = store.quarantine.items(STREAM)
    assert {(i.line, i.reason, i.kind, i.source) for i in kept} == {
        (3, "no_text", "record", path), (5, "broken_line", "record", path),
    }
    assert json.loads(next(i.raw for i in kept if i.line == 3))["id"] == "b"


def test_the_same_file_again_changes_nothing(
    store: RecordStore, reader: RecordReader, tmp_path: Path, shared_data: Path
) -> None:
    """Real rows, in small batches, stored half (as after a kill) and then whole: each once, also from other formats."""
    stream = StreamSettings(
        name="flipkart", time="Month", time_format="%b %Y", text=("Review text",), label=LabelPolicy(column="Ratings")
    )
    frame = pd.read_csv(shared_data / "flipkart_badminton.csv").head(400)
    rows = frame.drop_duplicates(["Month", "Review text", "Ratings"])
    bad = int((rows["Month"].isna() | rows["Review text"].isna()).sum())
    half, whole = str(tmp_path / "half.csv"), str(tmp_path / "whole.csv")
    frame.head(150).to_csv(half, index=False)
    frame.to_csv(whole, index=False)
    first = ingest(store, stream, [half], now=NOW, batch=40)
    second = ingest(store, stream, [whole], now=NOW, batch=70)
    assert first.accepted + second.accepted == len(rows) - bad
    frame.to_parquet(tmp_path / "whole.parquet", index=False)
    frame.to_json(tmp_path / "whole.jsonl", orient="records", lines=True)
    before = reader.read(stream, as_of=NOW)
    again = ingest(store, stream, [whole, str(tmp_path / "whole.parquet"), str(tmp_path / "whole.jsonl")], now=NOW)
    assert again.accepted == 0
    pd.testing.assert_frame_equal(before.meta, reader.read(stream, as_of=NOW).meta)


def test_an_intake_broken_off_half_way_is_finished_by_a_second_run(
    store: RecordStore, reader: RecordReader, tmp_path: Path
) -> None:
    """Stopped after any batch and run again, the store holds what one whole run would have put there."""
    body = "".join(f"{k},2024-01-{1 + k % 28:02d},text {k},1,{1 + k % 5}\n" if k % 7 else f"{k},\n" for k in range(100))
    path = _csv(tmp_path, body)

    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > 30:
            raise Stopped

    with pytest.raises(Stopped):
        ingest(store, STREAM, [path], now=NOW, batch=20, on_progress=stop)
    assert len(reader.read(STREAM, as_of=NOW)) == 34
    ingest(store, STREAM, [path], now=NOW, batch=20)
    rows = reader.read(STREAM, as_of=NOW)
    assert sorted(rows.meta["seq"]) == list(range(85))
    assert sorted(rows.meta["id"], key=int) == [str(k) for k in range(100) if k % 7]
    assert len(store.quarantine.items(STREAM)) == 15


def test_a_file_too_large_to_be_kept_is_read_twice_alike(
    store: RecordStore, reader: RecordReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts, lines of refused rows and records do not depend on whether a file was kept from its first reading."""
    lines = [f"r{k},2024-01-{1 + k % 28:02d},{'word ' * (k % 9)},1.{k}.0,{k % 6}\n" for k in range(300)]
    lines[100:100] = ["bad\n", 'odd,2024-01-02,"a" b,1.0,5\n']
    path, found = _csv(tmp_path, "".join(lines)), []
    for room in (intake.HELD, 20_000, 0):  # whole, up to the middle, not at all
        monkeypatch.setattr(intake, "HELD", room)
        stream = STREAM.model_copy(update={"name": f"kept {room}"})
        done = ingest(store, stream, [path], now=NOW, batch=70)
        refused = [(i.line, i.reason, i.detail, i.raw) for i in store.quarantine.items(stream)]
        rows = reader.read(stream, as_of=NOW)
        found.append((done, refused, rows.features.to_dict("list"), rows.meta["id"].tolist()))
    assert found[0][0].quarantined > 30
    assert found[1:] == found[:1] * 2


def test_a_whole_file_is_not_read_again(
    store: RecordStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts and notes are those of a second reading; other bytes, settings or an earlier time are read anew."""
    monkeypatch.setattr(taken_files, "_LEAST", 2)
    path, told = _csv(tmp_path, "a,2024-01-01,good,1.0,5\nb,2024-01-02,fine,,3\na,2024-01-01,good,1.0,5\n"), []

    def again(stream: StreamSettings = STREAM, now: datetime = NOW, *, remember: bool = True) -> tuple[Any, list[str]]:
        notes: list[str] = []
        return ingest(store, stream, [path], now=now, on_note=notes.append, remember=remember), notes

    first, told = again()
    assert first == Appended(accepted=2, duplicate=1, labelled=1)
    read = again(remember=False)
    assert read == (Appended(duplicate=3), told)
    assert "match no class" in told[0]
    monkeypatch.setattr(intake, "opened", _unread)
    assert again() == read
    for other in (
        {"now": NOW - timedelta(days=1)},
        {"stream": STREAM.model_copy(update={"on_change": "revise"})},
    ):
        with pytest.raises(_Read):
            again(**other)
    Path(path).write_text(HEADER + "a,2024-01-01,good,1.0,5\nb,2024-01-02,fine,,3\na,2024-01-01,good,1.0,4\n")
    with pytest.raises(_Read):
        again()


def test_a_file_with_a_refused_row_is_read_each_time(
    store: RecordStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its refused row may hold by then: another setting, a record that was released."""
    monkeypatch.setattr(taken_files, "_LEAST", 1)
    path = _csv(tmp_path, "a,2024-01-01,good,1.0,5\nb,2024-01-02,,1.0,1\n")
    assert ingest(store, STREAM, [path], now=NOW, remember=True).quarantined == 1
    assert ingest(store, STREAM, [path], now=NOW, remember=True) == Appended(duplicate=1, quarantined=1)


class _Read(Exception):
    """A file was opened."""


def _unread(*_: object, **__: object) -> None:
    raise _Read


def test_a_file_of_broken_lines_only_is_kept_aside(store: RecordStore, tmp_path: Path) -> None:
    """Nothing in it can be stored, yet nothing of it is lost."""
    assert ingest(store, STREAM, [_csv(tmp_path, "a\nb,c\n")], now=NOW) == Appended(quarantined=2)


def test_a_file_that_cannot_be_taken_in_leaves_nothing(store: RecordStore, tmp_path: Path) -> None:
    """One bad file of two, or a mixed time column far down, and not one row is stored."""
    good = _csv(tmp_path, "a,2024-01-01,good,1.0,5\n")
    (tmp_path / "b.csv").write_text("id,text\n1,x\n")
    with pytest.raises(InputError, match=r"'at' missing"):
        ingest(store, STREAM, [good, str(tmp_path / "b.csv")], now=NOW)
    mixed = "".join(f"{k},2024-01-01 00:00:00,t,1,5\n" for k in range(300))
    mixed += "".join(f"x{k},25/01/2024 00:00:00,t,1,5\n" for k in range(30))
    with pytest.raises(InputError, match="'at' mixes formats"):
        ingest(store, STREAM, [_csv(tmp_path, mixed, "m.csv")], now=NOW, batch=50)
    assert ingest(store, STREAM, [good], now=NOW) == Appended(accepted=1, labelled=1)
    wrong = STREAM.model_copy(update={"label": LabelPolicy(column="stars", classes={"a": "<=x"})})
    with pytest.raises(ConfigError):
        ingest(store, wrong, [good], now=NOW)


def test_a_file_without_labels_is_taken_in_with_a_note(
    store: RecordStore, reader: RecordReader, tmp_path: Path
) -> None:
    """Records are often there before their answers; sent again with them, the labels are added."""
    (tmp_path / "early.csv").write_text("id,at,text\na,2024-01-01,good\n")
    notes: list[str] = []
    early = ingest(store, STREAM, [str(tmp_path / "early.csv")], now=NOW, on_note=notes.append)
    assert early == Appended(accepted=1, labelled=0)
    assert [n for n in notes if "'stars' (the label)" in n]
    assert [n for n in notes if "'version' (a slice)" in n]
    assert _labels(reader) == {"a": None}
    ingest(store, STREAM, [_csv(tmp_path, "a,2024-01-01,good,1.0,5\n")], now=NOW)
    assert _labels(reader) == {"a": "positive"}


def test_labels_that_match_no_class_are_told_with_counts(store: RecordStore, tmp_path: Path) -> None:
    """The rows go in without a label, and the commonest of the values are named; where all match nothing is said."""
    rows = "".join(f"r{k},2024-01-01,good {k},1.0,{'3' if k % 2 else 'Neg ' if k == 2 else '5'}\n" for k in range(10))
    notes: list[str] = []
    ingest(store, STREAM, [_csv(tmp_path, rows)], now=NOW, on_note=notes.append)
    assert [n for n in notes if "6 of 10 labels match no class: '3' (5), 'neg' (1)." in n]
    notes.clear()
    ingest(store, STREAM, [_csv(tmp_path, "z,2024-01-01,good,1.0,5/5\n")], now=NOW, on_note=notes.append)
    assert not notes


def test_labels_without_their_arrival_are_refused(store: RecordStore, tmp_path: Path) -> None:
    """Where the schema says since when a label is known, a file that does not say it would leak the answer."""
    late = STREAM.model_copy(update={"label": STREAM.label.model_copy(update={"arrived": "answered"})})
    with pytest.raises(InputError, match="'answered'"):
        ingest(store, late, [_csv(tmp_path, "a,2024-01-01,good,1.0,5\n")], now=NOW)


def test_a_label_that_no_rule_names_is_not_counted(store: RecordStore, tmp_path: Path) -> None:
    """Accepted rows and those of them that one can learn from are told apart."""
    body = "a,2024-01-01,good,1.0,5\nb,2024-01-01,fair,1.0,3\nc,2024-01-01,none,1.0,\n"
    assert ingest(store, STREAM, [_csv(tmp_path, body)], now=NOW) == Appended(accepted=3, labelled=1)


def test_a_time_before_1970_is_kept_aside(store: RecordStore, tmp_path: Path) -> None:
    """A clock that was never set dates a record where nothing is; it must not become the start of the history."""
    assert ingest(store, STREAM, [_csv(tmp_path, "a,1969-12-31,x,1.0,5\nb,1970-01-01,y,1.0,5\n")], now=NOW) == Appended(
        accepted=1, quarantined=1, labelled=1
    )
    assert store.quarantine.items(STREAM)[0].reason == "time_too_early"


def test_another_content_under_a_known_id_is_a_conflict(store: RecordStore, tmp_path: Path) -> None:
    """The stored record stays; the other is kept aside with its raw content."""
    ingest(store, STREAM, [_csv(tmp_path, "a,2024-01-01,good,1.0,5\n")], now=NOW)
    outcome = ingest(store, STREAM, [_csv(tmp_path, "a,2024-01-01,changed,1.0,5\n")], now=NOW)
    assert outcome == Appended(quarantined=1)
    (item,) = store.quarantine.items(STREAM)
    assert item.reason == "conflict"
    assert json.loads(item.raw)["text"] == "changed"


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_time_by_intake_order_goes_on_where_it_stopped(
    store: RecordStore, reader: RecordReader, tmp_path: Path, ending: str
) -> None:
    """Row k lies k steps after the start, over batches and files, in every format."""
    stream = StreamSettings(name="e", time=OrderTime(start="2020-01-01", step="1h"), numeric=("x",))
    frames = [pd.DataFrame({"x": range(0, 7)}), pd.DataFrame({"x": range(7, 10)})]
    paths = [str(tmp_path / f"{k}.{ending}") for k in range(2)]
    for frame, path in zip(frames, paths, strict=True):
        if ending == "csv":
            frame.to_csv(path, index=False)
        elif ending == "jsonl":
            frame.to_json(path, orient="records", lines=True)
        else:
            frame.to_parquet(path)
    seen: list[tuple[int, int]] = []
    outcome = ingest(store, stream, paths, now=NOW, batch=3, on_progress=lambda done, of: seen.append((done, of)))
    assert outcome == Appended(accepted=10)
    assert seen[-1] == (10, 10)
    rows = reader.read(stream, as_of=NOW)
    assert rows.features["x"].tolist() == list(range(10))
    assert [str(t)[:13] for t in rows.meta["time"]] == [f"2020-01-01 {k:02d}" for k in range(10)]


FEEDBACK = "record_id,kind,value,user,at\n"


def _said(store: RecordStore, text: str) -> Appended:
    return ingest_feedback(store, STREAM, ["-"], now=NOW, stdin=io.BytesIO((FEEDBACK + text).encode()))


def test_a_corrected_label_overrides_the_records_own(
    store: RecordStore, reader: RecordReader, tmp_path: Path
) -> None:
    """By class name or by a raw value that the rule maps; the latest counts; before it was said it was not known."""
    ingest(store, STREAM, [_csv(tmp_path, "a,2024-01-01,x,1,5\nb,2024-01-01,y,1,5\nc,2024-01-01,z,1,1\n")], now=NOW)
    text = "a,label,negative,ann,2024-02-01\nb,Label,2,ann,2024-02-01\nc,label,4,bob,2024-02-02\n"
    assert _said(store, text + "c,label,negative,bob,2024-02-03T00:00:00Z\n") == Appended(accepted=4)
    assert _labels(reader) == {"a": "negative", "b": "negative", "c": "negative"}
    earlier = reader.read(STREAM, as_of=datetime(2024, 1, 31, tzinfo=UTC))
    assert resolve(STREAM, earlier.meta["label"]).tolist() == ["positive", "positive", "negative"]


def test_feedback_sent_twice_is_stored_once(store: RecordStore, tmp_path: Path) -> None:
    """The same in other words for the time, and within one file, is the same item."""
    ingest(store, STREAM, [_csv(tmp_path, "a,2024-01-01,x,1,5\n")], now=NOW)
    assert _said(store, "a,thumb,up,ann,2024-02-01T10:00:00Z\n" * 2) == Appended(accepted=1, duplicate=1)
    assert _said(store, "a,thumb,1,ann,2024-02-01 11:00:00+01:00\n") == Appended(duplicate=1)
    assert _said(store, "a,thumb,down,ann,2024-02-01T10:00:00Z\n") == Appended(accepted=1)


def test_bad_feedback_is_kept_aside_with_its_reason(store: RecordStore, tmp_path: Path) -> None:
    """No class, no kind, no number, no record: each has its code; the rest is stored."""
    ingest(store, STREAM, [_csv(tmp_path, "a,2024-01-01,x,1,5\n")], now=NOW)
    lines = [
        "a,label,3,u,2024-02-01", "a,label,great,u,2024-02-01", "a,shout,1,u,2024-02-01", "a,rating,many,u,2024-02-01",
        "a,thumb,sideways,u,2024-02-01", "a,vote,,u,2024-02-01", ",vote,1,u,2024-02-01", "zz,vote,1,u,2024-02-01",
        "a,vote,1,u,2044-02-01", "a,vote,1,u,never", "a,vote,12,u,2024-02-01", "a,rating,4.5,,2024-02-01",
    ]
    outcome = _said(store, "\n".join(lines + lines[-2:]))
    assert outcome == Appended(accepted=2, duplicate=2, quarantined=10)
    kept = {i.line: i.reason for i in store.quarantine.items(STREAM)}
    assert kept == {
        2: "no_class", 3: "no_class", 4: "unknown_kind", 5: "wrong_type", 6: "wrong_type", 7: "no_value", 8: "no_id",
        9: "unknown_record", 10: "time_in_future", 11: "unreadable_time",
    }
    with pytest.raises(InputError, match="column 'at' missing"):
        ingest_feedback(store, STREAM, ["-"], now=NOW, stdin=io.BytesIO(b"record_id,kind,value,user\n1,"))


def test_an_undeclared_column_with_two_underscores_stops_nothing(
    store: RecordStore, reader: RecordReader, tmp_path: Path
) -> None:
    """A key such as __x or __time in a late row is kept beside ours; the file is taken in whole."""
    rows = [{"id": str(k), "at": "2024-01-01", "text": f"text {k}", "stars": 5} for k in range(6)]
    rows[4] |= {"__x": "1", "__time": "2", "undeclared__x": "3"}
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert ingest(store, STREAM, [str(path)], now=NOW, batch=2).accepted == 6
    assert sorted(_labels(reader)) == ["0", "1", "2", "3", "4", "5"]


def test_a_declared_column_with_two_underscores_is_refused() -> None:
    """Such a column cannot be told from ours, so the schema is refused before anything is read."""
    with pytest.raises(ValueError, match="two underscores"):
        StreamSettings(name="reviews", id="id", time="at", text=("__text",))


def test_a_file_whose_name_is_no_utf8_is_taken_in(store: RecordStore, tmp_path: Path) -> None:
    """Its rows are kept, its bad ones aside under the name as far as it can be written."""
    name = os.fsdecode(b"gr\xf6\xdfe.csv")
    (tmp_path / name).write_text("id,at,text,stars\n1,2024-01-01,a,5\n2,never,b,5\n")
    assert ingest(store, STREAM, [str(tmp_path / name)], now=NOW).accepted == 1
    (item,) = store.quarantine.items(STREAM)
    assert item.source.endswith("gr\\xf6\\xdfe.csv")
