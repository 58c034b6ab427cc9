"""The same job as a Prefect deployment: `python flow.py` serves it as "train/reviews" until it is stopped.

In trueup.toml: `deployment = "train/reviews"` instead of `command`; both must know the same PREFECT_API_URL.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import train as job_of_this_folder
from prefect import flow


@flow
def train(job: str) -> None:
    """Train in the folder `job`; what a program says by its exit status, a flow writes into result.json."""
    os.environ["TRUEUP_JOB"] = job
    status = job_of_this_folder.main()
    if status:
        run = json.loads(Path(job, "job.json").read_text(encoding="utf-8"))["run"]
        Path(job, "result.json").write_text(json.dumps({"run": run, "status": status}), encoding="utf-8")


if __name__ == "__main__":
    train.serve(name="reviews")
