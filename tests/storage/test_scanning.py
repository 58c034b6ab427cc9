"""Reading through much of a table keeps few of its pages, and the next transaction has its memory again."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.storage.database import PRAGMAS, Database, open_database


def _pages(database: Database) -> int:
    with database.read() as connection:
        return int(connection.exec_driver_sql("PRAGMA cache_size").scalar_one())


def test_a_scan_holds_few_pages_until_it_is_over(tmp_path: Path) -> None:
    """Also one that fails: an ingest on the same connection would touch the pages of its index anew each time."""
    database = open_database("", tmp_path)
    with database.scan() as connection:
        assert -PRAGMAS["cache_size"] > -int(connection.exec_driver_sql("PRAGMA cache_size").scalar_one()) > 0
    assert _pages(database) == PRAGMAS["cache_size"]
    with pytest.raises(ZeroDivisionError), database.scan():
        raise ZeroDivisionError
    assert _pages(database) == PRAGMAS["cache_size"]
    database.close()
