"""Peak memory of taking in ten million rows."""

from __future__ import annotations

from benchmarks.intake.deployments import ingested
from benchmarks.intake.made_reviews import write_csv
from benchmarks.intake.subject import Options, Row

TITLE = "Memory"
_ROWS = 10_000_000


def measure(options: Options) -> list[Row]:
    file = write_csv(options.scratch / f"random-{_ROWS}.csv", _ROWS, "random")
    done = ingested(file, options.scratch)
    figure = f"{done.peak / 2**20:,.0f} MB; {done.seconds:,.0f} s"
    return [Row(f"peak memory of `trueup ingest` of {_ROWS:,} rows (CSV, random ids)", "–", "≤ 700 MB", figure)]
