"""MLflow's SQLite file as it is first made: whole or not at all, whenever the process that makes it is killed."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from trueup.training.registry.artifact_paths import follow_move

log = logging.getLogger("trueup")

# What MLflow writes of its own accord is no content.
_CONTENT = (
    "SELECT 1 FROM experiments WHERE name <> 'Default'",
    "SELECT 1 FROM runs",
    "SELECT 1 FROM registered_models",
    "SELECT 1 FROM logged_models",
)


def sqlite_file(uri: str) -> Path | None:
    """The file of a plain SQLite address; None for any other."""
    if not uri.startswith("sqlite:///") or "?" in uri:
        return None
    return Path(uri.removeprefix("sqlite:///")).absolute()


def open_local(uri: str, artifact_root: Path, former_roots: Collection[Path]) -> None:
    """The first use of a store that this process keeps, one process at a time: two that migrate a file destroy it.

    Raises:
        MlflowException, OSError, sqlite3.Error: it cannot be made or read.
    """
    import mlflow
    from filelock import FileLock

    artifact_root.mkdir(parents=True, exist_ok=True)
    file = sqlite_file(uri)
    with FileLock(artifact_root.parent / "mlflow.lock"):
        if file is not None:
            make_whole(file)
            _follow_move(file, artifact_root, former_roots)
        client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)  # making it migrates already
        client.search_experiments(max_results=1)
        client.search_registered_models(max_results=1)


def _follow_move(file: Path, artifact_root: Path, former_roots: Collection[Path]) -> None:
    """Let MLflow's own file name today's places, where the home was moved or copied since."""
    own = file.resolve().parent == artifact_root.parent
    for old, count in follow_move(file, artifact_root, None if own else former_roots).items():
        log.warning(
            "the home folder lay at %s before and lies at %s now; %d places in MLflow's database were rewritten, and "
            "its models load from here",
            old.parent, artifact_root.parent, count,
        )  # fmt: skip


def make_whole(file: Path) -> None:
    """Make MLflow's tables where there are none, or where a killed process left a part of them and nothing in them.

    The file is made under another name and renamed, so that it appears whole. Call it under the lock of the file.

    Raises:
        MlflowException, OSError, sqlite3.Error: it cannot be made.
    """
    aside = file.with_name(f"{file.name}.new")
    _remove(aside)
    if file.exists() and not _is_half(file):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    _make(aside)
    _remove_journals(file)  # of a half; left to the new file they would be read as its own
    os.replace(aside, file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the rename itself must survive a power cut
    finally:
        os.close(folder)


def _make(file: Path) -> None:
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine_with_retry

    engine = create_sqlalchemy_engine_with_retry(f"sqlite:///{file}")
    try:
        _initialize_tables(engine)
    finally:
        engine.dispose()
    with closing(sqlite3.connect(file)) as connection:
        # readers and a writer do not wait for each other; all is in the one file once this connection is closed
        connection.execute("PRAGMA journal_mode=WAL")
    with open(file, "rb") as made:
        os.fsync(made.fileno())


def _is_half(file: Path) -> bool:
    """Whether the file's tables are not those of this MLflow, and nothing is in them that anybody wrote."""
    from mlflow.store.db.utils import _get_latest_schema_revision

    with closing(sqlite3.connect(file, timeout=30)) as connection:
        try:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            known = "alembic_version" in tables and connection.execute("SELECT version_num FROM alembic_version")
            if known and known.fetchall() == [(_get_latest_schema_revision(),)]:
                return False
            queries = [query for query in _CONTENT if query.split(" FROM ")[1].split(" ")[0] in tables]
            return not any(connection.execute(f"{query} LIMIT 1").fetchone() for query in queries)
        except sqlite3.DatabaseError:
            return False  # a damaged file: MLflow says what is wrong


def _remove(file: Path) -> None:
    _remove_journals(file)
    file.unlink(missing_ok=True)


def _remove_journals(file: Path) -> None:
    for ending in ("-journal", "-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)
