"""Streams without text take the same way as reviews: search, gate, promotion, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.promotion.course import BIKE, ELEC2, RealSet
from benchmarks.promotion.other_streams import taken_through, whole


@pytest.mark.slow
@pytest.mark.parametrize("one", [BIKE, ELEC2], ids=lambda one: one.name)
def test_a_stream_of_columns_is_searched_judged_promoted_and_taken_back(one: RealSet, shared_data: Path) -> None:
    """Rentals an hour and the price's direction: a challenger proves itself by the same gate and can be taken back."""
    told = taken_through(one, ("default",))
    assert told["first"]["candidates"] > 2
    assert whole(told), told
