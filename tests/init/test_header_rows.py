"""A header of several lines is seen where the columns below hold numbers or times."""

from __future__ import annotations

import pandas as pd
import pytest

from trueup.feedback.inference.header_rows import header_rows

ASKED, IMPORTED = ("When?", "How likely?"), ('{"id":1}', '{"id":2}')


@pytest.mark.parametrize("below", [[], [ASKED], [ASKED, IMPORTED]])
def test_words_above_numbers_and_times_are_header(below: list[tuple[str, str]]) -> None:
    """However many lines; a first record is none."""
    rows = [*below, *((f"2024-05-{k % 28 + 1:02d} 10:00:00", str(k % 10)) for k in range(60))]
    assert header_rows(pd.DataFrame(rows, columns=["at", "score"], dtype="object")) == len(below)


def test_a_text_column_says_nothing() -> None:
    """A file of words alone, and one whose first cell is dirty, have one header line."""
    words = pd.DataFrame([("a", "b")] * 60, columns=["x", "y"], dtype="object")
    dirty = pd.DataFrame([("n/a", "5"), *((str(k), str(k)) for k in range(60))], columns=["x", "y"], dtype="object")
    assert (header_rows(words), header_rows(dirty)) == (0, 0)
