"""Rows taken in by columns are those that reading and validating them one by one gives, whatever the file holds."""

from __future__ import annotations

import re
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.many import examples
from trueup.feedback.columns.plain_chunk import PlainChunk
from trueup.feedback.columns.plain_times import with_times
from trueup.feedback.formats import csv_blocks, parquet_table
from trueup.feedback.plain_rows import in_file_order, validate_plain
from trueup.feedback.readers import Source, opened
from trueup.feedback.validation import validate
from trueup.storage.errors import InputError
from trueup.storage.incoming import Incoming, Refused
from trueup.storage.stream import LabelPolicy, OrderTime, SentPrediction, StreamSettings

NOW = datetime(2024, 6, 1, tzinfo=UTC)
HEADER = b"id,text,at,n,y\n"
GOOD = b"z,good,2024-01-02,1,5\n" * 40  # a file of which much cannot be decoded is refused whole
SHAPES = {
    "classes": {"label": LabelPolicy(column="y", classes={"bad": "<=2", "good": ">=4"})},
    "values": {"label": LabelPolicy(column="y"), "numeric": ("n",), "missing": ("?", "-1")},
    "arrived": {"label": LabelPolicy(column="y", arrived="n"), "time_format": "%Y-%m-%d"},
    "regression": {"task": "regression", "label": LabelPolicy(column="n"), "categorical": ("y",), "slices": ("gone",)},
    "no id": {"id": "", "label": LabelPolicy(column="y"), "numeric": ("n",)},
    "in order": {"time": OrderTime(start="2020-01-01", step="1h"), "label": LabelPolicy(column="y")},
    "answered": {"prediction": SentPrediction(column="y", score="n")},
    "two parts": {"time": ("at", "n"), "time_format": "%Y-%m-%d %H", "label": LabelPolicy(column="y")},
}
IDS = st.sampled_from(["a", "b1", " c ", "12", "12.0", "1e15", "", "  ", "x" * 501, "\u00a0k", "\u00e9", "a\x00b"])
TEXTS = st.sampled_from(["good", "", " ", "\u2003", "it, too", "two\nlines", "\"x\"", "caf\u00e9 \U0001f600", "0.0",
                         "?", "\x1f"])  # fmt: skip
TIMES = st.sampled_from(["2024-01-02", "2024-01-02 03:04:05", "2024-01-02T03:04:05Z", "NA", "", "soon", "1969-01-01",
                         "2031-01-01", " 2024-01-02 ", "2024-02-30"])  # fmt: skip
NUMBERS = st.sampled_from(["1", "2.50", "-3.0", "+4", ".5", "1e400", "nan", "", "x", "1_0", "?", "-1", "-1.00", "7",
                           "2024-01-03", "\u0663", "1e200", " 5 "])  # fmt: skip
LABELS = st.sampled_from(["5", "1", "3", "4.0", "yes ", "", "inf", "?", "-1.0", "NaN", "\u2605\u2605"])
ROWS = st.lists(st.tuples(IDS, TEXTS, TIMES, NUMBERS, LABELS), max_size=12)
PIECES = st.sampled_from([
    b"a,good,2024-01-02,1,5\n", b"b,\"x, y\",2024-01-02,2,4\r\n", b"c,\"two\nlines\",2024-01-02,3,1\n",
    b"d,\"say \"\"hi\"\"\",2024-01-02,4,5\n", b"e,\"x\" y,2024-01-02,1,5\n", b"f,\"open,2024-01-02,1,5\n",
    b"g,a\"b\",2024-01-02,1,5\n", b"h,short\n", b"i,long,2024-01-02,1,5,6\n", b"\n", b"  \n", b",,,,\n", b"\r\n",
    b"id,text,at,n,y\n", b"\"id\",text,at,n,y\r\n", b"j,caf\xc3\xa9,2024-01-02,1,5\n", b"k,bad \xff,2024-01-02,1,5\n",
    b"l,cr \r in,2024-01-02,1,5\n", b"m,\"cr\r\nin\",2024-01-02,1,5\n", b"n,nul\x00,2024-01-02,1,5\n", b"o,\"a\nb\"",
    b"\"\"\n", b"\"", b"\n\"", b"p,,2024-01-02,1,5\n", b"q,\"\",2024-01-02,1,5", b"\r", b"\",\"",
    b"\xed\xa0\x80,x,x,1,1\n",
])  # fmt: skip


def stream_of(shape: dict[str, object]) -> StreamSettings:
    return StreamSettings(**{"name": "s", "id": "id", "time": "at", "text": ("text",), **shape})


def row_by_row(stream: StreamSettings, source: Source) -> tuple[Incoming, list[Refused]]:
    """What the reader and the validation of single rows make of a file."""
    judged = [validate(stream, chunk, NOW) for chunk in source.chunks()]
    return _together(judged)


def in_columns(stream: StreamSettings, source: Source) -> tuple[Incoming, list[Refused]]:
    judged = [
        validate_plain(stream, with_times(stream, part)[0], NOW)
        if isinstance(part, PlainChunk)
        else validate(stream, part, NOW)
        for part in source.parts()
    ]
    return _together(judged)


def _together(judged: list) -> tuple[Incoming, list[Refused]]:
    refused = sorted((r for one in judged for r in one.refused), key=lambda r: r.line)
    return in_file_order([one.accepted for one in judged]), refused


def assert_alike(stream: StreamSettings, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "f.csv"
        file.write_bytes(content)
        with suppress(InputError):
            assert_read_alike(stream, file)


def assert_read_alike(stream: StreamSettings, file: Path) -> None:
    with opened(str(file), ["id"]) as source:
        if not any(True for _ in source.chunks()):
            assert not any(len(part) for part in source.parts())
            return
        try:
            expected, why = row_by_row(stream, source)
        except InputError as refused:
            with pytest.raises(InputError, match=f"^{re.escape(str(refused))}$"):
                in_columns(stream, source)
            return
        try:
            got, told = in_columns(stream, source)
        except InputError as error:
            raise AssertionError("refused by columns alone") from error
        assert told == why
        for name in ("ids", "labels", "labelled", "lines"):
            assert getattr(got, name).tolist() == getattr(expected, name).tolist(), name
        for name in ("times", "known_at"):
            assert getattr(got, name).astype("M8[us]").astype(str).tolist() == (
                getattr(expected, name).astype("M8[us]").astype(str).tolist()
            ), name
        assert got.table.to_pylist() == expected.table.to_pylist()
        if len(expected.ids):
            assert got.table.schema.equals(expected.table.schema)
        assert list(got.raw) == list(expected.raw)


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=examples(15))
@given(rows=ROWS, block=st.sampled_from((256, 1 << 20)))
def test_values_come_out_alike(shape: str, rows: list[tuple[str, ...]], block: int) -> None:
    """Accepted rows with every value, refused ones with line, reason and raw content: alike under every schema."""
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(csv_blocks, "BLOCK", block)
        assert_alike(stream_of(SHAPES[shape]), HEADER + text.getvalue().encode())


@settings(max_examples=examples(15))
@given(pieces=st.lists(PIECES, max_size=15), block=st.sampled_from((256, 1 << 20)))
@example(pieces=[b"f,\"open,2024-01-02,1,5\n", *[b"a,good,2024-01-02,1,5\n"] * 1200], block=1 << 20)
def test_hostile_csv_is_read_alike(pieces: list[bytes], block: int) -> None:
    """Odd quotes, line ends, bytes and widths cost the rows that they cost row by row, and no other."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(csv_blocks, "BLOCK", block)
        assert_alike(stream_of(SHAPES["classes"]), HEADER + GOOD + b"".join(pieces))


@given(st.binary(max_size=200).map(lambda b: bytes(b",\"\n\ra\xc3\xa9\x00 "[k % 9] for k in b)))
def test_any_bytes_are_read_alike(body: bytes) -> None:
    """Whatever follows a header."""
    assert_alike(stream_of(SHAPES["classes"]), HEADER + GOOD + body)


def test_most_of_an_ordinary_file_is_plain() -> None:
    """Of a file with one bad row all but a few go by columns."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "f.csv"
        rows = [b"a%d,\"fine, too\",2024-01-02,1,5\n" % k for k in range(5000)]
        file.write_bytes(HEADER + b"".join([*rows[:2000], b"x,\"y\" z,2024-01-02,1,5\n", *rows[2000:]]))
        with opened(str(file), ["id"]) as source:
            plain = sum(len(part) for part in source.parts() if isinstance(part, PlainChunk))
            lines = np.concatenate([part.lines for part in source.parts()])
        assert plain == 5000
        assert lines.tolist() == [*range(2, 2002), *range(2003, 5003)]


# ---- columns that the file types ----

MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))
NUMBERED = st.floats(width=64) | st.sampled_from([1.0, -0.0, 2.0**53, 1e16, 1e-7, 0.1])
COLUMNS = {
    "text": (pa.string(), TEXTS | st.text(max_size=3)),
    "large": (pa.large_string(), TEXTS),
    "coded": (pa.dictionary(pa.int8(), pa.string()), LABELS),
    "bool": (pa.bool_(), st.booleans()),
    "whole": (pa.int64(), st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9)),
    "unsigned": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "double": (pa.float64(), NUMBERED),
    "single": (pa.float32(), st.floats(width=32)),
    "naive": (pa.timestamp("us"), MOMENTS),
    "second": (pa.timestamp("s"), MOMENTS.map(lambda at: at.replace(microsecond=0))),
    "zoned": (pa.timestamp("us", "UTC"), MOMENTS.map(lambda at: at.replace(tzinfo=UTC))),
    "elsewhere": (pa.timestamp("us", "Europe/Berlin"), MOMENTS.map(lambda at: at.replace(tzinfo=UTC))),
    "fine": (pa.timestamp("ns"), st.integers(0, 2**62)),
    "far": (pa.timestamp("us"), st.integers(-(2**62), 2**62)),
    "day": (pa.date32(), st.dates()),
    "late day": (pa.date32(), st.integers(-(2**31), 2**31 - 1)),
    "decimal": (pa.decimal128(10, 2), st.decimals(-9999, 9999, places=2)),
    "bytes": (pa.binary(), st.binary(max_size=3)),
    "list": (pa.list_(pa.int64()), st.lists(st.integers(0, 3), max_size=2)),
    "object": (pa.struct([("a", pa.int64())]), st.fixed_dictionaries({"a": st.integers(0, 3)})),
    "none": (pa.null(), st.none()),
}


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=12)
@given(data=st.data(), at_once=st.sampled_from((2, 10_000)))
def test_typed_columns_are_read_alike(shape: str, data: st.DataObject, at_once: int) -> None:
    """Whatever Parquet types: text, raw content with its numbers, refusals and times as row by row."""
    rows, columns = data.draw(st.integers(0, 5)), {}
    for name in ("id", "text", "at", "n", "y", "beside"):
        usual = {"at": ("naive", "second", "zoned", "day", "text")}.get(name, tuple(COLUMNS))
        kind, values = COLUMNS[data.draw(st.sampled_from(usual))]
        drawn = data.draw(st.lists(st.none() | values, min_size=rows, max_size=rows))
        columns[name] = pa.array(drawn, kind)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(parquet_table, "_AT_ONCE", at_once)
        file = Path(folder) / "f.parquet"
        pq.write_table(pa.table(columns), file)
        with suppress(InputError):
            assert_read_alike(stream_of(SHAPES[shape]), file)


def test_an_ordinary_table_goes_by_columns(tmp_path: Path) -> None:
    """Text, numbers, yes or no, dates and times in UTC need no look at each value."""
    usual = ("text", "large", "coded", "bool", "whole", "double", "naive", "second", "zoned", "day", "none")
    given = {"text": "a", "large": "b", "coded": "c", "bool": True, "whole": 1, "double": 0.5, "day": NOW.date()}
    table = {name: pa.array([given.get(name, None if name == "none" else NOW)], COLUMNS[name][0]) for name in usual}
    pq.write_table(pa.table({"id": ["x"], **table}), tmp_path / "f.parquet")
    with opened(str(tmp_path / "f.parquet"), ["id"]) as source:
        assert all(isinstance(part, PlainChunk) for part in source.parts())
