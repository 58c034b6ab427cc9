"""Formats: whatever a file holds is read as it stands there, or refused by name; never as something else."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import math
import re
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.many import examples
from trueup.feedback.chunks import Chunk
from trueup.feedback.exact import Exact
from trueup.feedback.nested import Nested
from trueup.feedback.readers import opened
from trueup.storage.errors import ConfigError, InputError
from trueup.storage.file_format import FileFormat

PLAIN = FileFormat()


def _read(path: Path | str, format: FileFormat = PLAIN, *required: str) -> list[Chunk]:
    with opened(str(path), required, format=format) as source:
        return list(source.chunks())


def _rows(path: Path | str, format: FileFormat = PLAIN) -> list[dict[str, Any]]:
    """Every row as column → value, without the missing ones."""
    rows = [row for chunk in _read(path, format) for row in chunk.table.records()]
    return [{k: v for k, v in row.items() if v is not None} for row in rows]


def _file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# ---- any table, any format ----

_NAMES = ("id", "text", "n")
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
_WESTERN = st.text(st.characters(codec="cp1252", exclude_characters="\x00"), max_size=12)
_NUMBER = st.one_of(st.none(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False))


def _tables(text: st.SearchStrategy[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    rows = st.lists(st.tuples(text, _NUMBER), min_size=1, max_size=6)
    return rows.map(lambda cells: [{"id": f"r{k}", "text": t, "n": n} for k, (t, n) in enumerate(cells)])


def _expected(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _same(found: list[dict[str, Any]], rows: list[dict[str, Any]], *, numbers: bool) -> None:
    """Each row that was read is the one of its id, cell by cell."""
    by_id = {row["id"]: row for row in rows}
    for row in found:
        wanted = by_id.pop(row["id"])
        assert row.get("text") == _expected(wanted["text"])
        if numbers and wanted["n"] is not None:
            assert float(row["n"]) == wanted["n"]
        else:
            assert row.get("n") == (None if wanted["n"] is None else str(wanted["n"]))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(("encoding", "text"), [
    ("utf-8", _TEXT), ("utf-8-sig", _TEXT), ("utf-16", _TEXT), ("utf-16-be", _TEXT), ("utf-32", _TEXT),
    ("cp1252", _WESTERN),
])  # fmt: skip
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_csv_of_any_dialect_is_read_as_it_was_written(
    tmp_path: Path, delimiter: str, encoding: str, text: st.SearchStrategy[str], data: st.DataObject
) -> None:
    """Any texts, any delimiter, line end and encoding, below title rows and a `sep=` line: the same cells, or none.

    Windows-1252 whose every line with an accent is UTF-8 by chance is refused whole.
    """
    rows = data.draw(_tables(text))
    end, titles = data.draw(st.sampled_from(["\n", "\r\n", "\r"])), data.draw(st.integers(0, 2))
    held = io.StringIO(newline="")
    if data.draw(st.booleans()):
        held.write(f"sep={delimiter}{end}")
    held.write(f"an export{end}" * titles)
    writer = csv.DictWriter(held, _NAMES, delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    body = held.getvalue()
    path = _file(tmp_path, "a.csv", body.encode(encoding))
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    format = FileFormat(delimiter=delimiter, encoding=declared, skip_lines=titles)
    if encoding == "cp1252" and not body.isascii() and _is_utf_8(body.encode(encoding)):
        with pytest.raises(InputError, match=r"is UTF-8"):
            _read(path, format)
        return
    chunks = _read(path, format)
    found = [row for chunk in chunks for row in chunk.table.records()]
    _same(found, rows, numbers=False)
    assert len(found) == len(rows) or any(chunk.broken for chunk in chunks)


def _is_utf_8(content: bytes) -> bool:
    return "\ufffd" not in content.decode("utf-8", "replace")


def _as_json_lines(path: Path, rows: list[dict[str, Any]]) -> FileFormat:
    path.with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return FileFormat()


def _as_json(path: Path, rows: list[dict[str, Any]]) -> FileFormat:
    document = {"meta": {"n": [1, {"a": 2}][:1]}, "data": {"rows": rows}}
    path.with_suffix(".json").write_text(json.dumps(document, indent=2, ensure_ascii=False), encoding="utf-8")
    return FileFormat(path="data.rows")


def _as_parquet(path: Path, rows: list[dict[str, Any]]) -> FileFormat:
    numbers = pa.array([None if row["n"] is None else float(row["n"]) for row in rows], pa.float64())
    columns = {"id": [row["id"] for row in rows], "text": pa.array([row["text"] for row in rows]).dictionary_encode()}
    pq.write_table(pa.table({**columns, "n": numbers}), path.with_suffix(".parquet"))
    return FileFormat()


def _as_html(path: Path, rows: list[dict[str, Any]]) -> FileFormat:
    import html

    cells = ["".join(f"<td>{html.escape(str('' if v is None else v))}" for v in row.values()) for row in rows]
    head = "<tr>" + "".join(f"<th>{name}</th>" for name in _NAMES) + "</tr>"
    page = f"<html><body><table>{head}{''.join(f'<tr>{row}</tr>' for row in cells)}</table></body></html>"
    path.with_suffix(".html").write_text(page, encoding="utf-8", newline="")
    return FileFormat()


@pytest.mark.parametrize(
    ("ending", "write"), [(".jsonl", _as_json_lines), (".json", _as_json), (".parquet", _as_parquet)]
)
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_tables(_TEXT))
def test_typed_formats_give_back_what_they_hold(
    tmp_path: Path, ending: str, write: Callable[[Path, list[dict[str, Any]]], FileFormat], rows: list[dict[str, Any]]
) -> None:
    """JSON Lines, a list under a path and Parquet: any text as it is, any number exactly."""
    format = write(tmp_path / "a", rows)
    found = [row for chunk in _read(tmp_path / f"a{ending}", format) for row in chunk.table.records()]
    _same(found, rows, numbers=True)
    assert len(found) == len(rows)
    assert all(row["n"] is None or isinstance(row["n"], Exact) for row in found)


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_tables(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=12)))
def test_an_html_table_gives_back_its_cells(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    """Signs that HTML escapes, and cells that are not closed, are read as a browser shows them."""
    _same(_rows(tmp_path / "a.html", _as_html(tmp_path / "a", rows)), rows, numbers=False)


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_tables(st.text(st.characters(codec="ascii", min_codepoint=32), max_size=12)))
def test_a_worksheet_gives_back_its_cells(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    """Text as text and numbers as Excel keeps them, whole ones without a fraction; what it ruined is no number."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(_NAMES)
    for number, row in enumerate(rows, start=2):
        for column, name in enumerate(_NAMES, start=1):
            cell = sheet.cell(number, column, row[name])
            if isinstance(row[name], str):
                cell.data_type = "s"  # not a formula, whatever it begins with
    book.save(tmp_path / "a.xlsx")
    for row in _rows(tmp_path / "a.xlsx"):
        wanted = rows[int(row["id"][1:])]
        assert row.get("text") == (wanted["text"] or None)
        if wanted["n"] is not None:
            assert float(row["n"]) == pytest.approx(wanted["n"], rel=1e-14)


# ---- JSON ----


def test_fields_of_objects_are_columns_and_an_object_is_never_a_text(tmp_path: Path) -> None:
    """`review.stars` is a column; a list of objects, or an object where others have a value, stays marked as one."""
    lines = [
        {"id": 1, "review": {"stars": 5, "by": {"name": "A"}}, "tags": ["x", "y"], "mixed": 1, "many": [{"a": 1}]},
        {"id": 2, "review": None, "mixed": {"b": 2}},
    ]
    path = _file(tmp_path, "a.jsonl", "\n".join(map(json.dumps, lines)))
    with opened(str(path), ("review.stars",)) as source:
        assert source.columns == ("id", "review.stars", "review.by.name", "tags", "mixed", "many", "mixed.b")
        (chunk,) = source.chunks()
    assert chunk.table["review.stars"].tolist() == ["5", None]
    assert chunk.table["tags"][0] == '["x", "y"]'
    assert isinstance(chunk.table["mixed"][1], Nested)
    assert isinstance(chunk.table["many"][0], Nested)
    assert json.loads(chunk.raw[0]) == {**lines[0], "tags": '["x", "y"]'}
    assert json.loads(chunk.raw[1]) == {"id": 2, "mixed": {"b": 2}}
    with pytest.raises(InputError, match=r"'many\.a' missing|it holds objects"):
        _read(_file(tmp_path, "b.jsonl", '{"r": {"s": 1}}'), PLAIN, "r")


def test_a_field_that_a_record_names_twice_costs_that_record(tmp_path: Path) -> None:
    """The key `a.b` beside an object `a` with `b` could be either."""
    (chunk,) = _read(_file(tmp_path, "a.jsonl", '{"a.b": 1, "a": {"b": 2}}\n{"a": {"b": 3}}\n'))
    assert chunk.table["a.b"].tolist() == ["3"]
    assert "'a.b' is given twice" in chunk.broken[0].detail


@pytest.mark.parametrize("value", ["NaN", "1e400", "123456789012345678901234567890", '"\\ud83d"', "1.10", "true"])
def test_a_json_list_and_json_lines_read_every_value_alike(tmp_path: Path, value: str) -> None:
    """Also values that other parsers change: half a surrogate pair, integers past 64 bits, numbers past a float."""
    lines = _read(_file(tmp_path, "a.jsonl", f'{{"id": "x", "v": {value}}}\n'))
    listed = _read(_file(tmp_path, "a.json", f'[\n {{"id": "x",\n  "v": {value}}}\n]'))
    assert list(lines[0].table.records()) == list(listed[0].table.records())


def test_a_json_list_longer_than_a_block_is_read_item_by_item(tmp_path: Path) -> None:
    """Items, strings and numbers that are cut by the end of a block are whole."""
    rows = [{"id": k, "text": "é" * (k % 700), "n": k / 3} for k in range(3000)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"page": 1, "items": rows, "next": {"a": [1, 2]}}, ensure_ascii=False), encoding="utf-8")
    found = [row for chunk in _read(path, FileFormat(path="items")) for row in chunk.table.records()]
    held = [(int(row["id"]), row["text"] or "", float(row["n"])) for row in found]
    assert held == [tuple(row.values()) for row in rows]


# ---- Excel ----


def _workbook(path: Path, *rows: list[Any], more: dict[str, list[list[Any]]] | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = "Data"
    for row in rows:
        sheet.append(row)
    for name, others in (more or {}).items():
        other: Any = book.create_sheet(name)
        for row in others:
            other.append(row)
    book.save(path)
    return path


def test_midnight_in_a_column_of_moments_is_no_whole_day(tmp_path: Path) -> None:
    """Excel keeps 1 May 00:00 as a whole number, which the package calls a day: beside hours it is a moment."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["at", "day", "text"])
    for hour in (0, 9, 18):
        sheet.append([datetime(2023, 5, 1, hour), date(2023, 5, 1), "words"])
    book.save(tmp_path / "a.xlsx")
    with opened(str(tmp_path / "a.xlsx"), ()) as source:
        (chunk,) = source.chunks()
    assert list(chunk.table["at"]) == ["2023-05-01 00:00:00", "2023-05-01 09:00:00", "2023-05-01 18:00:00"]
    assert set(chunk.table["day"]) == {"2023-05-01"}


def test_cells_of_a_workbook_are_as_excel_types_them(tmp_path: Path) -> None:
    """Whole floats are integers, dates are times, what has no stored result is told; ids that Excel cut are marked."""
    path = _workbook(
        tmp_path / "a.xlsx", ["Export"], ["id", "at", "n", "f"], [1, datetime(2024, 5, 3, 10, 1), 2.0, "=A3"],
        [12345678901234567890, datetime(2024, 5, 4), True, None], [], ["007", datetime(2024, 5, 5), 0.1, "x"],
    )  # fmt: skip
    with opened(str(path), ("id",), format=FileFormat(skip_lines=1)) as source:
        (chunk,) = source.chunks()
        assert "1 formulas of sheet 'Data' have no stored result" in source.notes[0]
    assert chunk.lines.tolist() == [3, 4, 6]
    assert chunk.table["id"].tolist()[::2] == ["1", "007"]
    assert type(chunk.table["id"][1]).__name__ == "Ruined"
    assert chunk.table["n"].tolist() == ["2", "True", "0.1"]
    assert chunk.table["at"][0] == "2024-05-03 10:01:00"
    assert chunk.typed == {"at"}


def test_of_several_sheets_one_is_named(tmp_path: Path) -> None:
    """Which one is said in the settings, never guessed; empty sheets do not count."""
    path = _workbook(tmp_path / "a.xlsx", ["a"], [1], more={"Other": [["b"], [2]], "Empty": []})
    with pytest.raises(InputError, match='sheet = "Data" or sheet = "Other"'):
        _read(path)
    assert _rows(path, FileFormat(sheet="Other")) == [{"b": "2"}]
    assert _rows(path.rename(tmp_path / "b.xls"), FileFormat(sheet="Data")) == [{"a": "1"}]


def test_a_title_above_a_header_of_cells_is_named_in_lines(tmp_path: Path) -> None:
    """A workbook whose header stands lower than declared says how many lines to skip."""
    path = _workbook(tmp_path / "a.xlsx", ["Report"], [], ["id", "n"], [1, 2])
    with pytest.raises(InputError, match=r"format\.skip_lines 0: set skip_lines = 2"):
        _read(path, PLAIN, "id", "n")
    assert len(_read(path, FileFormat(skip_lines=2), "id", "n")[0]) == 1


def test_an_xls_is_judged_by_its_content(tmp_path: Path) -> None:
    """HTML and tab-separated text under that name are read as what they are."""
    page = _file(tmp_path, "a.xls", "<table><tr><th>a<th>b<tr><td>1<td>x &amp; y<br>z</table>")
    assert _rows(page) == [{"a": "1", "b": "x & y\nz"}]
    assert _rows(_file(tmp_path, "b.xls", "a\tb\n1\tx\n"), FileFormat(delimiter="\t")) == [{"a": "1", "b": "x"}]


# ---- Parquet ----


def test_parquet_of_every_common_type_is_text_of_one_way(tmp_path: Path) -> None:
    """Dictionaries, decimals, lists, structs, times with zones, times of day; bytes only where they are wanted."""
    berlin = datetime(2024, 5, 3, 10, tzinfo=ZoneInfo("Europe/Berlin"))
    columns = {
        "word": pa.array(["a", None]).dictionary_encode(),
        "price": pa.array([Decimal("1.10"), Decimal("2.00")]),
        "tags": pa.array([["x", "y"], []]),
        "who": pa.array([{"name": "A", "at": {"town": "B"}}, None]),
        "zoned": pa.array([berlin, None], pa.timestamp("us", "Europe/Berlin")),
        "fine": pa.array([1, None], pa.timestamp("ns")),
        "far": pa.array([3_000_000, None], pa.date32()),
        "day": pa.array([date(2024, 5, 3), None]),
        "clock": pa.array([time(10, 15), None]),
        "half": pa.array([0.5, math.inf], pa.float32()),
        "big": pa.array([2**64 - 1, None], pa.uint64()),
        "raw": pa.array([b"\xff\xd8", b""]),
        "none": pa.nulls(2),
    }
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path)
    with opened(str(path), ("who.name",), wanted=("who.name",)) as source:
        assert "raw" not in source.columns
        (chunk,) = source.chunks()
    first = chunk.table.row(0)
    assert first == {
        "word": "a", "price": "1.10", "tags": '["x", "y"]', "who.name": "A", "who.at.town": "B",
        "zoned": "2024-05-03 10:00:00+02:00", "fine": "1970-01-01 00:00:00.000000001", "far": first["far"],
        "day": "2024-05-03", "clock": "10:15:00", "half": "0.5", "big": str(2**64 - 1), "none": None,
    }  # fmt: skip
    assert first["far"].endswith("-10-15") or "10183" in first["far"]
    assert chunk.typed >= {"zoned", "fine", "day"}
    assert chunk.table["half"][1] == "inf"


def test_a_partitioned_folder_is_one_table(tmp_path: Path) -> None:
    """`dt=2024-05-03/part.parquet`: the path's values are columns, as text; files may lack columns of others."""
    for day, extra in (("2024-05-03", {"b": [1, 2]}), ("2024-05-04", {}), ("__HIVE_DEFAULT_PARTITION__", {})):
        folder = tmp_path / "t" / f"dt={day}" / "code=01"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"a": ["x", "y"], **extra}), folder / "part.parquet")
    _file(tmp_path / "t", "_SUCCESS", "")
    with opened(str(tmp_path / "t"), ("a", "dt")) as source:
        chunks = list(source.chunks())
    rows = [row for chunk in chunks for row in chunk.table.records()]
    assert rows[0] == {"a": "x", "b": "1", "dt": "2024-05-03", "code": "01"}
    assert rows[2] == {"a": "x", "b": None, "dt": "2024-05-04", "code": "01"}
    assert rows[5]["dt"] is None
    assert [line for chunk in chunks for line in chunk.lines] == [1, 2, 3, 4, 5, 6]


# ---- packed ----


def test_packed_files_are_read_as_what_they_hold(tmp_path: Path) -> None:
    """gz, bz2, zst and zip by their first bytes, a zip without what macOS adds; workbooks within them too."""
    text = b"id,t\n1,x\n"
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export/a.csv", text)
        archive.writestr("__MACOSX/export/._a.csv", b"junk")
        archive.writestr("export/.DS_Store", b"junk")
    frames = zstandard.compress(b"id,t\n") + zstandard.compress(b"1,x\n")
    held = {"a.csv.gz": gzip.compress(text), "a.bz2": bz2.compress(text), "a.csv.zst": frames}
    for name, content in {**held, "a.zip": zipped.getvalue()}.items():
        assert _rows(_file(tmp_path, name, content)) == [{"id": "1", "t": "x"}], name
    book = _workbook(tmp_path / "b.xlsx", ["id"], [1])
    assert _rows(_file(tmp_path, "b.xlsx.gz", gzip.compress(book.read_bytes()))) == [{"id": "1"}]
    with pytest.raises(InputError, match="cannot be read"):
        _read(_file(tmp_path, "cut.csv.zst", zstandard.compress(text * 10_000)[:-20]))


def test_a_zip_of_several_files_names_them(tmp_path: Path) -> None:
    """One is read; which of several is meant is for a person to say."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "id\n1\n")
        archive.writestr("b.csv", "id\n2\n")
    with pytest.raises(InputError, match=r"holds 2 \('a\.csv', 'b\.csv'\)"):
        _read(tmp_path / "a.zip")


# ---- headers, encodings, and advice that helps ----


def test_a_doubled_name_is_told_and_never_silently_one_of_them(tmp_path: Path) -> None:
    """Both columns are there under names of their own; neither is called as before."""
    path = _file(tmp_path, "a.csv", "id,score,score,score_1\n1,2,3,4\n")
    with opened(str(path), ("id",)) as source:
        assert source.columns == ("id", "score_2", "score_3", "score_1")
        assert "'score' 2 times" in source.notes[0]
    with pytest.raises(InputError, match="'score'"):
        _read(path, PLAIN, "score")


def test_a_header_that_comes_again_is_no_row(tmp_path: Path) -> None:
    """Files that were joined with their headers: each later one is told as a broken line."""
    (chunk,) = _read(_file(tmp_path, "a.csv", "id,t\n1,x\nid,t\n2,y\n"))
    assert chunk.table["id"].tolist() == ["1", "2"]
    assert [(b.line, "header" in b.detail) for b in chunk.broken] == [(3, True)]


@pytest.mark.parametrize(
    ("content", "format", "key"),
    [
        (b"id;t\n1;x\n", {}, "delimiter"),
        ("id,t\n1,grün\n".encode("utf-16"), {}, "encoding"),
        ("id,t\n1,grün\n".encode("utf-16-le"), {}, "encoding"),
        (("id,t\n" + "1,Grüße aus Köln mit Ärger\n" * 30).encode("cp1252"), {}, "encoding"),
        ("id,t\n1,grün\n".encode(), {"encoding": "windows-1252"}, "encoding"),
        (b"id,t\n1,x\n", {"encoding": "utf-16"}, "encoding"),
        (b"sep=;\nid;t\n1;x\n", {}, "delimiter"),
        (b"an export\nof\n\nid,t\n1,x\n", {}, "skip_lines"),
        (b"an export\nid\tt\n1\tx\n", {"delimiter": ";"}, "delimiter"),
        (b"id,t\n1,x\n", {"skip_lines": 3}, "skip_lines"),
        (b'{"rows": [{"id": 1, "t": 2}]}', {"kind": "json"}, "path"),
        (b'[{"id": 1, "t": 2}]', {"kind": "xlsx"}, "kind"),
    ],
)
def test_advice_that_is_followed_works(tmp_path: Path, content: bytes, format: dict[str, Any], key: str) -> None:
    """The message names the setting and a value; with that value the file is read."""
    path = _file(tmp_path, "a.json" if content.startswith((b"{", b"[")) else "a.csv", content)
    with pytest.raises(InputError) as error:
        _read(path, FileFormat(**format), "id", "t")
    found = dict(re.findall(r'(\w+) = "?([^" ]*)"?', str(error.value)))
    assert key in found, str(error.value)
    assert f"format.{key}" in str(error.value)
    assert len(_read(path, FileFormat(**{**format, **found}), "id", "t")[0]) > 0


def test_a_workbook_without_its_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named as pip takes it."""
    path = _workbook(tmp_path / "a.xlsx", ["id"], [1])
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(InputError, match=r"pip install 'trueup\[excel\]'"):
        _read(path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"delimiter": "ab"}, "separate fields"), ({"encoding": "nonsense"}, "no encoding"), ({"thousands": "."}, None),
        ({"decimal": ",", "thousands": ","}, "could be either"), ({"kind": "pdf"}, "kind"), ({"colour": 1}, "colour"),
    ],
)  # fmt: skip
def test_a_format_that_cannot_be_is_refused_by_its_key(given: dict[str, object], said: str | None) -> None:
    """Each fault in one line with its key."""
    with pytest.raises(ConfigError, match=said or "could be either"):
        FileFormat().changed(given)


def test_times_of_arrow_are_utc_or_say_their_zone(tmp_path: Path) -> None:
    """A naive stamp has no offset, an aware one keeps its own."""
    pq.write_table(
        pa.table({"a": [datetime(2024, 1, 1)], "b": [datetime(2024, 1, 1, tzinfo=UTC)], "c": [timedelta(hours=1)]}),
        tmp_path / "a.parquet",
    )
    assert _rows(tmp_path / "a.parquet") == [
        {"a": "2024-01-01 00:00:00", "b": "2024-01-01 00:00:00+00:00", "c": "1:00:00"}
    ]
