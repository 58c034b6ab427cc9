"""What a layout's groups name, as arrays: days of the calendar, ticks of the day, words of a zone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trueup.feedback.times.layout import Layout

DAY = 86_400_000_000  # ticks


class LayoutParts:
    """The groups of an expression as arrays of shape (n,), 0 or "" where a value does not name them."""

    def __init__(self, found: pa.StructArray, layout: Layout) -> None:
        self._found = found
        self._layout = layout

    def numbers(self, group: str) -> np.ndarray:
        """int64: what the group writes in digits, or the number of its name."""
        if group in self._layout.names:
            known = self._layout.names[group]
            return self._looked_up(group, lambda name: known.get(" ".join(name.lower().split()), 0))
        field = self._found.field(group)
        padded = group == "d" and self._layout.grain is not None  # " 3", as C writes a day
        return integers(pc.ascii_trim_whitespace(field) if padded else field)

    def absent(self, group: str) -> np.ndarray:
        """Whether a value lacks it."""
        return pc.equal(pc.fill_null(self._found.field(group), ""), "").to_numpy(zero_copy_only=False)

    def _looked_up(self, group: str, number: Callable[[str], int]) -> np.ndarray:
        coded = pc.fill_null(self._found.field(group), "").dictionary_encode()
        table = np.array([number(text) for text in coded.dictionary.to_pylist()], dtype=np.int64)
        return table[coded.indices.to_numpy(zero_copy_only=False)] if len(table) else np.zeros(len(coded), np.int64)

    def days(self) -> tuple[np.ndarray, np.ndarray]:
        """The first day of what is named, int64 counted from 1970, and whether the calendar has it."""
        groups = self._layout.groups
        if "Y" in groups or "G" in groups:
            year = self.numbers("Y" if "Y" in groups else "G")
        else:
            short = self.numbers("y")
            year = np.where(short < 69, 2000, 1900) + short
        if "V" in groups:
            return self._week_days(year)
        month = next((self.numbers(g) for g in "mbB" if g in groups), np.ones(len(year), dtype=np.int64))
        if "quarter" in groups:
            month = 3 * self.numbers("quarter") - 2
        day = self.numbers("d") if "d" in groups else np.ones(len(year), dtype=np.int64)
        if self._layout.grain is None:
            day = np.where(self.absent("d"), 1, day)
        months = ((year - 1970) * 12 + month - 1).astype("M8[M]")
        days = months.astype("M8[D]").astype(np.int64) + day - 1
        real = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
        real &= days.astype("M8[D]").astype("M8[M]") == months
        if "j" in groups:
            first = (year - 1970).astype("M8[Y]")
            days = first.astype("M8[D]").astype(np.int64) + self.numbers("j") - 1
            real = (year >= 1) & (days.astype("M8[D]").astype("M8[Y]") == first)
        return days, real

    def _week_days(self, year: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Days by the year, week and day of ISO 8601: week 1 holds 4 January."""
        fourth = (year - 1970).astype("M8[Y]").astype("M8[D]").astype(np.int64) + 3
        monday = fourth - (fourth + 3) % 7  # day 0 of 1970 was a Thursday
        week = self.numbers("V")
        start = monday + 7 * (week - 1)
        same_year = (start + 3).astype("M8[D]").astype("M8[Y]").astype(np.int64) + 1970 == year
        return start + (self.numbers("u") - 1 if "u" in self._layout.groups else 0), same_year & (year >= 1)

    def clock(self) -> tuple[np.ndarray, np.ndarray]:
        """Ticks since the day's beginning, and whether there is such a time: 24:00 is the beginning of the next day."""
        groups = self._layout.groups
        n = len(self._found)
        hour, minute, second = (self.numbers(g) if g in groups else np.zeros(n, dtype=np.int64) for g in "HMS")
        if "I" in groups:
            hour = self.numbers("I") % 12 + self.numbers("p")
        ticks = ((hour * 60 + minute) * 60 + second) * 1_000_000
        if "f" in groups:
            ticks = ticks + decimals(self._found.field("f"), 6)
        return ticks, (minute < 60) & (second < 60) & (ticks <= DAY)

    def zones(self) -> pa.StringArray | None:
        """What each value says of its zone; None where the layout has no place for it."""
        fields = [pc.fill_null(self._found.field(g), "") for g in "zZ" if g in self._layout.groups]
        if len(fields) == 2:
            return pc.if_else(pc.equal(fields[0], ""), fields[1], fields[0])
        return fields[0] if fields else None


def integers(field: pa.StringArray) -> np.ndarray:
    """Digits as int64, 0 where there are none."""
    filled = pc.if_else(pc.fill_null(pc.equal(field, ""), True), "0", field)
    return filled.cast(pa.int64()).to_numpy(zero_copy_only=False)


def decimals(field: pa.StringArray, places: int) -> np.ndarray:
    """The digits behind a decimal point as a whole number of 10**-places, int64; further ones are cut off."""
    if not places or not pc.max(pc.binary_length(field)).as_py():
        return np.zeros(len(field), dtype=np.int64)
    return integers(pc.utf8_slice_codeunits(pc.ascii_rpad(field, places, "0"), 0, places))
