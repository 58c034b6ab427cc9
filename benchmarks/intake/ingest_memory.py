"""Peak memory of taking in ten million rows, of exporting them, and of moving as many predictions to the archive."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from benchmarks.intake.deployments import Deployment
from benchmarks.intake.made_reviews import write_csv
from benchmarks.intake.processes import Spent, spent
from benchmarks.intake.subject import Options, Row

TITLE = "Memory"
_ROWS = 10_000_000
_VERSION, _AT_ONCE = 1, 19_999  # answers given at once that go to SQL and not to a file


def measure(options: Options) -> list[Row]:
    rows = options.many or _ROWS
    file = write_csv(options.scratch / f"random-{rows}.csv", rows, "random")
    deployment = Deployment(options.scratch / "many")
    try:
        taken = deployment.ingest(file)
        exported = deployment.run("export", "records", "--to", "exported", "--stream", "reviews")
        spent(["-m", "benchmarks.intake.ingest_memory", "answer"], deployment.folder)
        moved = spent(["-m", "benchmarks.intake.ingest_memory", "move"], deployment.folder)
    finally:
        shutil.rmtree(deployment.folder, ignore_errors=True)
    return [
        _row(f"peak memory of `trueup ingest` of {rows:,} rows (CSV, random ids)", taken),
        _row(f"of `trueup export records` of {rows:,} rows", exported),
        _row(f"of moving {rows:,} predictions of closed months to Parquet", moved),
    ]


def _row(what: str, done: Spent) -> Row:
    return Row(what, "–", "≤ 700 MB", f"{done.peak / 2**20:,.0f} MB; {done.seconds:,.1f} s")


def _in_deployment(part: str) -> None:
    """answer: give every record an answer in SQL. move: what the end of a cycle does."""
    import numpy as np
    import sqlalchemy as sa

    from trueup.flows.app import open_app
    from trueup.storage import tables as t
    from trueup.storage.history.month_moves import close_months
    from trueup.storage.leases import hold
    from trueup.storage.records.columns import insert_columns

    app = open_app(Path("trueup.toml"), Path(".trueup"))
    if part == "move":
        with hold(app.database, "reviews", clock=app.clock) as lease:
            close_months(app.database, app.archive, "reviews", lease, before=app.now())
        app.close()
        return
    r = t.records.c
    asked = sa.select(r.stream, r.seq, sa.type_coerce(r.time, sa.BigInteger)).order_by(r.seq)
    last = -1
    while True:
        with app.database.read() as connection:
            found = connection.execute(asked.where(r.seq > last).limit(_AT_ONCE)).all()
        if not found:
            break
        stream, seq, time = (list(column) for column in zip(*found, strict=True))
        last, score = seq[-1], np.linspace(0, 1, len(seq)).tolist()
        with app.database.write() as connection:
            insert_columns(
                connection, t.predictions,
                {
                    "stream": stream, "version": [_VERSION] * len(seq), "seq": seq, "time": time,
                    "predicted": ["positive"] * len(seq), "score": score,
                },
            )  # fmt: skip
    app.close()


if __name__ == "__main__":
    _in_deployment(sys.argv[1])
