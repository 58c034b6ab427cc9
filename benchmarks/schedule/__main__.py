"""`python -m benchmarks.schedule`: what a scheduled cycle with nothing new costs, forked or not."""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from benchmarks.machine import facts, said
from benchmarks.page import table
from benchmarks.schedule.served import Measured, measure
from benchmarks.schedule.streams import make_home


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2, help="measured cycles of each stream, after a first one")
    parser.add_argument("--every", type=float, default=90, help="seconds between the cycles of a stream")
    parser.add_argument("--repeat", type=int, default=1, help="how often the whole is measured")
    parser.add_argument("--home", type=Path, help="a folder made by an earlier run with as many streams, or to make")
    parser.add_argument("--only", choices=["forked", "own"], help="one of the two ways alone")
    asked = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="trueup-schedule-"))
    try:
        home = asked.home or scratch / "home"
        if not (home / "made").exists():
            make_home(home, asked.streams)
            (home / "made").touch()
        found: dict[str, list[Measured]] = {}
        for number in range(asked.repeat):
            for way in [asked.only] if asked.only else ["own", "forked"]:
                place = scratch / f"{way}{number}"
                found.setdefault(way, []).append(
                    measure(
                        home,
                        place,
                        streams=asked.streams,
                        rounds=asked.rounds,
                        every=asked.every,
                        forked=way == "forked",
                    )
                )
                shutil.rmtree(place)
                print(page({way: found[way]}), flush=True)
        print(f"\n{page(found)}\n\n{asked.streams} streams every {asked.every:.0f} s; {said(facts())}")
    finally:
        shutil.rmtree(scratch)


def page(found: dict[str, list[Measured]]) -> str:
    """A table of what was measured, a column for each way."""
    names = {"own": "a process of its own", "forked": "forked"}
    rows = [
        ("processor seconds a cycle, all", lambda m: m.spent.total / m.cycles),
        ("… the run", lambda m: m.spent.runs / m.cycles),
        ("… Prefect's server", lambda m: m.spent.server / m.cycles),
        ("… `trueup serve`", lambda m: m.spent.runner / m.cycles),
        ("… fork server", lambda m: m.spent.fork_server / m.cycles),
        ("processor seconds a minute without a run", lambda m: m.idle.total / max(m.idle_wall, 1) * 60),
        ("… Prefect's server", lambda m: m.idle.server / max(m.idle_wall, 1) * 60),
        ("starts late, median s", lambda m: statistics.median(m.late)),
        ("starts late, most s", lambda m: max(m.late)),
        ("runs for, median s", lambda m: statistics.median(m.took)),
        ("memory (PSS) idle, MB", lambda m: m.memory_idle.total),
        ("… fork server", lambda m: m.memory_idle.fork_server),
        ("memory (PSS) at most, MB", lambda m: m.memory_most.total),
    ]
    body = [(name, *(_spread([figure(m) for m in found[way]]) for way in found)) for name, figure in rows]
    return table(["", *(names[way] for way in found)], body)


def _spread(values: list[float]) -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    digits = 0 if middle >= 100 else 2
    return f"{middle:.{digits}f}" + (f" ({low:.{digits}f}–{high:.{digits}f})" if len(values) > 1 else "")


if __name__ == "__main__":
    main()
