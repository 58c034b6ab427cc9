"""The same reviews from Parquet, against CSV."""

from __future__ import annotations

from functools import partial

from benchmarks.intake.deployments import ingested
from benchmarks.intake.made_reviews import write_csv, write_parquet
from benchmarks.intake.processes import in_turn
from benchmarks.intake.subject import Options, Row, told

TITLE = "Parquet"


def measure(options: Options) -> list[Row]:
    file = write_csv(options.scratch / f"random-{options.rows}.csv", options.rows, "random")
    columns = write_parquet(options.scratch / f"random-{options.rows}.parquet", file)
    ours = partial(ingested, columns, options.scratch)
    pairs = in_turn(options.pairs, ours, partial(ingested, file, options.scratch))
    return [Row(f"{options.rows:,} reviews from Parquet, time", "from CSV", "≤ 1", told(pairs))]
