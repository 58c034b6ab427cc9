"""Where the processor time of a large check goes: its parts timed in one, in a process of its own."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from benchmarks.detection import speed
from benchmarks.intake.check_large import COUNT, built
from benchmarks.intake.processes import clean_environment
from benchmarks.intake.subject import Options, Row

TITLE = "Where the time of a check goes"
# Functions by module and name, each with what it stands for; none of them calls another.
PARTS = {
    ("flows.check.run", "score_new"): "looking for records without an answer",
    ("flows.check.run", "compare_window"): "reading store and snapshot, comparing",
    ("monitoring.signals.measure", "measure"): "testing the signals, on all rows",
    ("monitoring.report.render", "render"): "drawing 5,000 rows a side with Evidently",
}


def measure(options: Options) -> list[Row]:
    folder = built(options.scratch, COUNT)
    words = [sys.executable, "-m", "benchmarks.intake.check_costs", str(folder)]
    done = subprocess.run(words, env=clean_environment(), capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    whole = found.pop("whole")
    found["all else"] = whole - sum(found.values())
    against = f"a check of {COUNT:,} records, imports left out"
    return [Row(what, against, "–", f"{spent:.2f} s of {whole:.2f} s") for what, spent in found.items()]


def _timed(function: Callable[..., Any], what: str, spent: dict[str, float]) -> Callable[..., Any]:
    @wraps(function)
    def counted(*given: Any, **named: Any) -> Any:
        started = time.process_time()
        try:
            return function(*given, **named)
        finally:
            spent[what] += time.process_time() - started

    return counted


def _profile(folder: Path) -> None:
    from trueup.flows.garbage import collect_rarely

    collect_rarely()
    speed.checked(folder / speed.FEW, speed.OF_FEW)
    spent = dict.fromkeys(PARTS.values(), 0.0)
    for (module, name), what in PARTS.items():
        held = importlib.import_module(f"trueup.{module}")
        setattr(held, name, _timed(getattr(held, name), what, spent))
    whole = speed.checked(folder, COUNT)["cpu_seconds"]
    print(json.dumps({**spent, "whole": whole}))


if __name__ == "__main__":
    _profile(Path(sys.argv[1]))
