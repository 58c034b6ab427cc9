"""A file of reviews taken in for the first time, against the yardstick."""

from __future__ import annotations

from functools import partial

from benchmarks.intake.deployments import baseline, ingested
from benchmarks.intake.made_reviews import write_csv
from benchmarks.intake.processes import in_turn
from benchmarks.intake.subject import Options, Row, told

TITLE = "A file for the first time"


def measure(options: Options) -> list[Row]:
    rows = []
    for ids in ("random", "sequential"):
        file = write_csv(options.scratch / f"{ids}-{options.rows}.csv", options.rows, ids)
        ours = partial(ingested, file, options.scratch)
        pairs = in_turn(options.pairs, ours, partial(baseline, file, options.scratch))
        what = f"`trueup ingest` of {options.rows:,} reviews × 6 columns (CSV, {ids} ids), speed"
        rows.append(Row(what, "csv.reader into sqlite3", "≥ 0.40", told(pairs, speed=True)))
    return rows
