"""The shape of the house: which room may know which, and what must not be imported on the way in."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("storage", "feedback", "monitoring", "training", "reports", "flows")
SLOW = {"evidently", "mlflow", "prefect", "prefect_email", "sklearn"}
# Prefect's own entry to the flow, and what only it and the runner import; everybody else imports Prefect in functions.
PREFECT_ENTRIES = tuple(
    ROOT / "flows" / "serve" / name for name in ("cycle_flow.py", "forked_run.py", "stale_runs.py", "warm_runner.py")
)
SERVING = ROOT / "training" / "serving"  # trueup_model: estimators are scikit-learn's classes


def imports(file: Path) -> list[tuple[str, bool]]:
    """Every imported package of a file, and whether it is imported with the module (not in a function).

    A room is named by itself, whatever of it is imported; every other package by its first name.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inner = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    found = []
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        found += [(package_of(name), id(node) not in inner) for name in names]
    return found


def package_of(module: str) -> str:
    """`trueup.storage.cycles` → `storage`; `sklearn.base` → `sklearn`."""
    first, _, rest = module.partition(".")
    return rest.split(".")[0] if first == "trueup" and rest else first


def typing_only(file: Path) -> set[str]:
    """Packages imported under TYPE_CHECKING, which are never imported when the program runs."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        (node.module or "").split(".")[0]
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
    }


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_down_the_rooms(room: str) -> None:
    """No room imports one above it, and monitoring and training do not know each other."""
    allowed = set(ROOMS[: ROOMS.index(room) + 1])
    allowed -= {"training": {"monitoring"}, "monitoring": {"training"}}.get(room, set())
    for file in (ROOT / room).rglob("*.py"):
        wrong = {name for name, _ in imports(file) if name in ROOMS} - allowed
        assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}"


def test_slow_libraries_are_imported_where_they_are_used() -> None:
    """Evidently, MLflow, Prefect and scikit-learn are imported inside functions, so that light commands start fast."""
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            if file in PREFECT_ENTRIES or SERVING in file.parents:
                continue
            wrong = {name for name, at_top in imports(file) if at_top} & SLOW - typing_only(file)
            assert not wrong, f"{file.relative_to(ROOT)} imports {wrong} when it is imported"


def test_light_commands_import_nothing_slow() -> None:
    """`trueup --help` and the store load none of the slow libraries."""
    code = f"import sys, trueup.flows.cli.main, trueup.flows.app; print({SLOW!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "set()"


def test_scheduling_is_prefects() -> None:
    """APScheduler is neither a dependency nor imported."""
    files = [*(f for room in ROOMS for f in (ROOT / room).rglob("*.py"))]
    assert not [f for f in files if any(name == "apscheduler" for name, _ in imports(f))]
    for name in ("pyproject.toml", "constraints.txt"):
        assert "apscheduler" not in (ROOT / name).read_text(encoding="utf-8").lower()


def test_files_say_what_they_hold() -> None:
    """No file is called utils, helpers or common, and none is two ideas long."""
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            assert file.stem not in {"utils", "util", "helpers", "common", "misc", "base"}
            assert len(file.read_text(encoding="utf-8").splitlines()) <= 400, file.name


def test_no_address_or_machine_path_stands_in_the_project() -> None:
    """Locked dependencies are versions; no index address, no path of a machine."""
    locked = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in locked
    assert " @ " not in locked
    assert all("==" in line for line in locked.split())
