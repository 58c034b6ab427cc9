"""The yardstick of intake: csv.reader into sqlite3.executemany, in a process that imports nothing else.

    python -m benchmarks.intake.baseline FILE DATABASE

A rowid table with a text primary key, WAL, synchronous FULL, the default cache, one transaction.
"""

from __future__ import annotations

import csv
import sqlite3
import sys


def main() -> None:
    file, database = sys.argv[1:]
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    with open(file, encoding="utf-8", newline="") as handle:
        rows = csv.reader(handle)
        names = next(rows)
        columns = ", ".join([f"{names[0]} TEXT PRIMARY KEY", *(f"{name} TEXT" for name in names[1:])])
        connection.execute(f"CREATE TABLE reviews ({columns})")
        with connection:
            connection.executemany(f"INSERT INTO reviews VALUES ({', '.join('?' * len(names))})", rows)
    connection.close()


if __name__ == "__main__":
    main()
