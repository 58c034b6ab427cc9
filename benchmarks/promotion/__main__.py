"""`python -m benchmarks.promotion`: measures section after section, then writes docs/promotion.md from the results.

What a section found is kept as DIR/SECTION.json and not measured again while it is there; a section that was stopped
goes on from what it kept in DIR/SECTION/. `--quick` takes a minute for each section and keeps its figures apart.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.promotion import pays, shifts, tuning
from benchmarks.promotion.document import document, file_of, with_section
from benchmarks.promotion.registry import SECTIONS, section
from benchmarks.promotion.section import Options

SO_FAR = {"pays": pays.so_far, "tuning": tuning.so_far}  # the sections that can be told before they are whole
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--only", action="append", choices=SECTIONS, metavar="SECTION", help=", ".join(SECTIONS))
    told.add_argument("--quick", action="store_true", help="tiny: whether everything runs")
    told.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    told.add_argument("--results", type=Path, default=RESULTS, metavar="DIR")
    told.add_argument("--write", type=Path, metavar="FILE", help="the page to write afterwards")
    told.add_argument("--so-far", action="store_true", help="with --into: what a run has found by now")
    told.add_argument("--into", type=Path, metavar="FILE", help="the page in which to replace the measured sections")
    chosen = told.parse_args()
    results: Path = chosen.results / "quick" if chosen.quick else chosen.results
    if chosen.so_far:
        chosen.only = chosen.only or ["pays"]
        folder = results / chosen.only[0]
        results = folder / "so far"
        results.mkdir(parents=True, exist_ok=True)
        found = SO_FAR[folder.name](folder)
        keep(file_of(results, folder.name), found, Options(chosen.quick, chosen.processes, folder), 0.0)
    for name in chosen.only or SECTIONS:
        if not file_of(results, name).exists():
            measure(name, Options(chosen.quick, chosen.processes, results / name), file_of(results, name))
    if chosen.into:
        for name in chosen.only or SECTIONS:
            page = chosen.into.read_text(encoding="utf-8")
            chosen.into.write_text(with_section(page, name, results), encoding="utf-8")
    if chosen.write:
        chosen.write.write_text(document(results), encoding="utf-8")
        if (kept := file_of(results, "shifts")).exists():
            shifts.draw(json.loads(kept.read_text())["found"], chosen.write.parent / shifts.PICTURE)


def measure(name: str, options: Options, file: Path) -> None:
    """Measure a section and keep what it found, with what it was found on."""
    options.folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    found = section(name).measure(options)
    seconds = time.monotonic() - start
    keep(file, found, options, seconds)
    print(f"{name}: {seconds:.0f} s", file=sys.stderr)


def keep(file: Path, found: dict[str, Any], options: Options, seconds: float) -> None:
    """Keep what was found, with what it was found on."""
    whole = {
        "quick": options.quick, "seconds": seconds, "processes": options.processes, "machine": machine.facts(),
        "found": found,
    }  # fmt: skip
    new = file.with_suffix(".new")
    new.write_text(json.dumps(whole, indent=1))
    new.replace(file)


if __name__ == "__main__":
    main()
