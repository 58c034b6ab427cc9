"""A check of a million records that the champion knew a million of, beside Evidently's preset on frames in memory."""

from __future__ import annotations

from benchmarks.intake.check_large import beside_preset
from benchmarks.intake.subject import Options, Row

TITLE = "The first check after a million records"


def measure(options: Options) -> list[Row]:
    return [beside_preset(options, 1_000_000, "≤ 0.15, ≤ 1 GB")]
