"""Masking at intake: what is somebody's is not stored, and nothing else of the records changes."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.feedback.intake import ingest
from trueup.storage.archive import Archive
from trueup.storage.database import open_database
from trueup.storage.personal_data import without_personal_data
from trueup.storage.reading import RecordReader
from trueup.storage.records.appending import RecordStore
from trueup.storage.stream import StreamSettings

NOW = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("write to Ann.Lee+x@example.org, please", "write to [address], please"),
        ("card 4111 1111 1111 1111 was charged", "card [card] was charged"),
        ("card 4111111111111111.", "card [card]."),
        ("not a card: 4111111111111112", "not a card: 4111111111111112"),
        ("call +49 (0)30 1234-5678 or 030 12345678", "call [phone] or [phone]"),
        ("(555) 123-4567", "[phone]"),
        ("order 20240518001 of 2024-05-18 10, 18.05.2024", "order 20240518001 of 2024-05-18 10, 18.05.2024"),
        ("paid 12.99999999 for 3 items at 10:30", "paid 12.99999999 for 3 items at 10:30"),
        ("two\nlines\tstay @ home", "two\nlines\tstay @ home"),
        ("ann.o'hara@example.org. 'bob@example.org'!", "[address]. '[address]'!"),
        ("+1\u2011555\u2013123 - 4567, 030 - 90 18 20, +86 138 1234 5678", "[phone], [phone], [phone]"),
        ("06 12 34 56 78, 06.12.34.56.78, 12.34.56.78", "[phone], [phone], [phone]"),
        ("2223003122003222; 3782 822463 10005; 30569309025904", "[card]; [card]; [card]"),
    ],
)
def test_addresses_phones_and_cards_are_masked_and_all_else_stays(said: str, left: str) -> None:
    """Order numbers, days and prices are nobody's; line breaks stay."""
    assert without_personal_data(said) == left


@pytest.mark.parametrize(
    "said",
    [
        "192.168.0.1 10.0.0.255:8080 of 2024-05-18", "version 12.0.1.2345, 10.0.19041.1234", "ISBN 978-3-16-148410-0",
        "1 000 000", "$1 234 567", "10.000.000,50", "1.000.000 EUR", "Rp 125.345.678", "2019-2020, 2019 2020 2021",
        "03/05/2024 - 04/05/2024", "12/25/2019 100", "0800-1700", "1 2 3 4 5 6 7 8 9 10", "5/5 4/5 5/5 5/5", "0000000",
        "at 1706778000000, 1706778000009, 1706778000017, 1706778000025, 1706778000033, 1706778000041, 1706778000058",
        ", ".join(f"order 404-1234567-123456{k}" for k in range(10)),
    ],
)  # fmt: skip
def test_figures_of_other_kinds_stay(said: str) -> None:
    """Hosts, versions, books, amounts, years, days, hours, counts, times in milliseconds, order numbers: nobody's."""
    assert without_personal_data(said) == said


def test_a_long_text_is_masked_in_no_time() -> None:
    """Whatever outsiders write in one word, the time grows with its length and not with its square."""
    for long in ("x" * 200_000, "x'" * 100_000, "1 " * 100_000, f"a@{'b.' * 100_000}"):
        begun = time.process_time()
        assert without_personal_data(f"{long} ann@example.org").endswith("[address]")
        assert time.process_time() - begun < 5


@given(st.text(alphabet="ab @.+-()/0123456789\n[]',\u2013$", max_size=60))
def test_masking_twice_changes_nothing(text: str) -> None:
    """What was masked before it came here goes through as it is."""
    once = without_personal_data(text)
    assert without_personal_data(once) == once


def test_turning_it_on_or_off_makes_no_conflict_of_rows_that_come_again(tmp_path: Path) -> None:
    """The fingerprint, the content and the side are those of the text as it was sent; only what is stored is masked."""
    settings = {"name": "r", "id": "id", "time": "at", "text": ("words", "title"), "on_change": "refuse"}
    plain, masking = StreamSettings(**settings), StreamSettings(**settings, mask_at_intake=("words",))
    database, archive = open_database("", tmp_path), Archive("", tmp_path)
    store, reader = RecordStore(database, archive, Path()), RecordReader(database, archive)
    words = ["call +49 30 12345678", "ann@example.org says hi", None, "nothing"]
    rows = pd.DataFrame({"id": [f"+49 30 1234567{k}" for k in range(4)], "at": "2024-05-01", "words": words,
                         "title": "ann@example.org"})  # fmt: skip
    sent = pa.Table.from_pandas(rows, preserve_index=False)
    before = ingest(store, plain, [sent.slice(0, 2)], now=NOW)
    on = ingest(store, masking, [sent], now=NOW)
    off = ingest(store, plain, [sent], now=NOW)
    assert (before.accepted, on.accepted, off.accepted) == (2, 2, 0)
    assert (on.duplicate, off.duplicate, on.quarantined, off.quarantined) == (2, 4, 0, 0)
    stored = reader.read(masking, as_of=NOW)
    assert list(stored.features["words"]) == [*words[:2], None, "nothing"]
    assert set(stored.features["title"]) == {"ann@example.org"}
    assert sorted(stored.meta["id"]) == sorted(rows["id"])
    database.close()


def test_the_masked_text_is_what_is_stored(tmp_path: Path) -> None:
    """No byte of the archive or the store holds what was masked, and equal texts still have equal content."""
    stream = StreamSettings(name="r", id="id", time="at", text=("words",), mask_at_intake=("words",))
    open_stream = StreamSettings(name="o", id="id", time="at", text=("words",))
    database, archive = open_database("", tmp_path), Archive("", tmp_path)
    store, reader = RecordStore(database, archive, Path()), RecordReader(database, archive)
    sent = pa.table({"id": ["1", "2"], "at": ["2024-05-01"] * 2, "words": ["ann.canary@example.org wrote"] * 2})
    for settings in (stream, open_stream):
        ingest(store, settings, [sent], now=NOW)
    masked, unmasked = (reader.read(settings, as_of=NOW) for settings in (stream, open_stream))
    assert set(masked.features["words"]) == {"[address] wrote"}
    assert list(masked.meta["content"]) == list(unmasked.meta["content"])
    database.close()
    held = {f for f in tmp_path.rglob("*") if f.is_file() and "ann.canary" in _content(f)}
    assert held
    assert {f.parent.name for f in held} == {"o"}  # it is found where nothing is masked, and nowhere else


def _content(file: Path) -> str:
    """All that a file holds; a Parquet file packs its values, so its bytes would tell nothing."""
    if file.suffix == ".parquet":
        return str(pq.read_table(file).to_pylist())
    return file.read_bytes().decode("latin-1")


@pytest.mark.parametrize("column", ["id", "stars", "missing"])
def test_only_declared_texts_are_masked(column: str) -> None:
    """Never an id, nor what is no text."""
    with pytest.raises(ValueError, match="never an id"):
        StreamSettings(name="r", id="id", time="at", text=("words",), numeric=("stars",), mask_at_intake=(column,))
