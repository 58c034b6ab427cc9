"""The same file once more, and the same rows in another file."""

from __future__ import annotations

import itertools
from pathlib import Path

from benchmarks.intake.deployments import Deployment, baseline
from benchmarks.intake.made_reviews import write_csv
from benchmarks.intake.processes import Spent, in_turn, spent
from benchmarks.intake.subject import Options, Row, told

TITLE = "What is stored already"
_HASH = "import hashlib, sys; print(hashlib.file_digest(open(sys.argv[1], 'rb'), 'blake2b').hexdigest())"


def measure(options: Options) -> list[Row]:
    file = write_csv(options.scratch / f"random-{options.rows}.csv", options.rows, "random")
    other = write_csv(options.scratch / f"backwards-{options.rows}.csv", options.rows, "random", backwards=True)
    one = write_csv(options.scratch / "one.csv", 1, "random")
    deployment = Deployment(options.scratch / "again")
    deployment.ingest(file)

    def started_and_hashed() -> Spent:
        """Start-up: the same command with a file of one row. The hash in a process of its own, less an empty one."""
        start, empty = deployment.ingest(one), spent(["-c", "import hashlib"], options.scratch)
        hashed = spent(["-c", _HASH, str(file)], options.scratch)
        return Spent(start.seconds + max(0.0, hashed.seconds - empty.seconds), start.peak)

    again = in_turn(options.pairs, lambda: deployment.ingest(file), started_and_hashed)
    taken = itertools.count(1)
    moved = in_turn(
        options.pairs, lambda: _as_another(deployment, other, next(taken)), lambda: baseline(other, options.scratch)
    )
    rows = f"{options.rows:,}"
    return [
        Row(f"the same file of {rows} reviews, time", "ingest of one row + hashing the file", "≤ 1.5", told(again)),
        Row(f"the same {rows} rows in another file, time", "csv.reader into sqlite3", "≤ 1", told(moved)),
    ]


def _as_another(deployment: Deployment, file: Path, number: int) -> Spent:
    """Take a file in whose bytes the store has never seen, though its rows are stored."""
    changed = file.with_name("another.csv")
    changed.write_bytes(file.read_bytes() + b"\n" * number)
    try:
        return deployment.ingest(changed)
    finally:
        changed.unlink()
