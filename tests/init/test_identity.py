"""Which column of a file is its id: by name and repeats, links included, never values that were rounded."""

from __future__ import annotations

import pytest

from trueup.feedback.chunks import chunk_of
from trueup.feedback.inference.identity import RowIdentity, find_id
from trueup.feedback.inference.summary import summary_of

ROWS = 300


def _found(**columns: list[str]) -> RowIdentity:
    names = [name.replace("__", " ") for name in columns]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return find_id(summary_of(names, [chunk_of(rows)]))


def _each(write: str, rows: int = ROWS) -> list[str]:
    return [write.format(k) for k in range(rows)]


TEXTS = _each("a text of several words, number {}")
LINK = "https://play.google.com/console/developers/app/reviews?reviewId=gp%3A{}&corpus=PUBLIC"


@pytest.mark.parametrize(
    "name",
    ["reviewId", "review_id", "Review__ID", "reviewid", "ID", "_id", "uuid", "Ticket__#", "Auftragsnummer",
     "Nº__de__caso", "recommendationid", "case", "number"],
)  # fmt: skip
def test_a_column_called_like_an_id_is_one(name: str) -> None:
    """However a name is written, where each row has its own value; of two the record's own, not a customer's."""
    found = _found(customer_id=_each("c{}"), text=TEXTS, **{name: _each("r{}")})
    assert found.column == name.replace("__", " ")
    assert (found.repeats, found.undecided) == (0, ())


@pytest.mark.parametrize(
    "columns",
    [
        {"Unnamed: 0": _each("{}")},
        {"row_id": _each("{}")},
        {"instant": _each("{}")},
        {"product_id": [f"p{k % 7}" for k in range(ROWS)]},
        {"reviewerID": _each("A{}X"), "text": TEXTS},
        {"house_number": _each("{}b"), "No": _each("{}")},
        {"valid": _each("{}"), "paid": _each("{}.5")},
        {"content": TEXTS},
        {"user_id": [f"u{k}" for k in range(ROWS - 5)] + ["u1"] * 5},
    ],
)
def test_other_columns_are_none(columns: dict[str, list[str]]) -> None:
    """Row numbers, names of something else, quantities and texts name no row."""
    assert _found(**columns).column == ""


def test_somebody_whom_no_second_row_has_names_a_row() -> None:
    """One row a customer, as in a table of churn; too few rows say nothing."""
    assert _found(customerID=_each("c{}"), churn=["no"] * ROWS).column == "customerID"
    assert _found(customerID=_each("c{}", 50), churn=["no"] * 50).column == ""


def test_a_link_that_names_each_row_is_an_id() -> None:
    """Play Console's Review Link; where some rows have none it is offered, with how many it would refuse."""
    assert _found(Review__Link=_each(LINK), text=TEXTS).column == "Review Link"
    found = _found(Review__Link=[*_each(LINK, ROWS - 20), *[""] * 20], text=TEXTS)
    (said,) = found.undecided
    assert (found.column, said.about, said.settings) == ("", "id", ('id = "Review Link"',))
    assert "20 of 300 rows" in said.said


@pytest.mark.parametrize("ids", [_each("5.{}E+17"), _each("570000000000000{:03}.0")])
def test_ids_that_a_spreadsheet_rounded_are_none(ids: list[str]) -> None:
    """Their last digits are gone: told, with an example, and nothing is offered."""
    found = _found(tweet_id=ids, text=TEXTS)
    (said,) = found.undecided
    assert (found.column, said.column, said.settings) == ("", "tweet_id", ())
    assert ids[0] in said.said


def test_ids_in_two_forms_are_told() -> None:
    """123 and 123.0 count as one id: a person says whether they are."""
    found = _found(id=[*_each("{}", ROWS - 1), "123.0"], text=TEXTS)
    (said,) = found.undecided
    assert (found.column, said.settings) == ("", ('id = "id"',))
    assert "123 and 123.0" in said.said


def test_a_few_repeated_or_missing_ids_are_told() -> None:
    """A file that holds a row twice still has an id."""
    found = _found(id=[*_each("r{}", ROWS - 3), "r1", "r2", ""], text=TEXTS)
    assert (found.column, found.repeats) == ("id", 2)
    assert "2 rows with the id of another and 1 row without one" in found.why


def test_without_an_id_equal_rows_are_counted() -> None:
    """As far as the sample shows them."""
    found = _found(text=["good", "bad", "good", "good"], stars=["5", "1", "5", "4"])
    assert (found.column, found.repeats) == ("", 1)
