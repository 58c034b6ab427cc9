"""One door to the store on SQLite: its file is opened by the standard library's sqlite3, in storage/ alone.

Where another library, or a plain `open()`, closes the file, the process loses the locks that it holds on it: two
commits say that they are done, and one row is gone.
"""

from __future__ import annotations

import ast
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.made_deployments import BROKEN, ONE_CANDIDATE, TRAINED, WEEK, take_in, with_champion

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("storage", "feedback", "monitoring", "training", "reports", "flows", "trueup")
FILE = "trueup.db"
# Other libraries that open a file of SQLite's by a copy of SQLite of their own.
OTHERS = {"adbc_driver_manager", "adbc_driver_sqlite", "apsw", "pysqlite3", "sqlean", "aiosqlite", "libsql", "polars"}
# Who makes engines: the store's own, and that of a source, which the store can never be.
ENGINES = {"storage/database.py", "feedback/sources/sql_place.py"}
# Who connects by sqlite3 itself: to a source, read only, to MLflow's file, and to the store to empty its log, which a
# second connection of the same library may do.
CONNECT = {
    "storage/erasure/sqlite_files.py",
    "feedback/sources/sql_place.py",
    "training/registry/local_store.py",
    "training/registry/local_tables.py",
    "training/registry/artifact_paths.py",
}
# Who names the file: who opens it, who tells where it is, and what is said to people.
NAME_IT = {"storage/database.py", "flows/app.py"}
# Who copies files in this process: models and their code, a streamed file, an Evidently workspace, a demo's settings.
COPY = {
    "feedback/readers.py",
    "flows/demo/run.py",
    "monitoring/report/workspace/folder.py",
    "training/hosts/model_folder.py",
    "training/registry/tracking.py",
}


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            if "versions" not in file.parts:
                yield str(file.relative_to(ROOT)), ast.parse(file.read_text(encoding="utf-8"))


def _imported(tree: ast.Module) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


def _called(tree: ast.Module) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_only_the_door_opens_copies_or_hashes_the_store() -> None:
    """No second library of SQLite, no engine or connection elsewhere, and nobody else knows the file by its name."""
    for module, tree in _modules():
        assert not OTHERS & _imported(tree), module
        called = _called(tree)
        if module not in ENGINES:
            assert not {name for name in called if name.endswith("create_engine")}, module
        if module not in CONNECT:
            assert "sqlite3.connect" not in called, module
        if module not in COPY:
            assert not {name for name in called if name.startswith(("shutil.copy", "shutil.move"))}, module
        if module not in NAME_IT:
            paths = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value == FILE]
            assert not paths, module


# ---- while a deployment is at work ----


def _watch(home: Path, seen: list[str]) -> None:
    """Note whatever Python code in this process opens or copies the store's file, for good; sqlite3 opens it in C."""
    files = {str(home / f"{FILE}{end}") for end in ("", "-wal", "-shm", "-journal")}

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event not in ("open", "shutil.copyfile") or not args:
            return
        if isinstance(args[0], str | bytes | os.PathLike) and os.path.abspath(os.fsdecode(args[0])) in files:
            frame = sys._getframe(1)
            seen.append(f"{event}: {args[0]!r} in {frame.f_code.co_filename}:{frame.f_lineno}")

    sys.addaudithook(hook)


def test_a_plain_open_would_be_seen(tmp_path: Path) -> None:
    """The watch of the next test sees an `open()`, and not the door itself."""
    from trueup.storage.database import open_database

    open_database("", tmp_path).close()

    def work(seen: list[str]) -> None:
        open_database("", tmp_path).close()
        assert seen == []
        (tmp_path / FILE).read_bytes()
        assert len(seen) == 1

    _watched(tmp_path, work)


@pytest.mark.slow
def test_no_command_opens_the_store_but_by_its_door(tmp_path: Path) -> None:
    """A cycle that trains, a replay, and whatever reads, verifies, exports or prunes."""
    from tests.flows.test_commands import Shell
    from trueup.flows.app import open_app
    from trueup.flows.cli.main import MODULES
    from trueup.flows.replay.run import replay

    app = with_champion(tmp_path, more=ONE_CANDIDATE)
    take_in(app, tmp_path, 2, TRAINED, WEEK, BROKEN)
    ids = app.reader.read(app.stream("reviews"), as_of=TRAINED).meta["id"]
    app.close()
    past = tmp_path / "past.csv"
    past.write_text((tmp_path / "1.csv").read_text() + (tmp_path / "2.csv").read_text().partition("\n")[2])
    as_of = f"{TRAINED + WEEK:%Y-%m-%dT%H:%M:%SZ}"
    commands = [
        f"ingest {tmp_path / '2.csv'} -s reviews", f"cycle -s reviews --as-of {as_of}", "status", "doctor",
        "models verify -s reviews", f"export -s reviews --to {tmp_path / 'out'}", "prune -s reviews",
        "models history -s reviews",
    ]  # fmt: skip
    if "erase" in MODULES:
        commands.append(f"erase -s reviews --record {ids.iloc[0]} --why 'asked for' --yes")

    def work(seen: list[str]) -> None:
        for words in commands:
            Shell(tmp_path)(words)
            assert seen == [], words
        deployment = open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")
        stream = deployment.stream("reviews")
        assert replay(deployment, stream, str(past), start=TRAINED, every=400, baselines=()).policies
        deployment.close()
        assert seen == [], "replay"

    _watched(tmp_path / ".trueup", work)


def _watched(home: Path, work: Any) -> None:
    """Do the work in a process of its own, since a hook stays for good."""
    child = os.fork()
    if child == 0:
        seen: list[str] = []
        try:
            _watch(home, seen)
            work(seen)
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the child ends here, whatever happened, and says it
            traceback.print_exc()
            print(*seen, sep="\n", file=sys.stderr, flush=True)
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
