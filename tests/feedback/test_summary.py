"""What a file says of its columns: counts of all its rows, and a sample in its order."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.many import examples
from trueup.feedback.chunks import chunk_of
from trueup.feedback.inference import summary
from trueup.feedback.inference.summary import form_of, summary_of

CELLS = st.lists(st.sampled_from(["1", "2.5", "-3", "a", "b c", "", " ", "2024-05-03", "é"]) | st.text(max_size=5))


@settings(max_examples=examples(60), deadline=None)
@given(cells=CELLS, size=st.integers(1, 7))
def test_counts_hold_for_every_row_however_it_is_chunked(cells: list[str], size: int) -> None:
    """Rows, empty cells, distinct values, numbers and forms are those of the whole column."""
    chunks = [chunk_of([{"x": v} for v in cells[k : k + size]]) for k in range(0, len(cells), size)]
    (column,) = summary_of(["x"], chunks).columns
    values = [v.strip() for v in cells if v.strip()]
    assert (column.rows, column.filled, column.distinct) == (len(cells), len(values), len(set(values)))
    assert column.counts == pd.Series(values, dtype="object").value_counts().to_dict()
    assert sum(column.forms.values()) == len(values)
    assert list(column.values) == values


def test_a_long_file_is_sampled_evenly_and_in_order() -> None:
    """Above its bound every k-th row is kept, and the counts go on."""
    rows = 3 * summary.SAMPLE
    chunks = (chunk_of([{"n": str(k)} for k in range(a, a + 5000)]) for a in range(0, rows, 5000))
    found = summary_of(["n"], chunks)
    kept = found.columns[0].quantities
    assert found.sampled
    assert summary.SAMPLE / 2 <= len(kept) <= summary.SAMPLE
    assert len(set(np.diff(kept))) == 1
    assert (found.columns[0].distinct, found.columns[0].numbers) == (rows, rows)


def test_a_form_tells_how_a_value_is_written() -> None:
    """Digits keep their number, letters only their place."""
    forms = {"2024-05-03": "9999-99-99", "v1.10b": "a9.99a", "1.234,5": "9.999,9", "Grüße": "a"}
    assert {value: form_of(value) for value in forms} == forms
