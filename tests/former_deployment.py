"""A small deployment with two versions, reports and alerts, ready made; see fixtures/former_home.py."""

from __future__ import annotations

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

PACKED = Path(__file__).parent / "fixtures" / "former_home.tar.xz"
WRITTEN_AT = "/srv/deployment"  # where it lay when it was made
CHAMPION, PREVIOUS = 2, 1


def unpacked(where: Path) -> Path:
    """The deployment's folder in `where`; MLflow's database, which holds absolute paths, is told of the move."""
    with tarfile.open(PACKED) as packed:
        packed.extractall(where, filter="data")
    moved = where / "deployment"
    with closing(sqlite3.connect(moved / ".trueup" / "mlflow.db")) as database, database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for (column,) in database.execute("SELECT name FROM pragma_table_info(?)", [table]).fetchall():
                database.execute(
                    f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?) WHERE instr("{column}", ?)',
                    [WRITTEN_AT, str(moved), WRITTEN_AT],
                )
    return moved
