"""The subjects of `benchmarks.intake`, in the order of the page."""

from __future__ import annotations

import importlib

from benchmarks.intake.subject import Subject

SUBJECTS = (
    "ingest_once", "ingest_costs", "ingest_again", "ingest_parquet", "ingest_postgres", "check_large",
    "check_costs", "check_small_window",
)  # fmt: skip
ASKED_FOR = ("ingest_memory", "window_read", "check_million")  # take long: measured only where they are named


def subject(name: str) -> Subject:
    """The module of a subject."""
    module: Subject = importlib.import_module(f"benchmarks.intake.{name}")  # type: ignore[assignment]
    return module
