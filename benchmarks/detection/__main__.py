"""`python -m benchmarks.detection`: runs the experiments, then writes docs/detection.md from their results.

Results are kept as they come, one line a job, so that a run that was stopped goes on where it was. `--scale .02` is a
quick look at everything; the figures of the docs are those of scale 1.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--scale", type=float, default=1.0, help="share of the repetitions")
    told.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    told.add_argument("--results", type=Path, default=RESULTS)
    told.add_argument("--only", default="", help="experiments whose name begins so")
    told.add_argument("--write", type=Path, help="the document to write; without it nothing is run less")
    chosen = told.parse_args()
    chosen.results.mkdir(parents=True, exist_ok=True)
    run(chosen.results / "trueup.jsonl", chosen.scale, chosen.processes, chosen.only)
    if chosen.write:
        from benchmarks.detection.document import document

        chosen.write.write_text(document(chosen.results), encoding="utf-8")


def run(kept: Path, scale: float, processes: int, only: str) -> None:
    """Do what is not kept yet, the longest first."""
    from benchmarks.detection.cells import jobs

    done = {json.loads(line)["job"] for line in kept.read_text().splitlines()} if kept.exists() else set()
    todo = [job for job in jobs(scale) if job.run.__name__.startswith(only) and _name(job) not in done]
    with get_context("spawn").Pool(processes) as pool, kept.open("a") as file:
        for name, cells, seconds in pool.imap_unordered(_work, todo):
            file.write(json.dumps({"job": name, "seconds": round(seconds, 1), "cells": cells}) + "\n")
            file.flush()
            print(f"{name}: {seconds:.0f} s", file=sys.stderr)


def _work(job: Any) -> tuple[str, list[dict[str, Any]], float]:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    start = time.perf_counter()
    cells = [cell.as_json() for cell in job.run(*job.arguments, job.repetitions)]
    return _name(job), cells, time.perf_counter() - start


def _name(job: Any) -> str:
    return f"{job.run.__name__} {job.arguments} × {job.repetitions}"


if __name__ == "__main__":
    main()
