"""Quantiles of values that are in order already."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trueup.monitoring.stats.quantiles import quantiles

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)


@given(st.lists(NUMBERS, min_size=1, max_size=40), st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_they_are_those_of_numpy(values: list[float], shares: list[float]) -> None:
    """To the digit, whatever the numbers and the shares."""
    ordered = np.sort(np.array(values))
    with np.errstate(over="ignore", invalid="ignore"):
        np.testing.assert_array_equal(quantiles(ordered, shares), np.quantile(ordered, shares))
