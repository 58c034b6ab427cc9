"""What `init` takes a stranger's file to be: right, or undecided with the settings to choose from; never wrong."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.init.made_files import Csv
from tests.init.shapes import SHAPES
from trueup.feedback.inference.detect import Detected, detect
from trueup.feedback.readers import opened
from trueup.storage.errors import InputError
from trueup.storage.file_format import FileFormat

WORDS = ["le", "café", "était", "très", "bon,", "merci", "à", "tous;", "schöne", "Grüße", "aus", "Köln"]


def _detect(folder: Path, content: str | bytes, name: str = "a.csv", encoding: str = "utf-8") -> Detected:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return detect(str(path))


def _given(found: Detected) -> dict[str, Any]:
    return found.format.model_dump(exclude_defaults=True)


def _text(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(3, 9)))


def _reviews(sign: str, price: Callable[[float], str], rows: int = 60, *, quoted: bool = False) -> str:
    rng = random.Random(1)
    lines = [sign.join(("id", "at", "stars", "price", "review"))]
    for k in range(rows):
        at, stars = f"2024-05-{k % 28 + 1:02d} 10:00", str(rng.randint(1, 5))
        cells = [f"r{k}", at, stars, price(rng.uniform(0.1, 99)), _text(rng)]
        if k % 10 == 0:
            cells[-1] += "\nsecond line; with, signs"
        lines.append(sign.join(f'"{c}"' if quoted or any(s in c for s in ',;\t|\n"') else c for c in cells))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoted", [True, False])
@pytest.mark.parametrize("comma", [True, False])
@pytest.mark.parametrize("titles", [0, 3])
def test_delimiter_notation_and_titles_are_found_together(
    tmp_path: Path, sign: str, quoted: bool, comma: bool, titles: int
) -> None:
    """Each pair of delimiter and decimal mark, with texts that hold every other delimiter, below title rows."""
    head = "Export of reviews\nShop: Köln, all channels\n\n" if titles else ""
    body = _reviews(sign, lambda x: f"{x:.2f}".replace(".", "," if comma else "."), quoted=quoted)
    found = _detect(tmp_path, head + body)
    wanted: dict[str, Any] = {"delimiter": sign} if sign != "," else {}
    wanted |= {"decimal": ","} if comma else {}
    wanted |= {"skip_lines": 3} if titles else {}
    assert (_given(found), found.undecided) == (wanted, ())


@pytest.mark.parametrize(
    ("sign", "cells", "wanted", "choices"),
    [
        (";", ["1,234", "2,500"], {}, ('decimal = ","', 'thousands = ","')),
        ("\t", ["1,234", "12,345"], {}, ('decimal = ","', 'thousands = ","')),
        (";", ["1.234", "2.500"], {}, ('decimal = "."', 'decimal = ","; thousands = "."')),
        (";", ["1,234", "2,5"], {"decimal": ","}, ()),
        (";", ["1.234,5", "987,1"], {"decimal": ",", "thousands": "."}, ()),
        (";", ["1.234.567", "2,5"], {"decimal": ",", "thousands": "."}, ()),
        (",", ['"1,234"', '"2,500"'], {"thousands": ","}, ()),
        (",", ['"1,234.50"', "12.00"], {"thousands": ","}, ()),
        (",", ["1.234", "2.500"], {}, ()),
        (";", ["0,123", "0,999"], {"decimal": ","}, ()),
        (";", ["1 234,5", "12,0"], {"decimal": ",", "thousands": " "}, ()),
        (";", ["1'234.5", "12.0"], {"thousands": "'"}, ()),
        (";", ["12", "13"], {}, ()),
        (";", ["NA", "2,5"], {"decimal": ","}, ()),
        (";", ["2.5", "2,5"], {}, ('decimal = ","', 'decimal = "."')),
        (";", ["10.0.1", "10.0.2"], {}, ()),
        ("|", ["1.414,47", "2.958,58-"], {"decimal": ",", "thousands": "."}, ()),
    ],
)
def test_a_number_decides_only_what_it_proves(
    tmp_path: Path, sign: str, cells: Sequence[str], wanted: dict[str, str], choices: tuple[str, ...]
) -> None:
    """`1,234` alone decides nothing; `2,5`, `0,123` and `1.234,5` do, and the delimiter where it is a comma."""
    lines = [f"r{k}{sign}{cells[k % len(cells)]}{sign}2024-05-03" for k in range(40)]
    found = _detect(tmp_path, "\n".join([f"id{sign}price{sign}at", *lines]))
    delimiter = {"delimiter": sign} if sign != "," else {}
    expected = {**delimiter, **wanted}
    assert choices or _given(found) == expected
    assert tuple(s for u in found.undecided for s in u.settings) == choices


def test_a_version_beside_decimal_commas_is_told_and_stays_as_it_is(tmp_path: Path) -> None:
    """1.10 is no number of a file that writes 2,5; a number of three digits after a point leaves the file undecided."""
    lines = [f"r{k};1.{k % 12};2,5" for k in range(30)]
    found = _detect(tmp_path, "\n".join(["id;version;price", *lines]))
    assert _given(found) == {"delimiter": ";", "decimal": ","}
    assert "'version' ('1.0')" in " ".join(found.why)
    lines = [f"r{k};52.{100 + k};2,5" for k in range(30)]
    found = _detect(tmp_path, "\n".join(["id;lat;price", *lines]))
    assert 'decimal = ","; thousands = "."' in found.undecided[0].settings


def test_one_dirty_cell_flips_no_guess_and_a_second_population_does(tmp_path: Path) -> None:
    """One 2.5 among a thousand 2,5 changes nothing; one in ten leaves it undecided."""
    rows = [f"r{k};{k % 9},5" for k in range(1000)]
    found = _detect(tmp_path, "\n".join(["id;price", *rows, "r;2.5"]))
    assert (_given(found), found.undecided) == ({"delimiter": ";", "decimal": ","}, ())
    found = _detect(tmp_path, "\n".join(["id;price", *rows, *(f"s{k};2.5" for k in range(100))]))
    assert found.undecided


# ---- encodings ----


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-8"])
def test_unicode_is_told_by_its_bytes(tmp_path: Path, encoding: str) -> None:
    """A byte order mark, zero bytes, or strict UTF-8 over the whole file; it is then read without being told more."""
    found = _detect(tmp_path, _reviews(";", lambda x: f"{x:.2f}"), encoding=encoding)
    wanted = encoding if encoding not in ("utf-8", "utf-8-sig") else None
    assert _given(found) == {"delimiter": ";", **({"encoding": wanted} if wanted else {})}
    with opened(str(tmp_path / "a.csv"), ("review",), format=found.format) as source:
        assert sum(len(chunk) for chunk in source.chunks()) == 60


_SENTENCES = {
    "windows-1252": "Der Artikel ist schön, größer als erwartet und für Köln ganz übersichtlich beschrieben",
    "windows-1251": "Приложение очень хорошее, спасибо разработчикам за быструю работу и помощь",
    "shift_jis": "このアプリはとても使いやすいです。毎日楽しく使っています。ありがとうございます",
    "gb18030": "这个应用程序非常好用，我每天都在使用它，谢谢开发人员的努力工作",
    "euc-kr": "이 앱은 정말 사용하기 쉽습니다. 매일 즐겁게 사용하고 있습니다. 감사합니다",
    "windows-1250": "Aplikacja jest świetna, łatwa w użyciu i bardzo pomogła mi każdego dnia, dziękuję",
    "iso8859-7": "Η εφαρμογή είναι πολύ καλή και τη χρησιμοποιώ κάθε μέρα, ευχαριστώ πολύ",
    "windows-1254": "Uygulama çok güzel, her gün kullanıyorum ve işimi kolaylaştırıyor, teşekkürler",
}


@pytest.mark.parametrize("encoding", list(_SENTENCES))
def test_an_8_bit_encoding_is_told_by_the_lines_that_are_not_ascii(tmp_path: Path, encoding: str) -> None:
    """Among two thousand lines of ASCII the text comes out as it was, or both encodings are named."""
    text = _SENTENCES[encoding]
    words = text.split() if " " in text else list(text)
    rng = random.Random(3)
    odd = [f"x{k};" + (" " if " " in text else "").join(rng.sample(words, len(words))) for k in range(40)]
    lines = [f"r{k};plain words of a review number {k}" for k in range(2000)]
    body = "\n".join(["id;review", *lines[:1000], *odd, *lines[1000:]])
    found = _detect(tmp_path, body, encoding=encoding)
    chosen = found.format.encoding
    right = body.encode(encoding).decode(chosen, "replace") == body
    assert right or found.undecided, chosen
    assert any("line 1002" in why for why in found.why)


def test_few_odd_lines_leave_the_encoding_undecided(tmp_path: Path) -> None:
    """One word is too little to tell Windows-1252 from its neighbours; both are written down."""
    body = "id;review\n" + "".join(f"r{k};plain\n" for k in range(300)) + "x;caf\u00e9\n"
    found = _detect(tmp_path, body, encoding="windows-1252")
    assert found.undecided[0].about == "format"
    assert len(found.undecided[0].settings) > 1
    assert all(setting.startswith("encoding = ") for setting in found.undecided[0].settings)


def test_one_bad_line_in_a_file_of_utf_8_is_a_bad_line(tmp_path: Path) -> None:
    """A file whose other lines are strict UTF-8 is UTF-8; the damaged line is named."""
    body = b"id,review\n" + b"".join(f"r{k},Grüße\n".encode() for k in range(50)) + b"x,caf\xe9\n"
    found = _detect(tmp_path, body)
    assert (_given(found), found.undecided) == ({}, ())
    assert "line 52" in found.why[0]


# ---- what is never taken, and the other kinds ----


@pytest.mark.parametrize("body", ["text\nfine; really\nbad | ugly\n", "a\tb;c\n1\n2;3\n4\t5\n", "a b c\n1 2;3\n"])
def test_one_column_with_another_delimiter_in_it_is_never_taken(tmp_path: Path, body: str) -> None:
    """Where no delimiter gives rows alike, that is said with the ones to choose from."""
    found = _detect(tmp_path, body)
    assert found.undecided
    assert all(setting.startswith("delimiter = ") for setting in found.undecided[0].settings)


def test_a_file_without_a_header_is_refused(tmp_path: Path) -> None:
    """A first row of numbers above numbers is a record; nothing names the columns."""
    with pytest.raises(InputError, match="no header"):
        _detect(tmp_path, "".join(f"{k};2024-05-{k % 28 + 1:02d};{k}.5;good\n" for k in range(50)))
    named = _detect(tmp_path, "at,1,2,3\n" + "".join(f"2024-05-03,{k},{k}.5,7\n" for k in range(50)))
    assert (_given(named), named.undecided) == ({}, ())
    padded = "v1,v2,,,\n" + "ham,some words of a text,,,\n" * 30
    assert (_given(_detect(tmp_path, padded)), _detect(tmp_path, padded).undecided) == ({}, ())
    annotated = "#group,false,true\n#datatype,string,long\n,result,value\n" + ",mean,2.5\n" * 9
    assert _given(_detect(tmp_path, annotated)) == {"skip_lines": 2}


def test_sep_lines_and_lone_returns_are_followed(tmp_path: Path) -> None:
    """`sep=` names the delimiter; a file of lone CR has lines."""
    body = "sep=;\r" + "\r".join(["id;n", *(f"r{k};2,5" for k in range(9))])
    found = _detect(tmp_path, body)
    assert _given(found) == {"delimiter": ";", "decimal": ","}
    with opened(str(tmp_path / "a.csv"), ("id", "n"), format=found.format) as source:
        assert sum(len(chunk) for chunk in source.chunks()) == 9


def test_lists_sheets_and_tables_are_found_or_named(tmp_path: Path) -> None:
    """One list, sheet or table is taken; of several each is a setting to choose."""
    rows = [{"id": k, "review": {"stars": 5}} for k in range(9)]
    one = _detect(tmp_path, json.dumps({"meta": {"n": 9}, "data": {"items": rows}}), "a.json")
    assert (_given(one), one.undecided) == ({"path": "data.items"}, ())
    two = _detect(tmp_path, json.dumps({"data": rows, "included": rows[:3]}), "b.json")
    assert [u.settings for u in two.undecided] == [('path = "data"', 'path = "included"')]
    assert _given(_detect(tmp_path, json.dumps(rows, indent=1), "c.json")) == {}
    assert _given(_detect(tmp_path, "\n".join(map(json.dumps, rows)), "d.json")) == {}
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in (["Export", None, None], [], ["id", "at", "n"], *([k, "2024-05-03", k / 2] for k in range(9))):
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    assert _given(detect(str(tmp_path / "a.xlsx"))) == {"skip_lines": 2}
    notes = book.create_sheet("Notes")
    notes["A1"] = "made by hand"
    book.save(tmp_path / "b.xlsx")
    assert _given(detect(str(tmp_path / "b.xlsx"))) == {"skip_lines": 2, "sheet": "Sheet"}
    for row in (["id", "n"], [1, 2]):
        notes.append(row)
    book.save(tmp_path / "c.xlsx")
    assert detect(str(tmp_path / "c.xlsx")).undecided[0].settings == ('sheet = "Sheet"', 'sheet = "Notes"')
    page = "<table><tr><td>id<td>n</tr>" + "".join(f"<tr><td>{k}<td>{k},5</tr>" for k in range(9)) + "</table>"
    assert _given(_detect(tmp_path, page, "a.xls")) == {"decimal": ","}


@pytest.mark.parametrize("content", [b"\x89PNG\r\n", b"%PDF-1.7", b"<?xml version='1.0'?><a/>", b"", b"{}"])
def test_what_is_no_file_of_records_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    """By name, before anything is written."""
    with pytest.raises(InputError, match=r"a\.json"):
        _read_as_found(tmp_path, content)


def _read_as_found(folder: Path, content: bytes) -> None:
    found = _detect(folder, content, "a.json")
    with opened(str(folder / "a.json"), (), format=found.format):
        pass


# ---- another judge ----


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_clevercsv_agrees_on_the_delimiter(tmp_path: Path, seed: int) -> None:
    """Of made files of every shape both judges name one delimiter, or ours is undecided; the made one is right."""
    import clevercsv

    rng = random.Random(seed)
    sign = rng.choice(",;\t|")
    body = _reviews(sign, lambda x: f"{x:.{rng.randint(1, 4)}f}", rows=rng.randint(5, 80), quoted=rng.random() < 0.3)
    found = _detect(tmp_path, body)
    assert found.format.delimiter == sign or found.undecided
    theirs = clevercsv.Sniffer().sniff(body, delimiters=[",", ";", "\t", "|"])
    assert theirs.delimiter == found.format.delimiter or found.undecided or theirs.delimiter != sign


@pytest.mark.slow
def test_every_made_shape_is_read_in_its_own_format(tmp_path: Path) -> None:
    """Delimiter, notation and titles of files after public exports are right; CleverCSV agrees on nine in ten."""
    import clevercsv

    alike = []
    for name, maker in SHAPES.items():
        shape = maker.shape()
        path = shape.file.write(tmp_path, name, [(c.name, c.cells) for c in shape.columns])
        file = shape.file
        if not isinstance(file, Csv) or not file.header:
            continue
        found = detect(str(path))
        titles = 0 if "sep=;" in file.title else len(file.title)
        format = found.format
        assert (format.delimiter, format.skip_lines) == (file.delimiter, titles), name
        # cells that a shape spells as text, such as ratings, may be written 4,5 all the same
        assert format.decimal == file.decimal or file.decimal == ".", name
        assert format.thousands == file.thousands or not file.thousands, name
        if not file.packed:
            sample = path.read_bytes()[:20_000].decode(format.encoding, "ignore")
            theirs = clevercsv.Sniffer().sniff(sample, delimiters=[",", ";", "\t", "|"])
            alike.append(theirs is not None and theirs.delimiter == format.delimiter)
    assert sum(alike) >= 0.9 * len(alike)


def test_a_format_that_is_found_is_one_that_can_be_written() -> None:
    """The defaults change nothing."""
    assert FileFormat().changed({}) == FileFormat()
