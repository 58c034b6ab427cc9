"""The same file once more, and the same rows in other files."""

from __future__ import annotations

import itertools
from pathlib import Path

from benchmarks.intake.deployments import Deployment, baseline
from benchmarks.intake.made_reviews import write_csv, write_shuffled
from benchmarks.intake.processes import Pairs, Spent, in_turn, spent
from benchmarks.intake.subject import Options, Row, told

TITLE = "What is stored already"
_YARDSTICK = "csv.reader into sqlite3"
_HASH = "import hashlib, sys; print(hashlib.file_digest(open(sys.argv[1], 'rb'), 'blake2b').hexdigest())"


def measure(options: Options) -> list[Row]:
    file = write_csv(options.scratch / f"random-{options.rows}.csv", options.rows, "random")
    other = write_csv(options.scratch / f"backwards-{options.rows}.csv", options.rows, "random", backwards=True)
    shuffled = write_shuffled(options.scratch / f"shuffled-{options.rows}.csv", file)
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

    def moved(rows: Path) -> Pairs:
        return in_turn(
            options.pairs, lambda: _as_another(deployment, rows, next(taken)), lambda: baseline(rows, options.scratch)
        )

    count, beside = f"{options.rows:,}", "ingest of one row + hashing the file"
    return [
        Row(f"the same file of {count} reviews, time", beside, "≤ 1.5", told(again)),
        Row(f"the same {count} rows in another file, the last first, time", _YARDSTICK, "≤ 1", told(moved(other))),
        Row(f"the same {count} rows in another file, shuffled, time", _YARDSTICK, "≤ 1", told(moved(shuffled))),
    ]


def _as_another(deployment: Deployment, file: Path, number: int) -> Spent:
    """Take a file in whose bytes the store has never seen, though its rows are stored."""
    changed = file.with_name("another.csv")
    changed.write_bytes(file.read_bytes() + b"\n" * number)
    try:
        return deployment.ingest(changed)
    finally:
        changed.unlink()
