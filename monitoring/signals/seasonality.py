"""What a period usually holds at its time of day and week: a yardstick for its count, and how well it foretold so far.

The candidates are seasonal naive forecasts with drift (Hyndman and Athanasopoulos, Forecasting: Principles and
Practice, 2021, 5.2): the median logarithm of the newest counts one day, one week or one period apart. The one that
foretold the earlier periods best, each from what came before it, is the yardstick. Its errors then are what the newest
one is held against, so that growth, bursts and overdispersion count as usual as far as they have been.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t

USUAL = 20  # records that nine in ten of the periods alike have to hold
_ALIKE = 8  # a median of more would lag behind growth
_MOST_ALIKE = 60
_FEWEST_ALIKE = 4  # of the newest period: four weeks tell a weekday
_FEWEST_BEFORE = 3  # of an earlier one
_CLEARLY = 0.9  # of the error: by how much a later candidate must be better
_RARE = 0.05  # of the periods: silences up to here are outages, more of them are the feed's own way
_NOISE = 1.2  # times 1 / count: Poisson's variance of a logarithm, with that of a median of eight


@dataclass(frozen=True)
class Cycle:
    """Counts `length` periods apart are alike; `at` says in words when that is."""

    at: str
    length: int


@dataclass(frozen=True)
class Expected:
    """What the newest period could be expected to hold.

    alike: the earlier counts that say so, newest first. at: when those were, in words.
    usual: their median, with the growth since then.
    stray: how far the newest logarithm lies from the usual one, in usual spreads; strays: the same of earlier periods.
    freedom: degrees of freedom of the spread.
    """

    alike: np.ndarray
    at: str
    usual: float
    stray: float
    strays: np.ndarray
    freedom: int

    @property
    def p_value(self) -> float:
        """Two-sided, by Student's prediction bound."""
        return float(2 * t.sf(abs(self.stray) / np.sqrt(1 + 1 / len(self.strays)), self.freedom))

    @property
    def unheard(self) -> bool:
        """Whether no earlier period strayed as far in this direction."""
        return abs(self.stray) > float((self.strays * np.sign(self.stray)).max())


@dataclass(frozen=True)
class _Foretold:
    """A cycle's median logarithm for each period, NaN where too few before it are alike; the newest one's alike."""

    cycle: Cycle
    logs: np.ndarray
    alike: np.ndarray

    def tells(self) -> bool:
        return len(self.alike) >= _FEWEST_ALIKE and float(np.quantile(self.alike, 0.1)) >= USUAL


def expect(counts: np.ndarray, begun: int, cycles: tuple[Cycle, ...], a_day: int) -> Expected | None:
    """The yardstick of `counts[0]` (newest first); None where no cycle tells enough.

    begun: of the newest count that may say what is usual; between it and `counts[0]` lies a silence under way.
    cycles: the preferred one first. a_day: periods in a day, which share its fate; 1 for longer ones.
    """
    logs = np.log(counts + 0.5)
    best, error = None, np.inf
    for cycle in cycles:
        told = _foretell(logs, counts, begun, cycle)
        judged = _healthy(counts, told.logs, begun)
        if not told.tells() or judged.sum() < _FEWEST_BEFORE:
            continue
        own = float(np.median(np.abs(logs - told.logs)[judged]))
        if own < _CLEARLY * error:
            best, error = (told, judged), own
    if best is None:
        return None
    told, judged = best
    errors = (logs - told.logs)[judged]
    grown = float(np.median(errors))  # over the time by which a median of earlier counts lags behind
    usual = np.exp(told.logs + grown)
    noise = _NOISE / usual
    beyond = max(0.0, float(((errors - grown) ** 2 - noise[judged]).mean()))  # variance beyond Poisson's
    strays = (logs - told.logs - grown) / np.sqrt(noise + beyond)
    spread = np.sqrt(max(1.0, float((strays[judged] ** 2).sum()) / (len(errors) - 1)))
    return Expected(
        alike=told.alike[:_ALIKE],
        at=told.cycle.at,
        usual=float(usual[0]),
        stray=float(strays[0] / spread),
        strays=strays[judged] / spread,
        freedom=max(1, len(errors) // a_day - 1),
    )


def _foretell(logs: np.ndarray, counts: np.ndarray, begun: int, cycle: Cycle) -> _Foretold:
    n, size = len(logs), cycle.length
    first = -(-begun // size) * size  # the newest period alike that may tell
    alike = counts[first::size][:_MOST_ALIKE]
    before = np.arange(n)[:, None] + size * np.arange(1, _ALIKE + 1)
    found = np.sort(np.where(before < n, logs[np.minimum(before, n - 1)], np.inf), axis=1)
    known = (before < n).sum(axis=1)
    enough = np.flatnonzero(known >= _FEWEST_BEFORE)
    foretold = np.full(n, np.nan)
    foretold[enough] = (found[enough, (known[enough] - 1) // 2] + found[enough, known[enough] // 2]) / 2
    foretold[0] = np.median(logs[first::size][:_ALIKE]) if len(alike) else np.nan
    return _Foretold(cycle, foretold, alike)


def _healthy(counts: np.ndarray, foretold: np.ndarray, begun: int) -> np.ndarray:
    """Which earlier periods measure how well a cycle foretells: those it expected enough of, without rare outages."""
    asked = np.nan_to_num(foretold, nan=-1.0) >= np.log(USUAL)
    asked[:begun] = False
    silent = asked & (counts == 0)
    if silent.sum() <= _RARE * asked.sum():
        asked &= ~(silent | np.roll(silent, 1) | np.roll(silent, -1))  # its edges are neither whole nor silent
    return asked
