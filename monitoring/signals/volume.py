"""DQ-VOLUME: how many records came in the newest whole period, against what is usual at its time of day and week.

Counts of real feeds come in bursts, have nights and week-ends and grow over the years, so the yardstick is how far a
period's logarithm usually lies from those it is compared with (`seasonality.py`), not Poisson's spread, which is only
the least it can be. A slow feed, whose periods are weeks or months, is also heard by its pauses, so that its silence
does not last a month unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from scipy.special import beta

from trueup.monitoring.check import Signal
from trueup.monitoring.comparison import Comparison, Intake
from trueup.monitoring.signals.pending import PendingTest, far_beyond_chance, insufficient, verdict_of
from trueup.monitoring.signals.seasonality import USUAL, ExpectedCount, SeasonalLag, expected_count
from trueup.storage.formatting import capitalised, significance
from trueup.storage.stream import OrderTime, StreamSettings

CODE, NAME = "DQ-VOLUME", "records in the newest whole period"
MIN_PAUSES = 30
FEWEST_PERIODS = 8
FACTOR = 2.0  # a volume within half and double the usual is immaterial, and a pause up to twice the longest
OVERDUE = 2  # times the longest recent pause between batches, after which the next batch is missing
_MOST_PERIODS = 60
_DAY = 24
_WEEK = 168  # hours; periods shorter than a week are judged once a whole one is known
_MOST_HOURS = 12 * _WEEK  # that periods of a week hold more than `_MOST_PERIODS` of
_MOMENTS = 500
_HOUR = np.timedelta64(1, "h")
_OF_LATE = SeasonalLag("of late", 1)
_PERIODS = (("hour", 1), ("6 hours", 6), ("day", _DAY), ("2 days", 48), ("week", _WEEK))
_SHORT = ("hour", "6 hours")
_SLOW = ("week", "calendar month")


@dataclass(frozen=True)
class PeriodCount:
    """The count of the newest whole period, and what could be expected of it."""

    period: str
    newest: int
    expected: ExpectedCount

    @property
    def p_value(self) -> float:
        return self.expected.p_value

    @property
    def material(self) -> bool:
        """Below half or above double the usual, and further off than any earlier period was."""
        apart = abs(float(np.log((self.newest + 0.5) / (self.expected.usual + 0.5))))
        return apart > np.log(FACTOR) and self.expected.unprecedented

    @property
    def direction(self) -> Literal["up", "down"]:
        return "down" if self.newest < self.expected.usual else "up"

    @property
    def said(self) -> str:
        alike = self.expected.alike
        return (
            f"{self.newest:,} record{'' if self.newest == 1 else 's'} in the newest whole {self.period}, usually "
            f"{self.expected.usual:,.0f} {self.expected.period_name} ({len(alike)} earlier: {alike.min():,} to "
            f"{alike.max():,})"
        )


@dataclass(frozen=True)
class RecordGap:
    """The time since the newest record, the longest pause between two of the `count` moments before it."""

    now: np.timedelta64
    longest: np.timedelta64
    count: int
    direction: Literal["down"] = "down"

    @property
    def ratio(self) -> float:
        return float(self.now / self.longest)

    @property
    def p_value(self) -> float:
        """P(a pause as many times the longest of `count` earlier ones), were pauses exponential."""
        return float(self.count * beta(self.ratio + 1.0, self.count))

    @property
    def material(self) -> bool:
        return self.ratio > FACTOR

    @property
    def said(self) -> str:
        return f"newest record {_days(self.now)} old, longest earlier pause {_days(self.longest)}"


def volume(stream: StreamSettings, comparison: Comparison) -> Iterator[PendingTest | Signal]:
    """Tests whether the feed runs as usual; nothing where time is only the order of intake."""
    if isinstance(stream.time, OrderTime):
        return
    found = newest_periods(comparison.intake, comparison.settled64)
    quiet = None
    if not found or found[0].period in _SLOW:
        quiet = record_gap(comparison.intake, comparison.settled64)
    if found or quiet is not None:
        yield PendingTest(CODE, partial(volume_signal, found, quiet))
        return
    yield insufficient(
        CODE,
        NAME,
        f"Too little history: no period from an hour to a month usually holds {USUAL} records with {FEWEST_PERIODS} "
        "whole periods and a week before it.",
        n_current=len(comparison.current),
    )


def record_gap(intake: Intake, as_of: np.datetime64) -> RecordGap | None:
    """The pause from the newest record on, against earlier ones; None where they are few."""
    end = _end(intake, as_of)
    times = intake.arrived[: np.searchsorted(intake.arrived, as_of, side="right")]
    moments = times[np.append(True, times[1:] != times[:-1])[: len(times)]][-_MOMENTS:]
    if len(moments) <= MIN_PAUSES or end < moments[-1]:
        return None
    return RecordGap(end - moments[-1], np.diff(moments).max(), len(moments) - 1)


def newest_periods(intake: Intake, as_of: np.datetime64) -> tuple[PeriodCount, ...]:
    """The newest whole period of the shortest length that can be judged; of less than a day, the newest day as well.

    The hour hears a break soon, and the day one that the swings of hours hide.
    """
    end = _end(intake, as_of)
    times = intake.arrived[: np.searchsorted(intake.arrived, end, side="right")]
    if not len(times):
        return ()
    each = (_volume(name, _fixed(times, end, hours), hours) for name, hours in _PERIODS)
    found = next((one for one in each if one is not None), None)
    if found is None:
        found = _volume("calendar month", _months(times, end))
    elif found.period in _SHORT:
        day = _volume("day", _fixed(times, end, _DAY), _DAY)
        return (found,) if day is None else (found, day)
    return () if found is None else (found,)


def volume_signal(found: tuple[PeriodCount, ...], quiet: RecordGap | None, level: float) -> Signal:
    """Holds the newest periods against Student's prediction bound of earlier ones, and the pause against pauses.

    The looks share the level; one that was not possible costs nothing. `found` or `quiet` has to be there.
    """
    looks: list[PeriodCount | RecordGap] = [*found, *([quiet] if quiet is not None else [])]
    strongest = min(looks, key=lambda look: (not look.material, look.p_value))
    p_value = min(1.0, len(looks) * strongest.p_value)
    outcome = verdict_of(p_value, level, strongest.material)
    said = "; ".join(look.said for look in sorted(looks, key=lambda look: look is not strongest))
    counted = strongest if isinstance(strongest, PeriodCount) else next(iter(found), None)
    return Signal(
        code=CODE,
        name=NAME,
        verdict=outcome,
        overwhelming=far_beyond_chance(outcome, p_value, level),
        said=f"{capitalised(said)}. {significance(p_value, level, material=strongest.material)}",
        value=None if counted is None else float(counted.newest),
        threshold=level,
        p_value=p_value,
        effect=None if counted is None else counted.newest / max(counted.expected.usual, 1.0) - 1.0,
        direction=strongest.direction,
        n_reference=0 if counted is None else int(counted.expected.alike.sum()),
        n_current=0 if counted is None else counted.newest,
    )


def _days(span: np.timedelta64) -> str:
    days = float(span / np.timedelta64(1, "D"))
    return f"{days:.0f} days" if days >= 2 else f"{days * 24:.1f} hours"


def _volume(period: str, counts: np.ndarray, hours: int = 0) -> PeriodCount | None:
    """Reads counts (newest first); a silence under way is not what is usual, so its periods are left out."""
    heard = np.flatnonzero(counts)
    if not len(heard):
        return None
    begun = max(1, int(heard[0]))
    a_day = max(1, _DAY // hours) if hours else 1
    if len(counts) - begun < max(FEWEST_PERIODS, _WEEK // hours if 0 < hours < _WEEK else 0):
        return None
    most = max(_MOST_PERIODS, _MOST_HOURS // hours if hours else 0)
    expected = expected_count(counts[: begun + most], begun, _lags(hours), a_day)
    return None if expected is None else PeriodCount(period, int(counts[0]), expected)


def _lags(hours: int) -> tuple[SeasonalLag, ...]:
    """What a period of so many hours can be compared with; what lies a day or week apart is preferred."""
    seasons = (("at this time of day", _DAY), ("at this time of the week", _WEEK))
    whole = [(name, span // hours) for name, span in seasons if hours and hours < span and span % hours == 0]
    return (*(SeasonalLag(name, length) for name, length in whole), _OF_LATE)


def _fixed(times: np.ndarray, end: np.datetime64, hours: int) -> np.ndarray:
    """Counts of the whole periods of so many hours that end at `end`, newest first."""
    back = (end - times).astype("timedelta64[us]").astype(np.int64) // int(hours * _HOUR / np.timedelta64(1, "us"))
    return np.bincount(back, minlength=1)[: int(back.max())]  # the oldest one began before the first record


def _months(times: np.ndarray, as_of: np.datetime64) -> np.ndarray:
    """Counts of the whole calendar months up to `as_of`, newest first; the month of the first record is not whole."""
    newest = (as_of + np.timedelta64(1, "us")).astype("datetime64[M]") - np.timedelta64(1, "M")
    back = (newest - times.astype("datetime64[M]")).astype(np.int64)
    back = back[back >= 0]
    return np.bincount(back, minlength=1)[: int(back.max())] if len(back) else np.array([], dtype=np.int64)


def _end(intake: Intake, as_of: np.datetime64) -> np.datetime64:
    """Up to when records can be expected to be here: the newest one of the newest batch, until the next is overdue.

    Otherwise every pause between two batches would count as a silence, and so would the time that a batch takes.
    """
    batches = np.unique(intake.accepted_at if intake.batches_at is None else intake.batches_at)[-10:]
    due = len(batches) >= 3 and as_of - batches[-1] <= np.diff(batches).max() * OVERDUE
    known = int(np.searchsorted(intake.arrived, batches[-1], side="right")) if due else 0
    return intake.arrived[known - 1] if known else as_of
