"""A check of as many records as the champion knew, beside Evidently's preset on frames in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.detection import speed
from benchmarks.intake.processes import spent
from benchmarks.intake.subject import Options, Row

TITLE = "A check of many records"
COUNT, BOUND = 100_000, "≤ 0.50 of both"


def measure(options: Options) -> list[Row]:
    return [beside_preset(options, COUNT, BOUND)]


def beside_preset(options: Options, count: int, bound: str) -> Row:
    """A check of so many records on either side, and the preset on the same."""
    found = speed.figures(built(options.scratch, count), count, False, options.pairs)
    what = f"a check of {count:,} records, as many in the snapshot, ten mixed columns"
    return Row(what, "`DataDriftPreset`, frames in memory", bound, _told(found, options.pairs))


def built(scratch: Path, count: int) -> Path:
    """The folder of a deployment with so many records on either side, made where it is not there yet."""
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
