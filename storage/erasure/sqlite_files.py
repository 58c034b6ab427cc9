"""SQLite keeps what is deleted: zeros over it, and no copy of it left in the write-ahead log."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from trueup.storage.erasure.needles import Needles

_PATIENCE = 30.0  # seconds that other connections are waited for
_PAUSE = 0.2
_ROWS = 500


def is_sqlite(file: Path) -> bool:
    """Whether a file is a database of SQLite.

    SQLite itself is asked: closing a plain open() of a database would drop every lock that this process holds on it.
    """
    if not file.stat().st_size:
        return False
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=_PATIENCE)) as connection:
            connection.execute("PRAGMA schema_version")
        return True
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            return False
        raise


def emptied_log(file: Path, *, whole: bool, patience: float = _PATIENCE) -> bool:
    """Bring the write-ahead log into the file and cut it to nothing; whether that was done by the end of the wait.

    A reader that looks at an older state keeps it from being done. whole: also write the file anew, for one that was
    written before deleted rows were overwritten.
    """
    until = time.monotonic() + patience
    with closing(sqlite3.connect(file, timeout=1, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        while True:
            try:
                if whole:
                    connection.execute("VACUUM")
                    whole = False
                busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if not busy:
                    return True
            except sqlite3.OperationalError:
                pass
            if time.monotonic() > until:
                return False
            time.sleep(_PAUSE)


def scrub_sqlite(file: Path, needles: Needles) -> int:
    """Take what was erased out of every text of a database that others wrote, such as MLflow's and Prefect's.

    Returns how many values changed. Their former bytes are gone once `emptied_log` has written the file anew.
    """
    with closing(sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        return sum(_scrub_table(connection, *table, needles.scrub) for table in _texts(connection))


def _texts(connection: sqlite3.Connection) -> Iterator[tuple[str, list[str]]]:
    """The tables that name their rows by number, with all their columns."""
    listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%WITHOUT ROWID%'"
    for (table,) in connection.execute(f"{listed} AND sql NOT LIKE 'CREATE VIRTUAL%'").fetchall():
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(table)})")]
        if not table.startswith("sqlite_"):
            yield table, columns


def _scrub_table(
    connection: sqlite3.Connection, table: str, columns: list[str], scrub: Callable[[str], str]
) -> int:
    shown, last, changed = ", ".join(map(_quoted, columns)), -(2**63), 0
    while True:
        rows = connection.execute(
            f"SELECT rowid, {shown} FROM {_quoted(table)} WHERE rowid > ? ORDER BY rowid LIMIT {_ROWS}", (last,)
        ).fetchall()
        if not rows:
            return changed
        last = rows[-1][0]
        for number, *values in rows:
            made = {
                column: new
                for column, value in zip(columns, values, strict=True)
                if isinstance(value, str) and (new := scrub(value)) is not value
            }
            if made:
                given = ", ".join(f"{_quoted(column)} = ?" for column in made)
                connection.execute(f"UPDATE {_quoted(table)} SET {given} WHERE rowid = ?", (*made.values(), number))
                changed += len(made)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
