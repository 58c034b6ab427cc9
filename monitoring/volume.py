"""DQ-VOLUME: how many records came in the newest whole period, against the periods before it.

Counts of real feeds come in bursts and grow over the years, so the yardstick is how far a period's logarithm usually
lies from the median of the eight before it, not Poisson's spread, which is only the least it can be. A slow feed, whose
periods are weeks or months, is also heard by its pauses, so that its silence does not last a month unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import beta
from scipy.stats import t

from monitoring.comparison import Comparison, Intake
from monitoring.evidence import Signal, Verdict
from monitoring.questions import Question, chance, insufficient, overwhelming
from storage.stream import OrderTime, Stream

CODE, NAME = "DQ-VOLUME", "records in the newest whole period"
USUAL = 20  # records that nine periods in ten have to hold
FEWEST = 30  # pauses
FEWEST_PERIODS = 8
FACTOR = 2.0  # a volume within half and double the usual is immaterial, and a pause up to twice the longest
OVERDUE = 2  # times the longest recent pause between batches, after which the next batch is missing
_MOST_PERIODS = 60
_NEIGHBOURS = 8
_MOMENTS = 500
_HOUR = np.timedelta64(1, "h")
_PERIODS = (("hour", 1), ("6 hours", 6), ("day", 24), ("2 days", 48), ("week", 168))
_SLOW = ("week", "calendar month")


@dataclass(frozen=True)
class Volume:
    """Counts of whole periods: `newest`, and `earlier` ones, newest first; silent ones right before it left out."""

    period: str
    newest: int
    earlier: np.ndarray

    @property
    def usual(self) -> float:
        """The median of the periods just before."""
        return float(np.median(self.earlier[:_NEIGHBOURS]))


@dataclass(frozen=True)
class Pause:
    """The time since the newest record, the longest pause between two of the `count` moments before it."""

    now: np.timedelta64
    longest: np.timedelta64
    count: int

    @property
    def ratio(self) -> float:
        return float(self.now / self.longest)

    @property
    def p_value(self) -> float:
        """P(a pause as many times the longest of `count` earlier ones), were pauses exponential."""
        return float(self.count * beta(self.ratio + 1.0, self.count))


def volume(stream: Stream, comparison: Comparison) -> Iterator[Question | Signal]:
    """Asks whether the feed runs as usual; nothing where time is only the order of intake."""
    if isinstance(stream.time, OrderTime):
        return
    times = comparison.intake.arrived[comparison.intake.arrived <= comparison.as_of64]
    found = choose(comparison.intake, comparison.as_of64)
    slow = found is None or found.period in _SLOW
    quiet = pause(times, _end(comparison.intake, comparison.as_of64)) if slow else None
    if found is not None or quiet is not None:
        yield Question(CODE, partial(judge, found, quiet))
        return
    yield insufficient(
        CODE,
        NAME,
        f"No period from an hour to a month usually holds {USUAL} records and has {FEWEST_PERIODS} whole ones before "
        "it, so what is usual is not known.",
        n_current=len(comparison.current),
    )


def pause(times: np.ndarray, end: np.datetime64) -> Pause | None:
    """The pause from the newest record to `end`, against earlier ones; None where they are few."""
    moments = np.unique(times)[-_MOMENTS:]
    if len(moments) <= FEWEST or end < moments[-1]:
        return None
    return Pause(end - moments[-1], np.diff(moments).max(), len(moments) - 1)


def choose(intake: Intake, as_of: np.datetime64) -> Volume | None:
    """The shortest period that usually holds enough, and its counts up to `as_of`; None where there is none."""
    end = _end(intake, as_of)
    times = intake.arrived[intake.arrived <= end]
    if not len(times):
        return None
    for name, hours in _PERIODS:
        found = _volume(name, _fixed(times, end, hours * _HOUR))
        if found is not None:
            return found
    return _volume("calendar month", _months(times, end))


def judge(found: Volume | None, quiet: Pause | None, level: float) -> Signal:
    """Holds the newest period against Student's prediction bound of the earlier ones, and the pause against pauses.

    Two looks share the level; one that was not possible costs nothing.
    """
    looks = (found is not None) + (quiet is not None)
    p_value, breached, told = 1.0, False, []
    if found is not None:
        own, unheard = _stray(found)
        p_value, breached = min(1.0, looks * own), looks * own <= level and unheard
        told.append(
            f"the newest whole {found.period} brought {found.newest} records, where {found.usual:.0f} are usual "
            f"({len(found.earlier)} earlier ones ran from {found.earlier.min()} to {found.earlier.max()})"
        )
    if quiet is not None:
        own = min(1.0, looks * quiet.p_value)
        p_value, breached = min(p_value, own), breached or (own <= level and quiet.ratio > FACTOR)
        told.append(f"the newest record is {_days(quiet.now)} old, where pauses lasted up to {_days(quiet.longest)}")
    said = "; ".join(told)
    outcome = Verdict.BREACHED if breached else Verdict.OK
    return Signal(
        code=CODE,
        name=NAME,
        verdict=outcome,
        overwhelming=overwhelming(outcome, p_value, level),
        said=f"{said[0].upper()}{said[1:]} ({chance(p_value, level)}).",
        value=None if found is None else float(found.newest),
        threshold=level,
        p_value=p_value,
        effect=None if found is None else found.newest / max(found.usual, 1.0) - 1.0,
        direction="down" if found is None or found.newest < found.usual else "up",
        n_reference=0 if found is None else int(found.earlier.sum()),
        n_current=0 if found is None else found.newest,
    )


def _stray(found: Volume) -> tuple[float, bool]:
    """The two-sided p-value of the newest count, and whether it lies further off than any earlier one ever did."""
    logs = np.log(found.earlier + 0.5)
    strayed = np.array([logs[i] - np.median(logs[i + 1 : i + 1 + _NEIGHBOURS]) for i in range(len(logs) - 3)])
    spread = np.sqrt(max(float((strayed**2).mean()), 1.0 / float(np.median(found.earlier))))
    stray = abs(float(np.log((found.newest + 0.5) / (found.usual + 0.5))))
    p_value = float(2 * t.sf(stray / spread / np.sqrt(1 + 1 / len(strayed)), len(strayed)))
    return p_value, stray > max(float(np.abs(strayed).max()), float(np.log(FACTOR)))


def _days(span: np.timedelta64) -> str:
    days = float(span / np.timedelta64(1, "D"))
    return f"{days:.0f} days" if days >= 2 else f"{days * 24:.1f} hours"


def _volume(name: str, counts: np.ndarray) -> Volume | None:
    """Reads counts (newest first); a silence under way is not what is usual, so its periods are left out."""
    heard = np.flatnonzero(counts)
    if not len(heard):
        return None
    earlier = counts[max(1, int(heard[0])) :][:_MOST_PERIODS]
    if len(earlier) < FEWEST_PERIODS or np.quantile(earlier, 0.1) < USUAL:
        return None
    return Volume(name, int(counts[0]), earlier)


def _fixed(times: np.ndarray, as_of: np.datetime64, period: np.timedelta64) -> np.ndarray:
    """Counts of the whole periods that end at `as_of`, newest first."""
    back = (as_of - times).astype("timedelta64[us]").astype(np.int64) // int(period / np.timedelta64(1, "us"))
    return np.bincount(back, minlength=1)[: int(back.max())]  # the oldest one began before the first record


def _months(times: np.ndarray, as_of: np.datetime64) -> np.ndarray:
    """Counts of the whole calendar months up to `as_of`, newest first; the month of the first record is not whole."""
    newest = (as_of + np.timedelta64(1, "us")).astype("datetime64[M]") - np.timedelta64(1, "M")
    back = (newest - times.astype("datetime64[M]")).astype(np.int64)
    back = back[back >= 0]
    return np.bincount(back, minlength=1)[: int(back.max())] if len(back) else np.array([], dtype=np.int64)


def _end(intake: Intake, as_of: np.datetime64) -> np.datetime64:
    """Up to when records can be expected to be here: the newest batch, until the next one is overdue.

    Otherwise every pause between two batches would count as a silence.
    """
    batches = np.unique(intake.accepted_at)[-10:]
    due = len(batches) >= 3 and as_of - batches[-1] <= np.diff(batches).max() * OVERDUE
    return batches[-1] if due else as_of
