"""Runs jobs in processes of their own, and keeps the results of each as soon as it is done."""

from __future__ import annotations

import json
import os
import sys
import time
from multiprocessing import get_context
from pathlib import Path

from benchmarks.detection.cells import Job, jobs


def run(kept: Path, scale: float, processes: int, only: str) -> None:
    """Do what is not kept yet, the longest first."""
    done = {json.loads(line)["job"] for line in kept.read_text().splitlines()} if kept.exists() else set()
    todo = [job for job in jobs(scale) if job.run.__name__.startswith(only) and _name(job) not in done]
    with get_context("spawn").Pool(processes) as pool, kept.open("a") as file:
        for name, cells, seconds in pool.imap_unordered(_work, todo):
            file.write(json.dumps({"job": name, "seconds": round(seconds, 1), "cells": cells}) + "\n")
            file.flush()
            print(f"{name}: {seconds:.0f} s", file=sys.stderr)


def _work(job: Job) -> tuple[str, list[dict[str, object]], float]:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    start = time.perf_counter()
    cells = [cell.as_json() for cell in job.run(*job.arguments, job.repetitions)]
    return _name(job), cells, time.perf_counter() - start


def _name(job: Job) -> str:
    return f"{job.run.__name__} {job.arguments} × {job.repetitions}"
