"""DQ-LABELS on made feeds: how often a healthy one is breached, and after how many days a broken one.

    .venv/bin/python -m benchmarks.detection.labels [--feeds 20]

A look a day at 360 records a week, of which 70 % are labelled, with 16 weeks known before the first. Prints Markdown.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.page import table
from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.comparison import Comparison, Intake
from trueup.monitoring.signals.label_coverage import label_coverage
from trueup.monitoring.signals.pending import PendingTest
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

LEVEL = 0.0005
KNOWN, BREAK, WEEKS, A_WEEK = 18, 20, 24, 360
LONGEST = 14  # days of looks at a break
_START = np.datetime64("2024-01-01", "us")  # a Monday
_HOUR_US = 3_600_000_000
_NONE = np.array([], dtype="datetime64[us]")
_STREAM = StreamSettings(name="made", time="at", numeric=("x",))

Delays = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _steady(hours: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return hours + rng.exponential(36, len(hours))


def _working_days(hours: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    known = _steady(hours, rng)
    day = (known // 24) % 7
    return np.where(day >= 5, known + (7 - day) * 24, known)


def _varying(hours: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    pace = rng.lognormal(0, 0.3, WEEKS + 1)[(hours // 168).astype(int)]
    return hours + pace * rng.exponential(36, len(hours))


def _weekly(hours: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(np.ceil(_steady(hours, rng) / 168) * 168)


FEEDS: dict[str, Delays] = {
    "steady": _steady, "Monday to Friday": _working_days, "varying by week": _varying, "a batch a week": _weekly,
}  # fmt: skip


def broken(how: str, known: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The hours at which labels are known (NaN: never), where from the break on they are gone, halved or later."""
    late = known > BREAK * 168
    if how == "three days later":
        return np.where(late, known + 72, known)
    lost = late if how == "gone" else late & (rng.random(len(known)) < 0.5)
    return np.where(lost, np.nan, known)


BREAKS = ("gone", "halved", "three days later")


def look(hours: np.ndarray, known: np.ndarray, now: float) -> Signal:
    """The signal at an hour; of each record its hour, and that at which its label is known."""
    seen = (hours <= now) & (hours > now - 18 * 168)
    times, known = _instants(hours[seen]), known[seen]
    known_at = np.where(known <= now, _instants(np.nan_to_num(known)), np.datetime64("NaT", "us"))
    empty = Rows.empty(("x",))
    comparison = Comparison(
        reference=empty, current=empty, model_reference=empty, model_current=empty, quality_reference=empty,
        quality_blocks=np.array([], dtype=int), quality_current=empty, past=empty,
        intake=Intake(_NONE, _NONE, _NONE, (times, known_at)), as_of=pd.Timestamp(_instants(now)[()]).to_pydatetime(),
    )  # fmt: skip
    (found,) = label_coverage(_STREAM, comparison)
    return found.run(LEVEL) if isinstance(found, PendingTest) else found


def _instants(hours: np.ndarray | float) -> np.ndarray:
    return np.asarray(_START + (np.asarray(hours) * _HOUR_US).astype("timedelta64[us]"))


def made(feed: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Records' hours, ascending, and the hours at which their labels are known; NaN where none ever is."""
    rng = np.random.default_rng([seed, list(FEEDS).index(feed)])
    hours = np.sort(rng.uniform(0, WEEKS * 168, WEEKS * A_WEEK))
    return hours, np.where(rng.random(len(hours)) < 0.7, FEEDS[feed](hours, rng), np.nan)


def days_until_seen(feed: str, how: str, seed: int) -> int:
    """Days from the break to the first look that breaches; 99 where none of the two weeks does."""
    hours, known = made(feed, seed)
    known = broken(how, known, np.random.default_rng(seed))
    looks = (look(hours, known, BREAK * 168 + day * 24.0).verdict is Verdict.BREACHED for day in range(1, LONGEST + 1))
    return next((day for day, breached in enumerate(looks, start=1) if breached), 99)


def healthy(feed: str, seed: int) -> tuple[int, int]:
    """How many of the looks before the break breach, and how many there are."""
    hours, known = made(feed, seed)
    looks = [look(hours, known, day * 24.0).verdict is Verdict.BREACHED for day in range(KNOWN * 7, WEEKS * 7)]
    return sum(looks), len(looks)


def main() -> None:
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--feeds", type=int, default=20, help="of each kind")
    seeds, rows = range(told.parse_args().feeds), []
    for feed in FEEDS:
        breached, looks = np.sum([healthy(feed, seed) for seed in seeds], axis=0)
        cells = [f"{breached} of {looks}"]
        for how in BREAKS:
            days = np.array([days_until_seen(feed, how, seed) for seed in seeds])
            late = int((days > LONGEST).sum())
            cells.append(f"{np.median(days[days <= LONGEST]):.0f}" + (f" ({late} of {len(days)} not)" if late else ""))
        rows.append((feed, *cells))
    print(table(("feed", "healthy looks breached", *(f"{how}: days, median" for how in BREAKS)), rows))


if __name__ == "__main__":
    main()
