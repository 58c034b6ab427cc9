"""Even periods of time, so that any span is shown in few of them: hours, days, weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from trueup.storage.instants import microseconds
from trueup.storage.timepoints import TICK

_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)  # weeks begin on Mondays, days at midnight, all in UTC
_DAY = timedelta(days=1)
_LENGTHS = {
    timedelta(hours=1): "hour", timedelta(hours=6): "6 hours", _DAY: "day", 7 * _DAY: "week", 28 * _DAY: "4 weeks",
    91 * _DAY: "13 weeks", 364 * _DAY: "52 weeks", 3640 * _DAY: "520 weeks",
}  # fmt: skip


@dataclass(frozen=True)
class EvenPeriods:
    """Periods of one length; each has a number."""

    length: timedelta

    @property
    def words(self) -> str:
        """One of them, as in "each point is one …"."""
        return _LENGTHS[self.length]

    @property
    def ticks(self) -> tuple[int, int]:
        """When period 0 begins, and how long each is, in the store's microseconds."""
        return microseconds(_MONDAY), self.length // TICK

    def number(self, moment: datetime) -> int:
        """Of the period that a time lies in."""
        return (moment - _MONDAY) // self.length

    def start(self, number: int) -> datetime:
        """When a period begins."""
        return _MONDAY + number * self.length


DAYS = EvenPeriods(_DAY)


def periods_over(first: datetime, last: datetime, most: int, *, least: timedelta = timedelta(hours=1)) -> EvenPeriods:
    """The shortest periods, none shorter than `least`, of which `most` or fewer hold both times."""
    fits = (EvenPeriods(length) for length in _LENGTHS if length >= least)
    return next((p for p in fits if p.number(last) - p.number(first) < most), EvenPeriods(max(_LENGTHS)))
