"""Where MLflow's tables say that files lie: followed when a home moves, and never beyond this deployment's own folder.

MLflow holds absolute paths. They stay absolute, so that a service resolves `models:/S@champion` by MLflow alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from urllib.parse import urlparse

from trueup.storage.errors import ModelUnusable

MODEL_FILE = "model.skops"
_WAIT_S = 30.0  # for a writer
# Columns that begin with a place, as a URI
_PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def local_path(place: str) -> Path | None:
    """The path on this machine that a place of MLflow's names; None where it lies elsewhere."""
    if urlparse(place).scheme not in ("", "file"):
        return None
    from mlflow.utils.file_utils import local_file_uri_to_path

    return Path(local_file_uri_to_path(place))


def is_within(root: Path, place: Path) -> bool:
    """Whether a run's or a model's folder, all links followed, lies in a stream's folder below `root`."""
    resolved = place.resolve()
    return resolved.is_relative_to(root.resolve()) and len(resolved.relative_to(root.resolve()).parts) > 2


def need_within(root: Path, name: str, version: int, place: str) -> None:
    """Refuse a place on this machine that leads out of the deployment's own models, or whose model's file does.

    Raises:
        ModelUnusable: it does.
    """
    folder = local_path(place)
    if folder is not None and not (is_within(root, folder) and is_within(root, folder / MODEL_FILE)):
        raise ModelUnusable(
            f"Version {version} of '{name}' is said to lie at '{place}', outside of this deployment's models "
            f"('{root}'), so it was not read and answers nothing. If these files are yours, copy them there and train "
            f"or roll back: trueup models rollback --to VERSION --stream {name} --why '...'"
        )


def follow_move(database: Path, root: Path, former: Collection[Path] | None = None) -> dict[Path, int]:
    """Rewrite what MLflow's SQLite file records of a former artifact root to today's, in one transaction.

    The former roots are read from the experiments `trueup-<stream>`, whose location is a folder of the stream's name.

    Args:
        root: today's artifact root.
        former: roots that were this deployment's, where others keep theirs in the same file; None: all are its own.

    Returns:
        For each former root how many places were rewritten.

    Raises:
        sqlite3.Error: the file cannot be read or written; it is as it was.
    """
    with closing(sqlite3.connect(database, timeout=_WAIT_S, isolation_level=None)) as connection:
        if not _recorded_roots(connection, root, former):
            return {}
        connection.execute("BEGIN IMMEDIATE")
        try:
            # looked up again: another process may have been first
            found = {old: _rewrite(connection, old, root) for old in _recorded_roots(connection, root, former)}
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    return found


def _recorded_roots(connection: sqlite3.Connection, root: Path, former: Collection[Path] | None) -> list[Path]:
    found = set()
    for name, place in connection.execute("SELECT name, artifact_location FROM experiments"):
        path = local_path(place or "")
        if path is not None and path.is_absolute() and name.endswith(f"trueup-{path.name}") and path.parent != root:
            found.add(path.parent)
    return sorted(found if former is None else found & set(former))


def _rewrite(connection: sqlite3.Connection, old: Path, new: Path) -> int:
    was, now = old.as_uri() + "/", new.as_uri() + "/"
    changed = 0
    for table, column in _PLACES:
        changed += connection.execute(
            f'UPDATE "{table}" SET "{column}" = ? || substr("{column}", ?) WHERE substr("{column}", 1, ?) = ?',
            [now, len(was) + 1, len(was), was],
        ).rowcount
    return changed + _rewrite_sources(connection, old.parent, new.parent)


def _rewrite_sources(connection: sqlite3.Connection, old: Path, new: Path) -> int:
    """The same for the snapshots of data sets, which lie in the home's archive and stand in JSON."""
    was, changed = f"{old / 'archive'}/", 0
    for key, text in connection.execute("SELECT dataset_uuid, dataset_source FROM datasets").fetchall():
        source = _object(text)
        place = str(source.get("uri", ""))
        moved = new / "archive" / place.removeprefix(was)
        if place.startswith(was) and moved.exists():
            told = json.dumps({**source, "uri": str(moved)})
            connection.execute("UPDATE datasets SET dataset_source = ? WHERE dataset_uuid = ?", [told, key])
            changed += 1
    return changed


def _object(text: str | None) -> dict[str, object]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
