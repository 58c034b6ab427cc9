"""Light commands start light: what they import, and what that costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.startup import COMMANDS, heavy_imports, looked_at_in_the_end, measure
from tests.former_deployment import unpacked

pytestmark = pytest.mark.long

INCOMING = """review_id,at,text,stars
new-1,2024-02-01 10:00:00,one,5
new-2,2024-02-01 10:01:00,"in ""quotes"", and
two lines",1
new-3,never,refused,1
new-1,2024-02-01 10:00:00,one,5
"""
BOUND = 2.0  # times the processor time of `python -c "import typer, sqlalchemy"`


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment with a champion, reports, incidents and mails."""
    return unpacked(tmp_path_factory.mktemp("startup"))


@pytest.mark.parametrize("command", [*COMMANDS, "status --json", "doctor -h", "train -h"])
def test_a_light_command_imports_nothing_heavy(folder: Path, command: str) -> None:
    """Neither pandas, pyarrow, numpy, MLflow, scikit-learn nor Evidently, by the end of the command."""
    assert heavy_imports(folder, command) == set()


def test_an_ingest_imports_no_pandas(folder: Path) -> None:
    """Of a CSV file into a store that stands: plain rows, one read by itself, one refused, one stored before."""
    (folder / "new.csv").write_text(INCOMING, encoding="utf-8")
    imported = heavy_imports(folder, "ingest new.csv -s reviews --json")
    assert imported == {"pyarrow", "numpy"}


def test_a_command_ends_without_a_last_search_for_garbage(folder: Path) -> None:
    """It is a sixth of what a small ingest costs, and all that it could free is the system's a moment later."""
    assert looked_at_in_the_end(folder, "--version") == 0


@pytest.mark.slow
def test_what_is_heavy_would_be_seen(folder: Path) -> None:
    """A command that reads records does import pandas, and is found out."""
    assert "pandas" in heavy_imports(folder, "predict -s reviews --json")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_light_command_costs_little(folder: Path) -> None:
    """At most twice what importing typer and SQLAlchemy costs, as the median of pairs measured in turn."""
    for cost in measure(folder, pairs=9):
        assert cost.median <= BOUND, cost
