"""The difference of two states of the data, as pages and tables show it."""

from __future__ import annotations

from tests.made_rows import make_rows
from trueup.flows.check.data_versions import facts_of_difference
from trueup.monitoring.data_difference import data_difference
from trueup.reports.masking import mask_of
from trueup.storage.rows import Rows


def test_a_table_that_leaves_words_out_says_so() -> None:
    """Of thirty new words the commonest are listed, and the table's name says how many there are."""
    stream, rows = make_rows(120, seed=3)
    new = " ".join(f"newly{letter}{other}" for letter in "abcdef" for other in "vwxyz")
    texts = [f"{text} {new}" if k < 5 else text for k, text in enumerate(rows.features["content"])]
    found = data_difference(stream, ("May", "June"), rows, Rows(rows.features.assign(content=texts), rows.meta))
    captions = [table.caption for table in facts_of_difference(stream, found, mask_of(False)).tables]
    assert captions[-1] == "Words only in June, the 25 commonest of 30"
