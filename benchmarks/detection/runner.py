"""The experiments on trueup's side as jobs: done in parallel, each kept as soon as it is done."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import benchmarks.jobs
from benchmarks.detection.cells import Job, jobs


def run(kept: Path, scale: float, processes: int, only: str) -> None:
    """Do what is not kept yet, the longest first."""
    wanted = [job for job in jobs(scale) if job.run.__name__.startswith(only)]
    benchmarks.jobs.run(kept, [benchmarks.jobs.Job(_name(job), partial(_cells, job)) for job in wanted], processes)


def _cells(job: Job) -> dict[str, Any]:
    return {"cells": [cell.as_json() for cell in job.run(*job.arguments, job.repetitions)]}


def _name(job: Job) -> str:
    return f"{job.run.__name__} {job.arguments} × {job.repetitions}"
