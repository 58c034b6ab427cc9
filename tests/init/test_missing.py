"""Which values mean that there is none: shown by the file, or only proposed with their counts."""

from __future__ import annotations

import pytest

from tests.init.test_roles import COUNTS, NUMBERS, RNG, TEXTS, table_of
from trueup.feedback.inference.answer import Answer
from trueup.feedback.inference.missing import find_missing
from trueup.feedback.inference.quantities import Writing
from trueup.feedback.inference.roles import find_roles


def test_marks_that_stand_among_numbers_mean_missing_everywhere() -> None:
    """NA in a column of numbers shows what NA means in this file, in categories too."""
    table = table_of({"temp": [*NUMBERS[:9], "NA"], "kind": ["a", "b", "NA"], "text": [*TEXTS[:4], "NA"]})
    found = find_missing(table, ())
    assert found.setting == 'missing = ["NA"]'
    assert set(found.marks) == {"temp", "kind", "text"}
    assert not found.undecided


def test_namibia_and_lone_marks_are_only_proposed() -> None:
    """A code that looks like a mark, and a mark in categories alone, are shown with counts and a line to choose."""
    table = table_of({"temp": [*NUMBERS[:9], "NA"], "country": ["DE", "FR", "NA"], "job": ["cook", "?", "unknown"],
                    "kind": ["a", "NA"]})  # fmt: skip
    found = find_missing(table, ())
    assert found.setting == 'missing = { kind = ["NA"], temp = ["NA"] }'
    assert "country" not in found.marks
    said, line = found.undecided[0].said, found.undecided[0].settings[0]
    assert all(part in said for part in ("'NA' in 'country'", "'?' in 'job'", "'unknown' in 'job'"))
    assert all(part in line for part in ('country = ["NA"]', 'job = ["?", "unknown"]'))


def test_words_among_numbers_are_asked_for() -> None:
    """A usual mark makes a number a text, so it is declared; any other word is proposed, and no feature until then."""
    table = table_of({"wind": [*NUMBERS[:40], "ND", "ND", "ND"], "tide": [*NUMBERS[:40], "closed", "closed", "closed"]})
    found = find_missing(table, ())
    assert found.marks == {"wind": ("ND",)}
    assert "'closed' in 'tide'" in found.undecided[0].said
    roles = find_roles(table, (), Answer(), Writing(marks={"wind": frozenset({"ND"})}))
    assert [r.role for r in roles] == ["numeric", "left out"]


@pytest.mark.parametrize(
    ("values", "sentinel"),
    [
        ([*NUMBERS[:40], "-200", "-200"], "-200"), ([*COUNTS[:50], "999", "999"], "999"),
        ([*COUNTS[:50], "-1", "-1"], "-1"),
        ([*NUMBERS[:40], "9999.0"], "9999"), ([str(k) for k in range(18, 95)] + ["99"], ""), (["-1", "0", "1"], ""),
        ([f"{x:.2f}" for x in RNG.lognormal(0, 1, 200)], ""), (["1", "2", "3", "4", "5"], ""),
        ([str(k) for k in range(-20, 30)], ""),
    ],
)  # fmt: skip
def test_sentinels_are_proposed(values: list[str], sentinel: str) -> None:
    """A repeated extreme far outside the rest; no heavy tail, no label of -1, no temperature below zero."""
    found = find_missing(table_of({"x": values * 4}), ())
    assert not found.marks
    assert [f"'{sentinel}' in 'x'" in one.said for one in found.undecided] == [True] * bool(sentinel)
