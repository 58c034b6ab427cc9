"""A header of several lines is seen where the columns below hold numbers or times."""

from __future__ import annotations

import pytest

from trueup.feedback.chunks import object_array
from trueup.feedback.inference.header_rows import header_rows
from trueup.feedback.text_table import TextTable

ASKED, IMPORTED = ("When?", "How likely?"), ('{"id":1}', '{"id":2}')


def _table(rows: list[tuple[str, str]]) -> TextTable:
    return TextTable(dict(zip(("at", "score"), map(object_array, zip(*rows, strict=True)), strict=True)), len(rows))


@pytest.mark.parametrize("below", [[], [ASKED], [ASKED, IMPORTED]])
def test_words_above_numbers_and_times_are_header(below: list[tuple[str, str]]) -> None:
    """However many lines; a first record is none."""
    rows = [*below, *((f"2024-05-{k % 28 + 1:02d} 10:00:00", str(k % 10)) for k in range(60))]
    assert header_rows(_table(rows)) == len(below)


def test_a_text_column_says_nothing() -> None:
    """A file of words alone, and one whose first cell is dirty, have one header line."""
    words = _table([("a", "b")] * 60)
    dirty = _table([("n/a", "5"), *((str(k), str(k)) for k in range(60))])
    assert (header_rows(words), header_rows(dirty)) == (0, 0)
