"""A check of as many records as the champion knew, beside Evidently's preset on frames in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.detection import speed
from benchmarks.intake.processes import spent
from benchmarks.intake.subject import Options, Row

TITLE = "A check of many records"
BOUNDS = {100_000: "≤ 0.50 of both", 1_000_000: "≤ 0.15, ≤ 1 GB"}


def measure(options: Options) -> list[Row]:
    rows = []
    for count, bound in BOUNDS.items():
        folder = _built(options.scratch, count)
        found = speed.figures(folder, count, False, options.pairs)
        what = f"a check of {count:,} records, as many in the snapshot, ten mixed columns"
        rows.append(Row(what, "`DataDriftPreset`, frames in memory", bound, _told(found, options.pairs)))
    return rows


def _built(scratch: Path, count: int) -> Path:
    folder = scratch / f"check-{count}"
    if not (folder / "built").exists():
        folder.mkdir(parents=True)
        words = ["-m", "benchmarks.detection.speed", "--part", "build", "--rows", str(count), "--folder", str(folder)]
        spent(words, folder)
        (folder / "built").touch()
    return folder


def _told(found: dict[str, Any], pairs: int) -> str:
    ours, theirs = found["ours"], found["theirs"]
    ratios = ", ".join(
        f"{found[name]['median']:.2f} ({found[name]['least']:.2f}–{found[name]['most']:.2f}) of {what}"
        for name, what in (("ratio", "time"), ("cpu_ratio", "processor time"))
    )
    return (
        f"{ratios}; {pairs} pairs; {ours['cpu_seconds']:.1f} s against {theirs['cpu_seconds']:.1f} s; "
        f"peak {ours['peak_mb']:,.0f} MB"
    )
