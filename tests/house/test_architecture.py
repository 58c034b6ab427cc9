"""The shape of the house: which room may know which, and what must not be imported on the way in."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("storage", "feedback", "monitoring", "training", "reports", "flows")
# The parts of a room, folders and the files beside them, from the ground up: imports go down the list, never up.
PARTS = {
    "feedback": (
        "values", "exact", "typed_values", "words_of_texts", "determination", "nested", "text_table", "chunks", "times",
        "row_ids", "ratings", "class_rules", "labels", "unmatched_labels", "schema_check", "number_notation",
        "missing_marks", "columns", "formats", "readers", "validation", "plain_rows", "frames", "feedback_rows",
        "feedback_items", "annotators", "taken_files", "intake", "sources", "quarantine", "inference",
    ),
    "monitoring": (
        "stats", "causes", "severity", "distribution", "check", "window", "lateness", "data_difference", "comparison",
        "signals", "answer_quality", "growth", "trouble", "policy", "incidents", "report",
    ),
    "training": (
        "serving", "candidates", "models", "evaluation", "search", "artifacts", "trainers", "hosts", "registry", "gate",
    ),
    "flows": (
        "channel_settings", "alert_settings", "mail_settings", "place_settings", "settings_faults", "settings_secrets",
        "settings", "environment", "garbage", "app", "check", "alert", "sources", "train", "gate", "promote", "audit",
        "erase", "admin", "site", "cycle", "replay", "serve", "cli", "demo",
    ),
}  # fmt: skip
LONGEST = 300  # lines of a file; longer is two ideas, but for these
LONG_FOR_A_CAUSE = {
    "training/search.py": "one race: candidates, rungs and the time limit are judged together",
}
# Named alike on purpose: the logger, and how each file of the command line registers its commands.
SHARED_NAMES = {"log", "add_to"}
TABLES = tuple(
    ROOT / "storage" / name
    for name in ("tables.py", "alert_tables.py", "sources/source_tables.py", "trainers/trainer_tables.py")
)
RUN = "run"  # what a part of the loop is called by: check/run.py, train/run.py, cycle/run.py
SLOW = {"evidently", "mlflow", "prefect", "prefect_email", "sklearn"}
# Prefect's own entry to the flow, and what only it and the runner import; everybody else imports Prefect in functions.
PREFECT_ENTRIES = tuple(
    ROOT / "flows" / "serve" / name for name in ("cycle_flow.py", "forked_run.py", "stale_runs.py", "warm_runner.py")
)
SERVING = ROOT / "training" / "serving"  # trueup_model: estimators are scikit-learn's classes


@cache
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


def parts_imported(file: Path, room: str) -> set[str]:
    """The parts of `room` that a file imports from."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            steps = name.replace("trueup_model", "trueup.training.serving").split(".")
            if steps[:2] == ["trueup", room] and len(steps) > 2:
                found.add(steps[2])
    return found


@pytest.mark.parametrize("room", PARTS)
def test_imports_go_down_the_parts_of_a_room(room: str) -> None:
    """Within a room no part imports one above it, and every part has its place in the order."""
    order = PARTS[room]
    for file in (ROOT / room).rglob("*.py"):
        if file.parent == ROOT / room and file.stem == "__init__":
            continue
        own = file.relative_to(ROOT / room).parts[0].removesuffix(".py")
        allowed = set(order[: order.index(own) + 1])
        wrong = parts_imported(file, room) - allowed
        assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}"


def test_only_the_command_line_knows_the_public_face() -> None:
    """`trueup/` stands above every room but `flows/cli`, which is built on it."""
    face = {file.stem for file in (ROOT / "trueup").glob("*.py")} - {"__init__"}
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            if file.parent != ROOT / "flows" / "cli":
                wrong = {name for name, _ in imports(file)} & (face | {"trueup"}) - typing_only(file)
                assert not wrong, f"{file.relative_to(ROOT)} imports {wrong} of the public face"


def public_names(file: Path) -> set[str]:
    """What a file defines at its top level, but for what begins with an underscore."""
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return {name for name in found if not name.startswith("_")}


def test_a_public_name_means_one_thing() -> None:
    """No two files define the same name.

    Left out are migrations, which define what alembic calls; the tables of the store, which are always named with
    their module (`t.labels`); and commands, which are named as what they do.
    """
    exempt = (ROOT / "storage" / "migrations", ROOT / "flows" / "cli")
    defined: dict[str, list[str]] = {}
    for room in (*ROOMS, "trueup"):
        for file in (ROOT / room).rglob("*.py"):
            if not any(folder in file.parents for folder in exempt) and file not in TABLES:
                for name in public_names(file) - SHARED_NAMES:
                    defined.setdefault(name, []).append(str(file.relative_to(ROOT)))
    assert not {name: files for name, files in defined.items() if len(files) > 1}


@pytest.mark.parametrize("room", ROOMS)
def test_no_two_files_of_a_room_have_one_name(room: str) -> None:
    """A file is found by its name, but for `run` and the files of the command line, named as what they call."""
    stems = [
        file.stem
        for file in (ROOT / room).rglob("*.py")
        if file.stem not in ("__init__", RUN) and file.parent != ROOT / "flows" / "cli"
    ]
    assert sorted(stems) == sorted(set(stems))


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
            if str(file.relative_to(ROOT)) not in LONG_FOR_A_CAUSE:
                assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST, file


def test_no_address_or_machine_path_stands_in_the_project() -> None:
    """Locked dependencies are versions; no index address, no path of a machine."""
    locked = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in locked
    assert " @ " not in locked
    assert all("==" in line for line in locked.split())
