"""Numbers in the notation of a file, marks of missing values, and cells that are no value of their column."""

from __future__ import annotations

import io
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.feedback.chunks import chunk_of, row_of
from trueup.feedback.exact import Ruined
from trueup.feedback.intake import ingest
from trueup.feedback.number_notation import number_columns, with_point
from trueup.feedback.quarantine import release
from trueup.feedback.validation import Validated, validate
from trueup.storage.errors import InputError
from trueup.storage.file_format import FileFormat
from trueup.storage.incoming import Appended
from trueup.storage.records.appending import RecordStore
from trueup.storage.stream import LabelPolicy, StreamSettings

NOW = datetime(2024, 6, 1, tzinfo=UTC)
GOOD: dict[str, Any] = {"id": "a", "at": "2024-05-03", "t": "fine", "n": "1", "y": "5"}
COMMA = FileFormat(delimiter=";", decimal=",", thousands=".")


def _stream(**changes: Any) -> StreamSettings:
    given: dict[str, Any] = {
        "name": "s", "id": "id", "time": "at", "text": ("t",), "numeric": ("n",),
        "label": LabelPolicy(column="y", classes={"bad": "<=2.5", "good": ">2.5"}),
    }  # fmt: skip
    return StreamSettings(**{**given, **changes})


def _validated(stream: StreamSettings, **changes: Any) -> Validated:
    return validate(stream, chunk_of([{**GOOD, **changes}]), NOW)


def _number(stream: StreamSettings, **changes: Any) -> float | str:
    judged = _validated(stream, **changes)
    if judged.refused:
        return judged.refused[0].reason
    read = judged.accepted.table["n"][0].as_py()
    return math.nan if read is None else float(read)


@given(
    value=st.one_of(st.integers(-(10**12), 10**12), st.decimals(-(10**9), 10**9, places=3)),
    marks=st.sampled_from([(",", "."), (",", " "), (",", ""), (".", ","), (".", "'"), (".", "")]),
)
def test_a_number_written_in_a_notation_is_read_as_that_number(value: Any, marks: tuple[str, str]) -> None:
    """Any number, grouped or not, with any pair of marks."""
    decimal, thousands = marks
    format = FileFormat(decimal=decimal, thousands=thousands)
    swap = str.maketrans({",": thousands, ".": decimal})
    assert float(with_point(f"{value}".translate(swap), format) or "nan") == float(value)
    assert float(with_point(f"{value:,}".translate(swap), format) or "nan") == float(value)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1.234,5", 1234.5), ("1.234", 1234.0), ("12.34", "wrong_type"), ("2.5", "wrong_type"), ("2,5", 2.5),
        ("-1,5e3", -1500.0), ("2,5-", -2.5), ("-2,5-", "wrong_type"), (",5", 0.5), ("1.23.4", "wrong_type"),
        ("1,2,3", "wrong_type"), ("inf", "wrong_type"), ("1e400", "wrong_type"), ("n/a", "nan"),
        ("-", "nan"), ("?", "nan"),
        ("", "nan"), (2.5, 2.5), (1234, 1234.0),
    ],
)  # fmt: skip
def test_a_decimal_comma_is_never_read_as_another_number(text: Any, read: float | str) -> None:
    """Text follows the declared notation or is refused; what the file types as a number is exact."""
    found = _number(_stream(format=COMMA), n=text)
    assert found == read or (read == "nan" and np.isnan(float(found)))


def test_only_columns_of_numbers_are_converted() -> None:
    """The label that is compared with numbers is; a category, a text and an id that look like numbers are not."""
    stream = _stream(format=COMMA, categorical=("c",))
    assert number_columns(stream) == ("n", "y")
    row = _validated(stream, y="2,5", c="1.234", t="1.234", id="1.234").accepted
    assert row.labels.tolist() == ["2.5"]
    assert [row.table[c][0].as_py() for c in ("c", "t", "id")] == ["1.234", "1.234", "1.234"]
    assert number_columns(_stream(label=LabelPolicy(column="y", classes={"bad": "no"}))) == ("n",)


def test_what_is_no_finite_number_is_no_label_that_is_compared() -> None:
    """Infinity is above every bound, and no star."""
    assert [r.reason for r in _validated(_stream(), y="inf").refused] == ["wrong_type"]
    assert [r.reason for r in _validated(_stream(), y=float("inf")).refused] == ["wrong_type"]
    assert [r.reason for r in _validated(_stream(), y="1e400").refused] == ["wrong_type"]


def test_a_file_in_another_notation_is_refused_whole_and_a_slip_by_its_row(store: RecordStore) -> None:
    """1.234 of a file that writes 2.5 elsewhere would be a thousand; one such cell in two hundred is one bad row."""
    head, row = "id;at;t;n;y\n", "r{};2024-05-03;fine;{};5\n"
    points = head + "".join(row.format(k, "2.5" if k % 2 else "1.234") for k in range(20))
    with pytest.raises(InputError, match=r"not written with decimal ','.* '2\.5' in column 'n', line 3"):
        ingest(store, _stream(format=COMMA), ["-"], now=NOW, stdin=io.BytesIO(points.encode()))
    slip = head + "".join(row.format(k, "2.5" if k == 7 else "2,5") for k in range(200))
    done = ingest(store, _stream(format=COMMA), ["-"], now=NOW, stdin=io.BytesIO(slip.encode()))
    assert done == Appended(accepted=199, quarantined=1, labelled=199)


# ---- missing ----


def test_declared_marks_are_missing_in_declared_columns() -> None:
    """In all of them, or in those that the table names; a number by its value, a text without white space around it."""
    everywhere = _stream(missing=("NA", "-200"), categorical=("c",))
    row = _validated(everywhere, n="-200.0", c=" NA ", t="not NA", y="NA").accepted
    assert row.table["n"][0].as_py() is None
    assert (row.table["c"][0].as_py(), row.table["t"][0].as_py(), row.labels.tolist()) == (None, "not NA", [None])
    some = _stream(missing={"n": ("-200",)}, categorical=("c",))
    row = _validated(some, n=-200, c="-200", y="-200").accepted
    assert row.table["n"][0].as_py() is None
    assert (row.table["c"][0].as_py(), row.labels.tolist()) == ("-200", ["-200"])


@pytest.mark.parametrize("word", ["NA", "N/A", "#N/A", "NULL", "null", "None", "nan", "-", "?"])
def test_words_for_missing_hold_for_numbers_and_times_alone(word: str) -> None:
    """In text, category and label they are words: NA is Namibia."""
    stream = _stream(categorical=("c",), label=LabelPolicy(column="y", arrived="seen"))
    row = _validated(stream, n=word, c=word, t=word, y=word, seen=word).accepted
    assert row.table["n"][0].as_py() is None
    assert np.isnat(row.known_at[0])
    assert (row.table["c"][0].as_py(), row.table["t"][0].as_py(), row.labels.tolist()) == (word, word, [word])


# ---- cells that are no value ----


def test_an_object_in_a_declared_column_is_refused_and_elsewhere_taken() -> None:
    """It names the fields to declare; an undeclared object refuses nothing."""
    judged = _validated(_stream(), t={"en": "fine"}, other={"x": [1]})
    assert (judged.refused[0].reason, "'t.en'" in judged.refused[0].detail) == ("wrong_type", True)
    assert "send single values" in _validated(_stream(), t=[{"en": "fine"}]).refused[0].detail
    assert len(_validated(_stream(text=("t.en",)), t={"en": "fine"}, other={"x": [{"y": 1}]}).accepted.ids) == 1


def test_a_column_that_no_setting_names_refuses_no_row(tmp_path: Path, store: RecordStore) -> None:
    """However long, binary or broken it is."""
    odd = ["x" * 200_000, "\ud800", "a\x00b", None]
    rows = [{**GOOD, "id": str(k), "odd": value} for k, value in enumerate(odd)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    path = tmp_path / "a.jsonl"
    path.write_text(lines)
    assert ingest(store, _stream(), [str(path)], now=NOW) == Appended(accepted=4, labelled=4)
    table = pa.table({**{k: [v] * 2 for k, v in GOOD.items()}, "id": ["x", "y"], "blob": [b"\xff\xd8" * 99_999, b""]})
    pq.write_table(table, tmp_path / "a.parquet")
    assert ingest(store, _stream(), [str(tmp_path / "a.parquet")], now=NOW).accepted == 2


# ---- release ----


@given(st.sampled_from(["1.234", "2,5", "1.234,5", "7", "0,125"]), st.booleans())
def test_a_released_row_has_the_value_that_intake_would_have_given(text: str, typed: bool) -> None:
    """The raw content tells text from typed numbers, and reads back as the row was."""
    stream = _stream(format=COMMA)
    value = float(with_point(text, COMMA) or "nan") if typed else text
    chunk = chunk_of([{**GOOD, "n": value}])
    again = chunk_of([row_of(chunk.raw[0])])
    read = [validate(stream, c, NOW).accepted.table["n"][0].as_py() for c in (chunk, again)]
    assert read[0] == read[1] == float(with_point(text, COMMA) or "nan")


def test_an_id_that_excel_cut_stays_refused_and_as_a_number_it_counts() -> None:
    """At intake, and when it is judged anew."""
    cut = Ruined("12345678901234567000")
    for chunk in (first := chunk_of([{**GOOD, "id": cut}]), chunk_of([row_of(first.raw[0])])):
        assert "to 15 digits" in validate(_stream(), chunk, NOW).refused[0].detail
    assert _number(_stream(), n=cut) == 12345678901234567000.0


def test_marks_of_a_column_that_is_not_declared_are_refused() -> None:
    """They would never count."""
    with pytest.raises(ValueError, match="'nn' is no column"):
        _stream(missing={"nn": ["NA"]})


def test_a_row_of_a_file_with_options_is_released_as_it_was_read(store: RecordStore) -> None:
    """1.234 of a file with `--thousands .` is a thousand, also when it is judged anew by other settings."""
    body = b"id;at;t;n;y\na;2024-05-03;;1.234;5\n"
    ingest(store, _stream(), ["-"], now=NOW, format=COMMA, stdin=io.BytesIO(body))
    (item,) = store.quarantine.items(_stream())
    mended = _stream(text=(), categorical=("y2",), numeric=("n",))
    assert json.loads(item.raw)["n"] == 1234
    assert release(store, mended, item.id, now=NOW).released


def test_settings_that_come_right_release_what_was_refused(store: RecordStore) -> None:
    """2,5 is refused where a point is declared, kept as text, and read once the comma is."""
    body = b"id,at,t,n,y\na,2024-05-03,fine,\"2,5\",5\n"
    ingest(store, _stream(), ["-"], now=NOW, stdin=io.BytesIO(body))
    (item,) = store.quarantine.items(_stream())
    assert (item.reason, json.loads(item.raw)["n"]) == ("wrong_type", "2,5")
    assert release(store, _stream(format=COMMA), item.id, now=NOW).released
