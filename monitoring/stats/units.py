"""Does a column look as if its unit had changed: metres for feet, pence for pounds, Fahrenheit for Celsius?

A factor is one of a list: powers of ten and known ratios of units, either way round. Zeros say nothing of it, and are
left out. It is told where the medians of the absolute values (the means of at most 20 different ones) are apart by it,
within 15 %, for factors under 2 within 5 %; the values are far apart as they are (Kolmogorov's distance of .3); and
the whole distribution agrees once it is divided out: a distance of .05 at most, or a two-sample Kolmogorov-Smirnov test
with p > .05. Of several the one that leaves the smallest distance. Few distinct values are taken as the nearest of
before, where that is nearer than a quarter of the way to the next: what was rounded in the new unit is so read as it
was in the old one.
Where a unit changed within a window, its newest half or quarter may show that alone, for factors of 2 and more.
Windows of a series never agree with all of its past, so there .25 may be left, and .8 must have been before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import ks_2samp

from trueup.monitoring.stats.columns import FEW_VALUES

_NEAR, _NEAR_SMALL = 1.15, 1.05  # how far the ratio of the medians may be from a factor, and from one under 2
_APART, _ALIKE, _AGREES = 0.3, 0.05, 0.05
_CLEAR = 2.0  # factors, below which part of a window is not enough
_OF_SERIES_APART, _OF_SERIES_ALIKE = 0.8, 0.25
_LEAST_VALUES = 50
FACTORS = {
    2.54: "inches and centimetres",
    0.3048: "feet and metres",
    1.609344: "miles and kilometres",
    1.852: "nautical miles and kilometres",
    0.45359237: "pounds and kilograms",
    28.349523: "ounces and grams",
    3.785412: "gallons and litres",
    3.6: "metres a second and kilometres an hour",
    4.184: "calories and joules",
    6.894757: "psi and kilopascals",
    57.29578: "radians and degrees",
    12: "years and months",
    24: "days and hours",
    60: "minutes and seconds, or hours and minutes",
    1440: "days and minutes",
    3600: "hours and seconds",
    86400: "days and seconds",
    1024: "kibibytes and bytes",
    1024**2: "mebibytes and bytes",
    1024**3: "gibibytes and bytes",
}
_POWERS = 9  # of ten, either way


@dataclass(frozen=True)
class UnitChange:
    """said: the conversion in words. values: how many of the newest values show it."""

    said: str
    values: int


def unit_change(reference: np.ndarray, current: np.ndarray, *, series: bool = False) -> UnitChange | None:
    """Whether the current values (n,), oldest first, look like the reference's (m,) in another unit; None: no.

    Neither holds NaN.
    """
    for part in (1, 2, 4):
        newest = current[-(len(current) // part) :]
        if min(len(newest), len(reference)) < _LEAST_VALUES:
            return None
        found = _converted(reference, newest, least=1.0 if part == 1 else _CLEAR, series=series)
        if found:
            return UnitChange(found, len(newest))
    return None


def _converted(reference: np.ndarray, current: np.ndarray, *, least: float, series: bool) -> str:
    old, new = reference[reference != 0], current[current != 0]
    apart, alike = (_OF_SERIES_APART, _OF_SERIES_ALIKE) if series else (_APART, _ALIKE)
    if min(len(old), len(new)) < _LEAST_VALUES or ks_2samp(old, new, method="asymp").statistic < apart:
        return ""
    known = np.unique(reference)
    best, said = math.inf, ""
    for before, now, name in _conversions(reference, current, old, new, least):
        test = ks_2samp(before, _settled(now, known), method="asymp")
        if test.statistic < best and (test.statistic <= alike or test.pvalue > _AGREES):
            best, said = float(test.statistic), name
    return said


def _settled(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The values; of few known ones (sorted) the nearest, where it is less than a quarter of its gap away."""
    if not 1 < len(known) <= FEW_VALUES:
        return values
    place = np.clip(np.searchsorted(known, values), 1, len(known) - 1)
    below, above = known[place - 1], known[place]
    gap = (above - below) / 4
    return np.where(np.abs(values - below) < gap, below, np.where(np.abs(values - above) < gap, above, values))


def _conversions(
    reference: np.ndarray, current: np.ndarray, old: np.ndarray, new: np.ndarray, least: float
) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
    """What has to agree: values of before, the current ones in what may be their unit, and the conversion in words.

    old, new: reference and current without their zeros, which say nothing of a factor.
    """
    centre = np.mean if len(np.unique(old)) <= FEW_VALUES else np.median  # the median of few values jumps
    ratio = float(centre(np.abs(new)) / centre(np.abs(old)))
    for factor, name in _factors():
        size = abs(math.log(factor))
        near = _NEAR if size >= math.log(_CLEAR) else _NEAR_SMALL
        if size >= math.log(least) and abs(math.log(ratio / factor)) <= math.log(near):
            yield old, new / factor, f"{_times(factor)}{name}"
    yield reference, (current - 32) / 1.8, "1.8 × value + 32: Celsius to Fahrenheit"
    yield reference, current * 1.8 + 32, "(value - 32) / 1.8: Fahrenheit to Celsius"


def _factors() -> Iterator[tuple[float, str]]:
    for power in range(1, _POWERS + 1):
        yield 10.0**power, ""
        yield 10.0**-power, ""
    for factor, units in FACTORS.items():
        yield factor, f": {units}"
        yield 1 / factor, f": {units}"


def _times(factor: float) -> str:
    return f"× {factor:.7g}" if factor >= 1 else f"/ {1 / factor:.7g}"
