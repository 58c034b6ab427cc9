"""However odd a file: no traceback, nothing half-written, and no stream that learns from its own answer."""

from __future__ import annotations

import re
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import trueup
from tests.init.made_files import Csv, Excel, FileKind, HtmlTable, Json, Parquet
from tests.init.made_shapes import FEATURES
from tests.init.reading import STREAM
from tests.many import examples

NAMES = (
    "id", "at", "date", "time", "label", "stars", "text", "score", "", " ", "a", "a", "A", 'say "no"', "two\nlines",
    "x,y", "[streams.x]", "time_format", "__id", "__time", "label.column", "ж", "評価", "😀", "n" * 300, "#", "'", "\\",
    "=1+1", "Unnamed: 0", "true", "\ufeffid", "a.b", "a.b.c", "2024", "\u202eevil", "null",
)  # fmt: skip
ODD = (
    "", " ", "NA", "nan", "?", "-200", "1e400", "1,5", "1.234,56", "0012", "5.7E+17", "2024-05-03", "03/04/2024",
    "24:00", "1714723200", "45000", "'", '"', '""', ";", "\t", "line\nbreak", "lone\rreturn", "=cmd()", "★★★☆☆",
    "4.5 out of 5 stars", "x" * 5000, "\u2028", "e\u0301", "𝒳", "-", "true", "[]", "{}", "<b>", "١٢٣",
)  # fmt: skip
FIRST = datetime(2023, 1, 1)
_UNSHEETED = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")  # what no cell of a workbook can hold

texts = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
cells = st.one_of(
    texts, st.integers(-5, 5), st.integers(-(2**63), 2**63 - 1), st.floats(), st.none(), st.booleans(),
    st.lists(st.integers(0, 3), max_size=2),
    st.dictionaries(st.sampled_from(NAMES[:12]), st.integers(0, 9), max_size=2),
)  # fmt: skip
kinds: tuple[FileKind, ...] = (
    Csv(), Csv(delimiter=";", decimal=","), Csv(encoding="utf-16"), Csv(delimiter="\t", end="\r", ending=".tsv"),
    Csv(packed="gz"), Csv(packed="zip"), Csv(title=("sep=,", "")), Json(), Json(lines=True, ending=".jsonl"),
    Json(path="data.rows", absent=True), Excel(), Parquet(), HtmlTable(),
)  # fmt: skip


@dataclass(frozen=True)
class Damage:
    """What happens to a file's bytes: the share that is kept, and bits that are turned at shares of its length."""

    kept: float
    turned: tuple[tuple[float, int], ...]

    def done_to(self, content: bytes) -> bytes:
        left = bytearray(content[: int(len(content) * self.kept)])
        for at, bit in self.turned if left else ():
            left[min(int(at * len(left)), len(left) - 1)] ^= 1 << bit
        return bytes(left)


unharmed = st.just(Damage(1.0, ()))
harmed = st.builds(
    Damage, st.one_of(st.just(1.0), st.floats(0, 1)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 7)), max_size=4).map(tuple),
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> list[tuple[str, list[Any]]]:
    """Columns of odd names: their cells are drawn from a few odd ones, or are numbers, days, or a copy of the first."""
    rows, chance = draw(st.sampled_from([0, 1, 3, 60, 200])), Random(draw(st.integers(0, 2**32)))
    table: list[tuple[str, list[Any]]] = []
    for _ in range(draw(st.integers(1, 6))):
        name, few = draw(st.one_of(st.sampled_from(NAMES), texts)), draw(st.lists(cells, min_size=1, max_size=8))
        filled = {
            "odd": lambda few=few: chance.choices(few, k=rows),
            "number": lambda: [round(chance.gauss(0, 9), 2) for _ in range(rows)],
            "day": lambda: [str(FIRST + timedelta(minutes=chance.randrange(10**6))) for _ in range(rows)],
            "class": lambda: chance.choices(["good", "bad"], k=rows),
            "copy": lambda: list(table[0][1]) if table else [None] * rows,
        }[draw(st.sampled_from(["odd", "odd", "number", "day", "class", "copy"]))]()
        table.append((name, filled))
    return table


def _write(kind: FileKind, folder: Path, table: Sequence[tuple[str, list[Any]]]) -> Path | None:
    """The file, or None where no such file can be written."""
    if isinstance(kind, Excel | Parquet):
        table = [(_UNSHEETED.sub("", name), [_plainly(c) for c in column]) for name, column in table]
    if isinstance(kind, Parquet) and len({name for name, _ in table}) < len(table):
        return None
    try:
        return kind.write(folder, "odd", table)
    except (AttributeError, TypeError):  # a.b beside a: no object could hold both
        return None


def _plainly(cell: Any) -> str | None:
    return None if cell is None else _UNSHEETED.sub("", str(cell))[:32_000]


def _try(kind: FileKind, table: Sequence[tuple[str, list[Any]]], damage: Damage) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        path = _write(kind, folder, table)
        if path is None:
            return
        path.write_bytes(damage.done_to(path.read_bytes()))
        config = folder / "trueup.toml"
        if not _done(lambda: trueup.init(path, stream=STREAM, config=config)):
            assert [p.name for p in folder.iterdir()] == [path.name], "it wrote something though it refused the file"
            return
        written = config.read_bytes()
        _learns_from_no_answer(tomllib.loads(written.decode())["streams"][STREAM], dict(table))
        _done(lambda: _ingested(config, path))
        assert config.read_bytes() == written


def _done(act: Callable[[], object]) -> bool:
    """Whether it was done; what refuses it must say so in words, and anything else fails the test."""
    try:
        act()
    except trueup.TrueupError as error:
        if not str(error).strip():
            raise
        return False
    return True


def _ingested(config: Path, path: Path) -> None:
    with trueup.open(config) as deployment:
        deployment.stream(STREAM).ingest(path)


def _learns_from_no_answer(stream: dict[str, Any], columns: dict[str, list[Any]]) -> None:
    label = columns.get(stream.get("label", {}).get("column", ""))
    features = [name for role in FEATURES for name in stream.get(role, ())]
    assert stream.get("label", {}).get("column") not in features
    if label is None or len(label) < 50 or min(map(label.count, label)) < 10 or len(set(map(str, label))) < 2:
        return
    copies = [name for name in features if columns.get(name) == label]
    assert not copies, f"{copies} hold the answer itself"


@given(st.sampled_from(kinds), tables(), unharmed)
@example(Json(), [("", ["x", "y"]), ("stars", [1, 5])], Damage(1.0, ()))
@example(Csv(), [("a\x7fb", ["some words of it", "other words of it"]), ("stars", [1, 5])], Damage(1.0, ()))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_odd_table_is_taken_or_refused_in_words(
    kind: FileKind, table: list[tuple[str, list[Any]]], damage: Damage
) -> None:
    """A few odd tables at every run of the tests."""
    _try(kind, table, damage)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@given(st.sampled_from(kinds), tables(), st.one_of(unharmed, harmed))
@settings(max_examples=examples(600), deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_table_is_taken_or_refused_in_words(
    kind: FileKind, table: list[tuple[str, list[Any]]], damage: Damage
) -> None:
    """Many, and with bytes that are cut off or turned."""
    _try(kind, table, damage)
