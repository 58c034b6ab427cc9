"""Ids as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.storage.errors import InputError
from trueup.storage.short_ids import short_id, the_one

HEX = st.text("0123456789abcdef", min_size=1, max_size=12)


def meant(typed: str, found: list[str]) -> str:
    return the_one(typed, found, of="report", listed="trueup reports list")


@given(st.lists(HEX, min_size=1, max_size=9, unique=True), HEX)
def test_an_id_is_meant_whole_or_by_a_beginning_that_only_it_has(ids: list[str], typed: str) -> None:
    """Never another one, and never a guess."""
    fitting = [one for one in ids if one.startswith(typed)]
    if typed in ids or len(fitting) == 1:
        assert meant(typed, ids) == (typed if typed in ids else fitting[0])
    else:
        with pytest.raises(InputError):
            meant(typed, ids)


def test_several_are_named_so_that_one_can_be_typed() -> None:
    """Each candidate as far as it differs from the others; of many some."""
    with pytest.raises(InputError, match=r"'ab': ab000000, ab111111, ab222222\. Type more"):
        meant("ab", ["ab0000000000", "ab1111111100", "ab2222222200"])
    with pytest.raises(InputError, match="and more"):
        meant("a", [f"a{k}" for k in range(9)])


def test_none_is_refused_with_the_way_to_find_it() -> None:
    """Also an empty one, which every id begins with."""
    with pytest.raises(InputError, match=r"no report 'x'. `trueup reports list`"):
        meant("x", [])
    with pytest.raises(InputError):
        meant("", ["abc"])


def test_tables_show_ids_short() -> None:
    """Eight digits of an id tell ten thousand apart."""
    assert short_id("0123456789ab") == "01234567"
