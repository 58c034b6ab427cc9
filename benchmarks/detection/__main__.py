"""`python -m benchmarks.detection`: runs the experiments, then writes docs/detection.md from their results.

Results are kept as they come, one line a job, so that a run that was stopped goes on where it was. `--scale .02` is a
quick look at everything; the figures of the docs are those of scale 1.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from benchmarks.detection.programs import run_programs
from benchmarks.detection.runner import run

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--scale", type=float, default=1.0, help="share of the repetitions")
    told.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    told.add_argument("--results", type=Path, default=RESULTS)
    told.add_argument("--only", default="", help="experiments whose name begins so")
    told.add_argument("--write", type=Path, help="the document to write afterwards")
    chosen = told.parse_args()
    chosen.results.mkdir(parents=True, exist_ok=True)
    run(chosen.results / "trueup.jsonl", chosen.scale, chosen.processes, chosen.only)
    if chosen.write:
        run_programs(chosen.results)
        from benchmarks.detection.document import document

        chosen.write.write_text(document(chosen.results), encoding="utf-8")


if __name__ == "__main__":
    main()
