"""A column whose unit changed is told as that; one that moved otherwise is not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.made_comparisons import compared, made_records, made_stream
from trueup.monitoring.signals.measure import measure
from trueup.monitoring.stats.units import FACTORS, unit_change
from trueup.storage.rows import Rows


def values(seed: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(1.5, 0.5, n)


@pytest.mark.parametrize("factor", [100.0, 0.001, *FACTORS, *(1 / factor for factor in FACTORS)])
def test_powers_of_ten_and_known_units_are_told(factor: float) -> None:
    """Either way round, on 2,000 values before and 300 now."""
    found = unit_change(values(1, 2000), values(2, 300) * factor)
    assert found is not None
    assert found.said


def test_the_conversion_is_named() -> None:
    """By its factor and, where it is known, by its units; temperatures are no factor."""
    old, new = values(1, 2000), values(2, 300)
    assert unit_change(old, new * 100).said == "× 100"  # type: ignore[union-attr]
    assert unit_change(old, new / 2.54).said == "/ 2.54: inches and centimetres"  # type: ignore[union-attr]
    warm = np.random.default_rng(3).normal(20, 4, 2300)
    found = unit_change(warm[:2000], 1.8 * warm[2000:] + 32)
    assert found is not None
    assert "Celsius to Fahrenheit" in found.said


def test_values_around_zero_are_told_by_their_size() -> None:
    """Their medians are near 0 and say nothing; those of the absolute values do."""
    rng = np.random.default_rng(4)
    found = unit_change(rng.normal(size=2000), 1000 * rng.normal(size=300))
    assert found is None or found.said == "× 1000"
    found = unit_change(rng.normal(0.5, 1, 2000), 1000 * rng.normal(0.5, 1, 300))
    assert found is not None
    assert found.said in ("× 1000", "× 1024: kibibytes and bytes")


def test_a_unit_that_changed_within_the_window_is_told_of_its_newest_part() -> None:
    """Half of the window is as before."""
    new = values(2, 300)
    new[150:] *= 100
    found = unit_change(values(1, 2000), new)
    assert found is not None
    assert found.values in (75, 150)


def test_other_changes_are_no_change_of_unit() -> None:
    """None at all, half of the records ten times as large, another shape at ten times the size; a shift, one in 20."""
    old, shifts = values(1, 2000), 0
    for seed in range(20):
        rng, new = np.random.default_rng(seed + 10), values(seed + 50, 300)
        assert unit_change(old, new) is None
        assert unit_change(old, np.where(rng.random(300) < 0.5, new, 10 * new)) is None
        assert unit_change(old, rng.lognormal(1.5 + np.log(10), 1.6, 300)) is None
        shifts += unit_change(old, new * 1.4) is not None
    assert shifts <= 1


@pytest.mark.parametrize("factor", [100.0, 2.54, 1.609344, 0.001])
def test_columns_of_few_values_are_told_rounded_or_not(factor: float) -> None:
    """Five levels, of which most are 0; and whole numbers of a thing that is measured in whole numbers again."""
    rng = np.random.default_rng(5)
    old, new = rng.choice(5, 2000, p=[0.4, 0.3, 0.15, 0.1, 0.05]), rng.choice(5, 400, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    assert unit_change(old, new * factor) is not None
    if factor > 2:
        assert unit_change(old, np.round(new * factor)) is not None
    assert unit_change(old, rng.choice(5, 400, p=[0.1, 0.1, 0.2, 0.3, 0.3])) is None


def test_the_signal_of_a_column_of_few_values_says_so() -> None:
    """A number with four values is compared by its levels, and still told; a category of digits is not."""
    rng = np.random.default_rng(6)
    told = {}
    for declared in ("numeric", "categorical"):
        stream = made_stream(**{"text": (), "numeric": (), "categorical": (), declared: ("rooms",)})
        before, now = made_records(1500, rng), made_records(300, rng)
        for rows, factor in ((before, 1), (now, 100)):
            rows.features["rooms"] = rng.integers(1, 5, len(rows)) * factor
        if declared == "categorical":
            before, now = (Rows(r.features.astype({"rooms": str}), r.meta) for r in (before, now))
        signals, _ = measure(stream, compared(before, now))
        told[declared] = next(s for s in signals if s.code == "DRF-IN-rooms")
    assert told["numeric"].unit_change == "× 100"
    assert "has probably changed" in told["numeric"].said
    assert told["categorical"].unit_change == ""


def test_mostly_zeros_are_told_by_the_others() -> None:
    """Where 70 of 100 values are 0, the others are ten times as large; another share of zeros alone is none."""
    rng = np.random.default_rng(7)
    old, new = (np.where(rng.random(n) < 0.7, 0, values(n, n)) for n in (2000, 400))
    found = unit_change(old, 10 * new)
    assert found is not None
    assert found.said == "× 10"
    assert unit_change(old, np.where(rng.random(400) < 0.2, 0, values(9, 400))) is None
