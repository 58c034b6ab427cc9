"""Validation: each reason for which a row is refused, and what is let through."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trueup.feedback.chunks import chunk_of
from trueup.feedback.schema_check import as_brought, check_schema, required_columns
from trueup.feedback.validation import MAX_TEXT, Reason, Validated, validate
from trueup.storage.errors import ConfigError
from trueup.storage.stream import LabelPolicy, OrderTime, SentPrediction, StreamSettings

NOW = datetime(2024, 6, 15, tzinfo=UTC)
GOOD = {"id": "a", "at": "2024-01-02 03:04:05", "text": "fine", "n": "1.5", "c": "x", "y": "5"}


def _stream(**other: Any) -> StreamSettings:
    given = {
        "name": "s", "id": "id", "time": "at", "text": ("text",), "numeric": ("n",), "categorical": ("c",),
        "label": LabelPolicy(column="y"),
    }
    return StreamSettings(**(given | other))


def _validate(*rows: dict[str, Any], stream: StreamSettings | None = None, now: datetime = NOW) -> Validated:
    return validate(stream or _stream(), chunk_of(list(rows)), now)


def test_a_good_row_arrives_typed() -> None:
    """Numbers are float64, text and categories str or None, the time UTC, the label plain, other columns kept."""
    accepted = _validate(GOOD | {"n": " 2.50 ", "c": 4.0, "y": "5.0", "extra": 7}).accepted
    assert accepted.ids.tolist() == ["a"]
    assert accepted.times[0] == np.datetime64("2024-01-02T03:04:05", "us")
    assert accepted.table["n"].type == "double"
    assert [accepted.table[c][0].as_py() for c in ("text", "n", "c", "extra")] == ["fine", 2.5, "4", "7"]
    assert accepted.labels.tolist() == ["5"]
    assert accepted.known_at[0] == accepted.times[0]


@pytest.mark.parametrize(
    ("change", "reason", "said"),
    [
        ({"id": None}, Reason.NO_ID, "'id'"),
        ({"id": "  "}, Reason.NO_ID, "'id'"),
        ({"id": "x" * 501}, Reason.TOO_LONG, "the id"),
        ({"text": ""}, Reason.NO_TEXT, "'text'"),
        ({"text": " \n"}, Reason.NO_TEXT, "'text'"),
        ({"text": "\x00"}, Reason.NO_TEXT, "'text'"),
        ({"text": "x" * (MAX_TEXT + 1)}, Reason.TOO_LONG, "100,000"),
        ({"text": "half \ud83d"}, Reason.BAD_UNICODE, "'text'"),
        ({"n": "many"}, Reason.WRONG_TYPE, "not 'many'"),
        ({"n": "inf"}, Reason.WRONG_TYPE, "finite"),
        ({"n": float("inf")}, Reason.WRONG_TYPE, "finite"),
        ({"n": "1,5"}, Reason.WRONG_TYPE, "1,5"),
        ({"at": None}, Reason.UNREADABLE_TIME, "empty"),
        ({"at": "yesterday"}, Reason.UNREADABLE_TIME, "ISO 8601"),
        ({"at": "2024-06-17"}, Reason.TIME_IN_FUTURE, "2024-06-17"),
    ],
)
def test_each_fault_has_its_reason(change: dict[str, Any], reason: Reason, said: str) -> None:
    """A bad row is refused with its code, line, words and raw content; the good row beside it goes in."""
    judged = _validate(GOOD | change, GOOD | {"id": "b"})
    assert judged.accepted.ids.tolist() == ["b"]
    (refused,) = judged.refused
    assert (refused.line, refused.reason) == (1, reason.value)
    assert said in refused.detail
    assert set(json.loads(refused.raw)) <= set(GOOD)
    refused.raw.encode("utf-8")


@pytest.mark.parametrize("blank", [None, "", " ", "nan", "NaN", "null", "NA", float("nan")])
def test_a_blank_number_is_missing_not_wrong(blank: object) -> None:
    """Missing values are judged by the check, not by intake."""
    assert _validate(GOOD | {"n": blank}).accepted.table["n"][0].as_py() is None


def test_a_row_without_any_feature_says_nothing() -> None:
    """A stream of numbers has no text to miss: a row is refused only when all features are."""
    stream = _stream(text=())
    judged = _validate(GOOD | {"n": None}, GOOD | {"n": None, "c": None}, stream=stream)
    assert [r.reason for r in judged.refused] == ["no_features"]


def test_the_present_month_is_not_the_future() -> None:
    """A time that names this month ends after now, but has begun; next month has not."""
    stream = _stream(time_format="%b %Y")
    judged = _validate(GOOD | {"at": "Jun 2024"}, GOOD | {"at": "Jul 2024"}, stream=stream)
    assert str(judged.accepted.times[0]) == "2024-06-30T23:59:59.999999"
    assert [r.reason for r in judged.refused] == ["time_in_future"]


def test_a_label_is_known_from_the_later_of_record_and_arrival() -> None:
    """Empty arrival: not known yet; earlier than the record: the record's time; unreadable: refused."""
    stream = _stream(label=LabelPolicy(column="y", arrived="seen"))
    rows = [GOOD | {"id": str(k), "seen": s} for k, s in enumerate([None, "2023-01-01", "2024-03-01 00:00:00", "soon"])]
    judged = _validate(*rows, stream=stream)
    assert [str(k)[:10] for k in judged.accepted.known_at] == ["NaT", "2024-01-02", "2024-03-01"]
    assert [(r.line, r.reason) for r in judged.refused] == [(4, "unreadable_time")]
    unlabelled = _validate(GOOD | {"y": None}).accepted
    assert unlabelled.labels.tolist() == [None]
    assert np.isnat(unlabelled.known_at[0])


def test_a_regression_label_must_be_a_number() -> None:
    """What is no number cannot be learnt, nor one whose square is none; blank is unlabelled."""
    stream = _stream(task="regression")
    rows = [GOOD | {"y": y} for y in ("5", None, "lots", "1e101", "-1e300", "-1e100")]
    judged = _validate(*rows, stream=stream)
    assert judged.accepted.labels.tolist() == ["5", None, "-1e100"]
    assert [(r.line, r.reason) for r in judged.refused] == [(3, "wrong_type"), (4, "wrong_type"), (5, "wrong_type")]
    assert "within ±1e+100, not '1e101'" in judged.refused[1].detail


def test_a_time_column_may_also_be_a_feature() -> None:
    """The hour dates the row and is learnt from."""
    stream = _stream(time=("d", "hr"), numeric=("n", "hr"))
    accepted = _validate(GOOD | {"d": "2024-01-02", "hr": 7}, stream=stream).accepted
    assert str(accepted.times[0])[:13] == "2024-01-02T07"
    assert accepted.table["hr"].to_pylist() == [7.0]


def test_the_hash_that_stands_for_an_id_is_of_the_row_not_of_its_form() -> None:
    """Column order, missing and undeclared columns, 4 or 4.0 or "4" make no difference; any declared value does."""
    stream = _stream(id="")
    row = {k: v for k, v in GOOD.items() if k != "id"}
    alike = [
        row, row | {"y": 5, "n": 1.50, "more": "2"}, dict(reversed(row.items())),
        row | {"y": 5.0, "gone": None, "n": "1.50"},
    ]  # fmt: skip
    ids = {_validate(r, stream=stream).accepted.ids[0] for r in alike}
    assert len(ids) == 1
    others = {_validate(row | {c: "2"}, stream=stream).accepted.ids[0] for c in ("text", "n", "c", "y")}
    assert len(others | ids) == 5


def test_time_by_intake_order_is_left_to_the_store() -> None:
    """Without a time column there is none to read; `arrived` cannot stand beside it."""
    stream = _stream(time=OrderTime(start="2020-01-01", step="1h"))
    assert len(_validate({k: v for k, v in GOOD.items() if k != "at"}, stream=stream).accepted.times) == 0
    with pytest.raises(ConfigError, match=r"time\.start = 'soon'"):
        check_schema(_stream(time=OrderTime(start="soon", step="1h")))
    with pytest.raises(ConfigError, match="arrived"):
        check_schema(_stream(time=OrderTime(start="2020-01-01", step="1h"), label=LabelPolicy(column="y", arrived="z")))


def test_nul_is_taken_out_and_all_else_kept() -> None:
    """Text stays as it came, emoji and line ends included, but for NUL characters."""
    assert _validate(GOOD | {"text": " a\x00b\n🙂 "}).accepted.table["text"].to_pylist() == [" ab\n🙂 "]


def test_an_empty_chunk_is_no_trouble() -> None:
    """No rows in, no rows out, every declared column there."""
    judged = _validate()
    assert len(judged.accepted.ids) == len(judged.refused) == 0
    assert set(required_columns(_stream())) <= set(judged.accepted.table.column_names)


def test_a_hundred_thousand_rows_take_seconds() -> None:
    """Validation is not what intake waits for."""
    table = pd.DataFrame([GOOD] * 20_000).assign(id=[str(k) for k in range(20_000)])
    chunk = chunk_of(table.to_dict("records"))
    start = time.process_time()
    assert len(validate(_stream(), chunk, NOW).accepted.ids) == 20_000
    assert time.process_time() - start < 4


SENT = SentPrediction(column="said", score="p", version="by")
TWO = LabelPolicy(column="y", classes={"no": "<=2", "yes": ">=4"})


@pytest.mark.parametrize(
    ("change", "reason", "said"),
    [
        ({"said": "maybe"}, Reason.NO_CLASS, "'maybe' matches no class of the stream (no, yes)"),
        ({"said": "3"}, Reason.NO_CLASS, "'3' matches no class"),
        ({"p": "high"}, Reason.WRONG_TYPE, "'p' must be a finite number, not 'high'"),
        ({"p": "1.01"}, Reason.WRONG_TYPE, "from 0 to 1, not '1.01'"),
        ({"by": "v" * 201}, Reason.TOO_LONG, "200"),
    ],
)
def test_a_sent_prediction_that_is_none_is_refused(change: dict[str, Any], reason: Reason, said: str) -> None:
    """What a service says and what is no answer would spoil every figure of it: the row waits in quarantine."""
    stream = _stream(label=TWO, prediction=SENT)
    judged = _validate(GOOD | {"said": "yes", "p": "0.9", "by": "svc-1"} | change, stream=stream)
    assert [r.reason for r in judged.refused] == [reason]
    assert said in judged.refused[0].detail


def test_a_number_sent_as_a_prediction_must_be_one() -> None:
    """Of a regression the answer is a finite number."""
    stream = _stream(task="regression", prediction=SentPrediction(column="said"))
    judged = _validate(GOOD | {"said": "7.5"}, GOOD | {"id": "b", "said": "lots"}, stream=stream)
    assert judged.accepted.ids.tolist() == ["a"]
    assert [r.reason for r in judged.refused] == [Reason.WRONG_TYPE]


def test_a_record_that_nobody_answered_yet_is_taken_in() -> None:
    """An empty prediction says that there is none, and so does a file without the column."""
    stream = _stream(label=TWO, prediction=SENT)
    judged = _validate(GOOD | {"said": "", "p": None}, GOOD | {"id": "b"}, stream=stream)
    assert judged.accepted.ids.tolist() == ["a", "b"]
    brought, notes = as_brought(stream, [*GOOD], "f.csv")
    assert not brought.prediction.column
    assert "'said' (the prediction); its records have no prediction yet" in notes[0]
