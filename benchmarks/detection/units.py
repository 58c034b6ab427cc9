"""How often a column looks like a change of unit where none changed, and where one did: the real sets' numbers.

    .venv/bin/python -m benchmarks.detection.units

Windows of 500 beside the 5,000 rows before (2,000 where the set holds fewer than 10,000): drawn at random from all,
so that nothing changed; as they came, so that only the world did; and either in another unit. Prints Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmarks.machine import DATA
from benchmarks.page import share, table
from trueup.monitoring.stats.units import FACTORS, unit_change

WINDOW, DRAWN = 500, 40
CONVERTED = (10.0, 100.0, 1000.0, 0.01, *FACTORS)
SETS = (  # file, columns, whether a window is a series'
    ("bike_sharing_hour.csv", ("temp", "atemp", "hum", "windspeed", "hr", "weathersit", "cnt"), True),
    ("elec2.csv", ("period", "nswprice", "nswdemand", "vicprice", "vicdemand", "transfer"), True),
    ("greenlight_play.csv", ("thumbsUpCount", "score"), False),
    ("flipkart_badminton.csv", ("Up Votes", "Down Votes", "Ratings"), False),
)


def columns() -> Iterator[tuple[str, np.ndarray, bool]]:
    """Name and values (n,) of each numeric column in the order of its file, and whether it is judged as a series'."""
    for file, names, series in SETS:
        rows = pd.read_csv(DATA / file, usecols=list(names))
        for name in names:
            values = pd.to_numeric(rows[name], errors="coerce").dropna().to_numpy(dtype=float)
            yield f"{file.partition('_')[0].removesuffix('.csv')} {name}", values, series


def told(reference: np.ndarray, windows: list[np.ndarray], *, series: bool) -> int:
    return sum(unit_change(reference, window, series=series) is not None for window in windows)


def measured(values: np.ndarray, rng: np.random.Generator, *, series: bool) -> list[tuple[int, int]]:
    """(told, windows) of one column: drawn, drawn and converted, as they came, as they came and converted."""
    known = 5000 if len(values) >= 10_000 else 2000
    mixed = [rng.permutation(values)[: known + WINDOW] for _ in range(DRAWN)]
    same = sum(told(one[:known], [one[known:]], series=False) for one in mixed)
    other = [(one, CONVERTED[k % len(CONVERTED)]) for k, one in enumerate(mixed)]
    changed = sum(told(one[:known], [one[known:] * factor], series=False) for one, factor in other)
    starts = range(known, len(values) - WINDOW, WINDOW)
    came = turned = 0
    for k, start in enumerate(starts):
        before, now = values[start - known : start], values[start : start + WINDOW]
        came += told(before, [now], series=series)
        turned += told(before, [now * CONVERTED[k % len(CONVERTED)]], series=series)
    return [(same, DRAWN), (changed, DRAWN), (came, len(starts)), (turned, len(starts))]


def main() -> None:
    rng, rows, total = np.random.default_rng(1), [], np.zeros((4, 2), dtype=int)
    for name, values, series in columns():
        found = measured(values, rng, series=series)
        total += np.array(found)
        rows.append((name, *(f"{hits} of {n}" for hits, n in found)))
    rows.append(("all", *(share(int(hits), int(n)) for hits, n in total)))
    head = ("column", "nothing changed", "another unit", "as it came", "as it came, another unit")
    print(table(head, rows))


if __name__ == "__main__":
    main()
