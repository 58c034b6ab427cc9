"""Aliases and versions as MLflow's own tables hold them, where its store is a SQLite file of this machine.

Importing MLflow takes longer than everything else that a look at the registry does. The tables are only ever read here;
what this module does not know is left to MLflow.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

SCHEMA = "dc11669786a5"  # of the tables, as MLflow 3.17 migrates them; a test holds it against MLflow
_WAIT_S = 30.0  # for a writer

_ALIASES = "SELECT alias, version FROM registered_model_aliases WHERE workspace = 'default' AND name = ?"
_VERSIONS = """SELECT version, run_id, creation_time FROM model_versions
    WHERE workspace = 'default' AND name = ? AND current_stage <> 'Deleted_Internal'"""
_TAGS = "SELECT version, key, value FROM model_version_tags WHERE workspace = 'default' AND name = ?"

_MODEL_TAGS = "SELECT key, value FROM registered_model_tags WHERE workspace = 'default' AND name = ?"

Found = tuple[list[tuple[Any, ...]], ...]
Registered = tuple[dict[str, int], dict[str, str]]


def registered_in(uri: str, name: str) -> Registered | None:
    """Of a registered model, each alias with the version it points to, and its tags; None: MLflow has to be asked."""
    found = _read(uri, name, _ALIASES, _MODEL_TAGS)
    return None if found is None else ({alias: int(version) for alias, version in found[0]}, dict(found[1]))


def versions_in(uri: str, name: str) -> Found | None:
    """Of a registered model: (version, run id, made at, ms since 1970), (version, tag, value), (alias, version).

    All of one moment; None: MLflow has to be asked.
    """
    return _read(uri, name, _VERSIONS, _TAGS, _ALIASES)


def _read(uri: str, name: str, *queries: str) -> Found | None:
    if not uri.startswith("sqlite:///") or "?" in uri:
        return None
    file = Path(uri.removeprefix("sqlite:///")).absolute()
    if not file.exists():
        return tuple([] for _ in queries)
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)) as connection:
            connection.execute("BEGIN")  # all queries see the tables of one moment
            if connection.execute("SELECT version_num FROM alembic_version").fetchall() != [(SCHEMA,)]:
                return None
            return tuple(connection.execute(query, [name]).fetchall() for query in queries)
    except sqlite3.Error:
        return None  # a damaged file, or tables half made: MLflow says what is wrong
