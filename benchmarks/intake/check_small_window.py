"""`trueup check` of a small window in a long history, against the same in a short one."""

from __future__ import annotations

from functools import partial

from benchmarks.detection.speed import STREAM
from benchmarks.intake.long_streams import built, end_of
from benchmarks.intake.processes import TRUEUP, Spent, in_turn, spent
from benchmarks.intake.subject import Options, Row, told

TITLE = "A small window of a long history"
LONG, SHORT, WINDOW = 1_000_000, 10_000, 500


def measure(options: Options) -> list[Row]:
    def checked(count: int) -> Spent:
        folder = built(options.scratch, count, WINDOW)
        return spent([*TRUEUP, "check", "--stream", STREAM, "--as-of", end_of(count).isoformat()], folder)

    for count in (SHORT, LONG):
        built(options.scratch, count, WINDOW)
    pairs = in_turn(options.pairs, partial(checked, LONG), partial(checked, SHORT))
    what = f"`trueup check` of a window of {WINDOW}, {LONG:,} records in the store"
    return [Row(what, f"{SHORT:,} records", "≤ 1.2", told(pairs))]
