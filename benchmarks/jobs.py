"""Jobs done in processes of their own; what each found is kept as soon as it is done, so a stopped run goes on."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """`work` gives a JSON object and can be pickled; under `name` it is known again."""

    name: str
    work: Callable[[], dict[str, Any]]


def run(kept: Path, jobs: Sequence[Job], processes: int) -> list[dict[str, Any]]:
    """What each job found, with `job` and `seconds`; what `kept` holds, a line of JSON each, is not done again."""
    todo = [job for job in jobs if job.name not in _lines(kept)]
    kept.parent.mkdir(parents=True, exist_ok=True)
    with _one_thread(), get_context("spawn").Pool(processes) as pool, kept.open("a", encoding="utf-8") as file:
        for name, found, seconds in pool.imap_unordered(_work, todo):
            file.write(json.dumps({"job": name, "seconds": round(seconds, 1), **found}) + "\n")
            file.flush()
            print(f"{name}: {seconds:.0f} s", file=sys.stderr)
    done = _lines(kept)
    return [done[job.name] for job in jobs]


def done_so_far(kept: Path) -> list[dict[str, Any]]:
    """What a run that goes on, or was stopped, has found by now."""
    return list(_lines(kept).values())


def _lines(kept: Path) -> dict[str, dict[str, Any]]:
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    return {found["job"]: found for found in map(json.loads, lines)}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes started meanwhile compute with one thread each: libraries read this when they are imported."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _work(job: Job) -> tuple[str, dict[str, Any], float]:
    start = time.perf_counter()
    return job.name, job.work(), time.perf_counter() - start
