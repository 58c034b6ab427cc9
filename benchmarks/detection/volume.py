"""DQ-VOLUME on made feeds: how often a healthy one is acted on in a year of hourly looks, and how soon a broken one.

    .venv/bin/python -m benchmarks.detection.volume [--weeks 52] [--breaks 40] [--only NAME]

Twelve weeks are known before the first look. A look is acted on as the policy does by time: at once where it is
overwhelming, otherwise where the look before it breached in the same direction. Prints Markdown.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.comparison import Intake
from trueup.monitoring.signals.volume import newest_periods, volume_signal

LEVEL = 0.0005  # of .01 for a check, as a stream of about twelve signals leaves it
KNOWN = 12 * 168  # hours
START = np.datetime64("2024-01-01", "us")  # a Monday
NONE = np.array([], dtype="datetime64[us]")
_HOUR_US = 3_600_000_000

Profile = Callable[[np.ndarray], np.ndarray]
Noise = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Feed:
    """Mean records of each hour, their spread, and the hours between files (0: every record by itself)."""

    name: str
    mean: Profile
    noise: Noise
    files: int = 0

    def make(self, hours: int, rng: np.random.Generator) -> np.ndarray:
        """Event times of so many hours, ascending."""
        counts = self.noise(self.mean(np.arange(hours)), rng)
        begun = np.repeat(START + np.arange(hours).astype("timedelta64[h]"), counts)
        return np.sort(begun + rng.integers(0, _HOUR_US, len(begun)).astype("timedelta64[us]"))

    def known(self, times: np.ndarray, hour: int) -> Intake:
        """What is known after so many hours; files come two hours after the last time that they hold, if they do."""
        if not self.files:
            return Intake(_between(times, hour - 14 * 168, hour), NONE, NONE)
        last = (hour - 2) // self.files * self.files
        ends = range(last - 20 * self.files, last + 1, self.files)
        received = [START + np.timedelta64(h + 2, "h") for h in ends if len(_between(times, h - self.files, h))]
        return Intake(_between(times, hour - 14 * 168, last), NONE, np.array(received, dtype="datetime64[us]"))


def _between(times: np.ndarray, first: int, last: int) -> np.ndarray:
    a, b = np.searchsorted(times, [START + np.timedelta64(h, "h") for h in (first, last)])
    return times[a:b]


def day_and_week(peak: float, shift: int = 0) -> Profile:
    """Nights of a twentieth, week-ends of half; from hour `shift` on, clocks go one hour ahead."""

    def mean(hours: np.ndarray) -> np.ndarray:
        local = hours + (hours >= shift) if shift else hours
        day = 0.525 - 0.475 * np.cos(2 * np.pi * (local % 24 - 1) / 24)
        return np.asarray(peak * day * np.where(local // 24 % 7 > 4, 0.5, 1.0))

    return mean


def growing(profile: Profile, doubled: int) -> Profile:
    """Grows evenly, doubled after so many hours."""
    return lambda hours: profile(hours) * 2.0 ** (hours / doubled)


def flat(mean: float) -> Profile:
    return lambda hours: np.full(len(hours), mean)


def poisson(mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.poisson(mean)


def negative_binomial(spread: float) -> Noise:
    """Variance mean + spread * mean², each hour by itself."""
    return lambda mean, rng: rng.poisson(mean * rng.gamma(1 / spread, spread, len(mean)))


def days_of_their_own(spread: float) -> Noise:
    """Poisson around a mean that each day multiplies by its own factor, log-normal."""

    def noise(mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        factors = np.exp(rng.normal(0, spread, len(mean) // 24 + 1))
        return rng.poisson(mean * np.repeat(factors, 24)[: len(mean)])

    return noise


def wandering(spread: float, memory: float) -> Noise:
    """Poisson around a mean whose logarithm wanders about the profile, with a memory of so many hours."""

    def noise(mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        keep, level = np.exp(-1 / memory), np.zeros(len(mean))
        steps = rng.normal(0, spread * np.sqrt(1 - keep**2), len(mean))
        for i in range(1, len(mean)):
            level[i] = keep * level[i - 1] + steps[i]
        return rng.poisson(mean * np.exp(level))

    return noise


HALF_YEAR = 26 * 168
FEEDS = (
    Feed("flat, Poisson", flat(60), poisson),
    Feed("day and week, Poisson", day_and_week(100), poisson),
    Feed("day and week, negative binomial .1", day_and_week(100), negative_binomial(0.1)),
    Feed("day and week, negative binomial .3", day_and_week(100), negative_binomial(0.3)),
    Feed("day and week, days of their own .3", day_and_week(100), days_of_their_own(0.3)),
    Feed("day and week, wandering .3 over a day", day_and_week(100), wandering(0.3, 24)),
    Feed("day and week, doubling in half a year", growing(day_and_week(60), HALF_YEAR), poisson),
    Feed("day and week, clocks change", day_and_week(100, KNOWN + 4 * 168), poisson),
    Feed("60 a day, Poisson", day_and_week(5), poisson),
    Feed("60 a day, days of their own .3", day_and_week(5), days_of_their_own(0.3)),
    Feed("a file every hour, Poisson", day_and_week(100), poisson, files=1),
    Feed("a file every night, negative binomial .1", day_and_week(100), negative_binomial(0.1), files=24),
)


def look(feed: Feed, times: np.ndarray, hour: int) -> Signal | None:
    """DQ-VOLUME after so many hours; None where it cannot say."""
    intake, as_of = feed.known(times, hour), START + np.timedelta64(hour, "h")
    found = newest_periods(intake, as_of)
    return volume_signal(found, None, LEVEL) if found else None


@dataclass
class Watch:
    """Looks in turn: which breached, and whether the newest is acted on."""

    before: Signal | None = None

    def acts(self, signal: Signal | None) -> bool:
        breached = signal if signal is not None and signal.verdict is Verdict.BREACHED else None
        before, self.before = self.before, breached
        if breached is None:
            return False
        return breached.overwhelming or (before is not None and before.direction == breached.direction)


def healthy(feed: Feed, weeks: int, seed: int) -> str:
    """A row of the first table."""
    times = feed.make(KNOWN + weeks * 168, np.random.default_rng(seed))
    watch, p_values, breached, at_once, alarms, last = Watch(), [], 0, 0, 0, -100
    for hour in range(KNOWN, KNOWN + weeks * 168):
        signal = look(feed, times, hour)
        acts = watch.acts(signal)
        if signal is not None and signal.p_value is not None:
            p_values.append(signal.p_value)
            breached += signal.verdict is Verdict.BREACHED
            at_once += signal.overwhelming
        if acts:
            alarms += hour - last > 24
            last = hour
    beyond = np.mean(np.array(p_values) <= LEVEL)
    year = 52 / weeks
    return (
        f"| {feed.name} | {len(p_values)} | {beyond:.5f} | {breached / len(p_values):.5f} | {at_once * year:.1f} "
        f"| {alarms * year:.1f} |"
    )


BREAKS = (("silence", 0.0), ("fall to 40 %", 0.4), ("halving", 0.5), ("doubling", 2.0))


def delays(feed: Feed, share: float, begun: int, repeats: int, seed: int) -> str:
    """Hours from a break until it is acted on: the median, and the share within two days; a cell."""
    found = []
    for k in range(repeats):
        rng = np.random.default_rng(seed + k)
        start = KNOWN + 24 * int(rng.integers(5)) + begun + rng.random()
        times = feed.make(int(start) + 50, rng)
        moment = START + np.timedelta64(int(start * _HOUR_US), "us")
        after = times > moment
        kept = times[~after | (rng.random(len(times)) < share)]
        more = times[after & (rng.random(len(times)) < share - 1)]
        times, watch = np.sort(np.concatenate([kept, more])), Watch()
        watch.acts(look(feed, times, int(start)))
        heard = (hour for hour in range(int(start) + 1, int(start) + 49) if watch.acts(look(feed, times, hour)))
        found.append(next(heard, np.inf) - start)
    within = np.mean(np.isfinite(found))
    median = f"{np.median(found):.1f} h" if within > 0.5 else "later"
    return median + ("" if within == 1 else f" ({100 * within:.0f} %)")


def main() -> None:
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--weeks", type=int, default=52, help="of hourly looks at each healthy feed")
    told.add_argument("--breaks", type=int, default=40, help="repetitions of each break")
    told.add_argument("--only", default="", help="feeds whose name holds this")
    chosen = told.parse_args()
    feeds = [feed for feed in FEEDS if chosen.only in feed.name]
    if chosen.weeks:
        print("| healthy feed | looks | p ≤ level | breached | overwhelming a year | acted on a year |")
        print("|---|---|---|---|---|---|")
        for feed in feeds:
            print(healthy(feed, chosen.weeks, 1), flush=True)
    if chosen.breaks:
        print(f"\n| break at a busy hour | {' | '.join(name for name, _ in BREAKS)} | silence from 22:00 |")
        print(f"|---|{'---|' * (len(BREAKS) + 1)}")
        for feed in feeds:
            cells = [delays(feed, share, 12, chosen.breaks, 100) for _, share in BREAKS]
            print(f"| {feed.name} | {' | '.join(cells)} | {delays(feed, 0.0, 22, chosen.breaks, 200)} |", flush=True)


if __name__ == "__main__":
    main()
