"""How often the peers alarm: on healthy records, and on each break.

    .venv/bin/python -m benchmarks.detection.peers_table FOLDER [--healthy N] [--broken N]

Writes FOLDER/peers.json after every cell: rows of `method, kind, n_reference, n_current, repetitions, hits, interval,
failed`, the interval by Wilson at 95 %, `failed` the comparisons that the method broke off at (they count as silent). A
method stands there twice, since an alarm may have nothing to do with the break: "…, any column" and "…, broken column".
Cells that stand in the file with as many repetitions are not measured again; remove it to begin anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from benchmarks.detection import evidently_defaults
from benchmarks.detection.made import KINDS, make
from benchmarks.detection.peer_process import Ask, peers

TEXT_KINDS = ("topic", "topic_common", "vocabulary", "sentiment", "sentiment_flipkart")


@dataclass(frozen=True)
class Cell:
    """One kind at one pair of sizes."""

    kind: str
    n_reference: int
    n_current: int


HEALTHY = tuple(Cell("none", before, now) for before in (5000, 1000, 200) for now in (50, 200, 1000))
BROKEN = (
    *(Cell(kind, 5000, 500) for kind in KINDS if kind != "none"),
    *(Cell(kind, 5000, now) for kind in TEXT_KINDS for now in (50, 200, 1000)),
)


def measure(cell: Cell, repetitions: int, ask: Ask) -> list[dict[str, Any]]:
    """The rows of a cell, over the seeds 0 to `repetitions` - 1."""
    told = []
    for seed in range(repetitions):
        reference, current = make(cell.kind, seed, cell.n_reference, cell.n_current)
        told += evidently_defaults.verdicts(reference, current) + ask("verdicts", reference, current)
    return rows(cell, repetitions, told)


def rows(cell: Cell, repetitions: int, verdicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Verdicts of all repetitions of a cell, counted by method."""
    broken = set(KINDS[cell.kind].touches)
    hits: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for verdict in verdicts:
        method, columns = verdict["method"], verdict["columns"]
        counted = {f"{method}, any column": any(columns.values())}
        if broken & set(columns):
            counted[f"{method}, broken column"] = any(columns[column] for column in broken & set(columns))
        for name, alarmed in counted.items():
            hits[name] += alarmed
            failed[name] += verdict["failed"] is not None
    found = []
    for name, count in hits.items():
        low, high = binomtest(count, repetitions).proportion_ci(method="wilson")
        found.append({
            "method": name, "kind": cell.kind, "n_reference": cell.n_reference, "n_current": cell.n_current,
            "repetitions": repetitions, "hits": count, "interval": [float(low), float(high)], "failed": failed[name],
        })
    return found


def main() -> None:
    """Every cell in turn; what is measured is on disk at once."""
    parser = argparse.ArgumentParser(description="How often the peers alarm")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--healthy", type=int, default=20, metavar="N", help="repetitions of each healthy cell")
    parser.add_argument("--broken", type=int, default=10, metavar="N", help="repetitions of each broken cell")
    told = parser.parse_args()
    told.folder.mkdir(parents=True, exist_ok=True)
    cells = [*((cell, told.healthy) for cell in HEALTHY), *((cell, told.broken) for cell in BROKEN)]
    file = told.folder / "peers.json"
    found: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    known = {(Cell(row["kind"], row["n_reference"], row["n_current"]), row["repetitions"]) for row in found}
    with peers() as ask:
        for cell, repetitions in cells:
            if (cell, repetitions) in known:
                continue
            start = time.monotonic()
            found += measure(cell, repetitions, ask)
            whole = file.with_suffix(".new")
            whole.write_text(json.dumps(found, indent=1))
            whole.replace(file)
            print(f"{cell}: {repetitions} in {time.monotonic() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
