"""What a period usually holds at its time of day and week: a yardstick for its count, and how well it forecast so far.

The candidates are seasonal naive forecasts with drift (Hyndman and Athanasopoulos, Forecasting: Principles and
Practice, 2021, 5.2): the median logarithm of the newest counts one day, one week or one period apart. The one that
forecast the earlier periods best, each from what came before it, is the yardstick. Its errors then are what the newest
one is compared with, so that growth, bursts and overdispersion count as usual as far as they have been.
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
class SeasonalLag:
    """Counts `length` periods apart are alike; period_name: when that is, as in "at this time of day"."""

    period_name: str
    length: int


@dataclass(frozen=True)
class ExpectedCount:
    """What the newest period could be expected to hold.

    alike: the earlier counts that say so, newest first. period_name: when those were, in words.
    usual: their median, with the growth since then.
    z: how far the newest logarithm lies from the usual one, in usual spreads; past_z: the same of earlier periods.
    degrees_of_freedom: of the spread.
    """

    alike: np.ndarray
    period_name: str
    usual: float
    z: float
    past_z: np.ndarray
    degrees_of_freedom: int

    @property
    def p_value(self) -> float:
        """Two-sided, by Student's prediction bound."""
        return float(2 * t.sf(abs(self.z) / np.sqrt(1 + 1 / len(self.past_z)), self.degrees_of_freedom))

    @property
    def unprecedented(self) -> bool:
        """Whether no earlier period strayed as far in this direction."""
        return abs(self.z) > float((self.past_z * np.sign(self.z)).max())


@dataclass(frozen=True)
class _Forecast:
    """A lag's median logarithm for each period, NaN where too few before it are alike; the newest one's alike."""

    lag: SeasonalLag
    logs: np.ndarray
    alike: np.ndarray

    def has_history(self) -> bool:
        return len(self.alike) >= _FEWEST_ALIKE and float(np.quantile(self.alike, 0.1)) >= USUAL


def expected_count(counts: np.ndarray, begun: int, lags: tuple[SeasonalLag, ...], a_day: int) -> ExpectedCount | None:
    """The yardstick of `counts[0]` (newest first); None where no lag has enough history.

    begun: of the newest count that may say what is usual; between it and `counts[0]` lies a silence under way.
    lags: the preferred one first. a_day: periods in a day, which share its fate; 1 for longer ones.
    """
    logs = np.log(counts + 0.5)
    best, error = None, np.inf
    for lag in lags:
        chosen = _forecast(logs, counts, begun, lag)
        judged = _healthy(counts, chosen.logs, begun)
        if not chosen.has_history() or judged.sum() < _FEWEST_BEFORE:
            continue
        own = float(np.median(np.abs(logs - chosen.logs)[judged]))
        if own < _CLEARLY * error:
            best, error = (chosen, judged), own
    if best is None:
        return None
    chosen, judged = best
    errors = (logs - chosen.logs)[judged]
    growth = float(np.median(errors))  # over the time by which a median of earlier counts lags behind
    usual = np.exp(chosen.logs + growth)
    noise = _NOISE / usual
    beyond = max(0.0, float(((errors - growth) ** 2 - noise[judged]).mean()))  # variance beyond Poisson's
    past_z = (logs - chosen.logs - growth) / np.sqrt(noise + beyond)
    spread = np.sqrt(max(1.0, float((past_z[judged] ** 2).sum()) / (len(errors) - 1)))
    return ExpectedCount(
        alike=chosen.alike[:_ALIKE],
        period_name=chosen.lag.period_name,
        usual=float(usual[0]),
        z=float(past_z[0] / spread),
        past_z=past_z[judged] / spread,
        degrees_of_freedom=max(1, len(errors) // a_day - 1),
    )


def _forecast(logs: np.ndarray, counts: np.ndarray, begun: int, lag: SeasonalLag) -> _Forecast:
    n, size = len(logs), lag.length
    first = -(-begun // size) * size  # the newest period alike that may tell
    alike = counts[first::size][:_MOST_ALIKE]
    before = np.arange(n)[:, None] + size * np.arange(1, _ALIKE + 1)
    found = np.sort(np.where(before < n, logs[np.minimum(before, n - 1)], np.inf), axis=1)
    known = (before < n).sum(axis=1)
    enough = np.flatnonzero(known >= _FEWEST_BEFORE)
    forecast = np.full(n, np.nan)
    forecast[enough] = (found[enough, (known[enough] - 1) // 2] + found[enough, known[enough] // 2]) / 2
    forecast[0] = np.median(logs[first::size][:_ALIKE]) if len(alike) else np.nan
    return _Forecast(lag, forecast, alike)


def _healthy(counts: np.ndarray, forecast: np.ndarray, begun: int) -> np.ndarray:
    """Which earlier periods measure how well a lag forecasts: those it expected enough of, without rare outages."""
    judged_at = np.nan_to_num(forecast, nan=-1.0) >= np.log(USUAL)
    judged_at[:begun] = False
    silent = judged_at & (counts == 0)
    if silent.sum() <= _RARE * judged_at.sum():
        judged_at &= ~(silent | np.roll(silent, 1) | np.roll(silent, -1))  # its edges are neither whole nor silent
    return judged_at
