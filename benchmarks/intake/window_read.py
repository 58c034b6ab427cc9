"""The newest window read out of a long history, against the same out of a short one."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from benchmarks.detection.speed import STREAM
from benchmarks.intake.long_streams import built, end_of
from benchmarks.intake.processes import Spent, in_turn, spent
from benchmarks.intake.subject import Options, Row, told

TITLE = "A window out of a long history"
LONG, SHORT, WINDOW = 10_000_000, 100_000, 50_000


def measure(options: Options) -> list[Row]:
    def read(count: int) -> Spent:
        folder = built(options.scratch, count, WINDOW)
        return spent(["-m", "benchmarks.intake.window_read", str(folder), str(count)], folder)

    for count in (SHORT, LONG):
        built(options.scratch, count, WINDOW)
    pairs = in_turn(options.pairs, partial(read, LONG), partial(read, SHORT))
    return [Row(f"a window of {WINDOW:,} out of {LONG:,} records", f"out of {SHORT:,}", "≤ 1.2", told(pairs))]


def _read(folder: Path, count: int) -> None:
    from trueup.flows.app import open_app

    app = open_app(folder / "trueup.toml", folder / ".trueup")
    stream, now = app.stream(STREAM), end_of(count)
    start = app.counts.newest_since(stream, WINDOW, after=end_of(0), as_of=now)
    assert len(app.reader.read(stream, after=start, as_of=now, version=1)) == WINDOW
    app.close()


if __name__ == "__main__":
    _read(Path(sys.argv[1]), int(sys.argv[2]))
