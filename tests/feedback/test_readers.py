"""Files of records: what is read, with which line, and what is refused whole."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.many import examples
from trueup.feedback.chunks import Chunk
from trueup.feedback.formats.csv_records import csv_records
from trueup.feedback.readers import opened
from trueup.storage.errors import InputError


def _read(path: Path | str, required: tuple[str, ...] = (), stdin: bytes | None = None) -> list[Chunk]:
    with opened(str(path), required, stdin=io.BytesIO(stdin) if stdin is not None else None) as source:
        return list(source.chunks())


def _file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_csv_keeps_quoted_line_ends_and_its_line_numbers(tmp_path: Path) -> None:
    """A field may hold commas, quotes and line ends; each row knows the line it begins on."""
    (chunk,) = _read(_file(tmp_path, "a.csv", '\ufeffid,t\r\n1,"a, ""b""\nc"\r\n\r\n2,\n3,z'))
    assert chunk.table["t"].tolist() == ['a, "b"\nc', None, "z"]
    assert chunk.lines.tolist() == [2, 5, 6]
    assert json.loads(chunk.raw[0]) == {"id": "1", "t": 'a, "b"\nc'}
    assert chunk.broken == ()


def test_a_broken_csv_line_costs_only_itself(tmp_path: Path) -> None:
    """Too many fields, too few, an unclosed quote and junk after a quote: the rows between them are all read."""
    text = 'id,t\n1,a\n2,a,b\n3\n4,d\n5,"open\n6,"fine, really"\n7,g\n8,"x"y\n9,5" screen\n'
    (chunk,) = _read(_file(tmp_path, "a.csv", text))
    assert chunk.table["id"].tolist() == ["1", "4", "6", "7", "9"]
    assert chunk.table["t"].tolist()[-1] == '5" screen'
    assert [(b.line, b.raw) for b in chunk.broken] == [(3, "2,a,b"), (4, "3"), (6, '5,"open'), (9, '8,"x"y')]
    assert "3 fields, and the header has 2" in chunk.broken[0].detail
    assert "is not closed properly" in chunk.broken[2].detail


@settings(max_examples=examples(60))
@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00\r")), min_size=2, max_size=2)))
def test_whatever_the_csv_module_writes_is_read_back(rows: list[list[str]]) -> None:
    """For any texts: commas, quotes, line ends and blanks come back as they went in."""
    held = io.StringIO(newline="")
    csv.writer(held, quoting=csv.QUOTE_ALL).writerows(rows)
    read = list(csv_records(io.StringIO(held.getvalue(), newline="\n"), 2, 1))
    assert [r.fields for r in read] == rows
    assert all(not r.fault for r in read)


def test_the_same_rows_read_alike_from_every_format(tmp_path: Path, shared_data: Path) -> None:
    """CSV, JSON Lines, Parquet and .gz of one table give the same text, whole numbers without fraction apart."""
    frame = pd.read_csv(shared_data / "greenlight_play.csv").head(300)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True, force_ascii=False)
    frame.to_parquet(tmp_path / "a.parquet", index=False)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    tables = [_read(tmp_path / n)[0].table for n in ("a.csv", "a.jsonl", "a.parquet", "b.csv.gz")]
    for table in tables[1:]:
        assert list(table.records()) == list(tables[0].records())


def test_every_missing_column_is_named_in_one_message(tmp_path: Path) -> None:
    """All of them at once, with the columns found and what was probably meant."""
    path = _file(tmp_path, "a.csv", "reviewID,content\n1,x\n")
    with pytest.raises(InputError) as error:
        _read(path, ("reviewId", "at", "content"))
    for part in ("'reviewId'", "did you mean 'reviewID'", "'at'", "'content'", "Nothing was stored"):
        assert part in str(error.value)
    with pytest.raises(InputError, match='set delimiter = ";"'):
        _read(_file(tmp_path, "b.csv", "id;at\n1;2\n"), ("id",))


def test_a_required_key_may_first_stand_on_a_late_line(tmp_path: Path) -> None:
    """JSON Lines has no header: a key that only some lines have counts as a column."""
    lines = "".join(f'{{"id": {k}}}\n' for k in range(1500)) + '{"id": 1, "seen": "x"}\n'
    assert len(_read(_file(tmp_path, "a.jsonl", lines), ("id", "seen"))[0]) > 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"\n\n", "no header"),
        ("a.csv", "id,t\n1,caf\u00e9\n".encode("latin-1"), "0xe9 in line 2"),
        ("a.csv", "id,t\n1,x\n".encode("utf-16"), "UTF-16"),
        ("a.csv", bytes(range(256)) * 40, "not UTF-8"),
        ("a.csv", b"\x00\x01\x02id\n1\n", "control characters"),
        ("a.csv", b"PK\x03\x04 and so on", "zip archive"),
        ("a.jsonl", b"[1, 2]\nno json\n", "no line is a JSON object"),
        ("a.parquet", b"PAR1 not really", "the Parquet file is damaged"),
        ("a.csv.gz", b"not gzip", "not compressed"),
        ("a.xlsx", b"PK\x03\x04 and so on", "zip archive"),
        ("a.zip", b"id,t", "not compressed"),
        ("a.json", b'{"data": [{"id": 1}], "more": {"rows": [{}]}}', 'path = "data" .* or path = "more.rows"'),
        ("a.json", b'[{"id": 1}, {"id": 2', "not JSON"),
        ("a.json", b'[{"id": 1}] [{"id": 2}]', "after the end"),
        ("a.xls", b"<?xml version='1.0'?><Workbook/>", "XML"),
        ("a.csv", b"sep=;\nid;t\n", 'delimiter = ";"'),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_whole(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    """Each is an InputError that names the file and the cause, before any row."""
    with pytest.raises(InputError, match=said) as error:
        _read(_file(tmp_path, name, content))
    assert name in str(error.value)


def test_directories_and_missing_files_are_refused(tmp_path: Path) -> None:
    """No traceback for a path that is no file."""
    with pytest.raises(InputError, match="a folder"):
        _read(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        _read(tmp_path / "none.csv")


def test_a_cut_gz_is_refused(tmp_path: Path) -> None:
    """A file that breaks off says so instead of ending quietly."""
    whole = gzip.compress(b"id,t\n" + b"".join(b"%d,%d\n" % (k, k * k) for k in range(50_000)))
    with pytest.raises(InputError, match="cannot be read"):
        _read(_file(tmp_path, "a.csv.gz", whole[: len(whole) // 2]))


def test_one_spoilt_line_of_many_is_not_another_encoding(tmp_path: Path) -> None:
    """A stray byte in one of fifty lines is left for that row to answer for."""
    body = b"".join(b"%d,ok\n" % k for k in range(50)) + b"50,caf\xe9\n"
    (chunk,) = _read(_file(tmp_path, "a.csv", b"id,t\n" + body))
    assert len(chunk) == 51


def test_broken_json_lines_cost_only_themselves(tmp_path: Path) -> None:
    """No JSON, or JSON that is no object, is a broken line with its number and text."""
    (chunk,) = _read(_file(tmp_path, "a.jsonl", '{"id": 1}\nnope\n[1]\n\n{"id": 2, "x": {"b": 1, "a": [1]}}\n'))
    assert chunk.table["id"].tolist() == ["1", "2"]
    assert chunk.table["x"].tolist() == [None, '{"a": [1], "b": 1}']
    assert [(b.line, b.raw) for b in chunk.broken] == [(2, "nope"), (3, "[1]")]


@pytest.mark.parametrize("text", [b"id,t\n1,x\n", b'{"id": 1, "t": "x"}\n'])
def test_standard_input_is_told_by_its_first_bytes(text: bytes) -> None:
    """`-` takes CSV and JSON Lines without a name to go by."""
    (chunk,) = _read("-", ("id", "t"), stdin=text)
    assert list(chunk.table.row(0).values()) == ["1", "x"]


@pytest.mark.parametrize("length", [(4 << 20) - 8, 4 << 20, (4 << 20) + 3])
def test_a_first_line_as_long_as_the_sample_is_read(tmp_path: Path, length: int) -> None:
    """One line of 4 MiB and more, without a line end and cut within a character, is a row or refused in words."""
    row = '{"t": "' + "é" * (length // 2) + '"}'
    (chunk,) = _read(_file(tmp_path, "a.jsonl", row), ("t",))
    assert len(chunk.table["t"][0]) == length // 2
    with pytest.raises(InputError, match="header"):
        _read(_file(tmp_path, "a.csv", "é" * (length // 2)), ("t",))
