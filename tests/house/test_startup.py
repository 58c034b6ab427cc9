"""Light commands start light: what they import, and what that costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.startup import COMMANDS, heavy_imports, measure
from tests.former_deployment import unpacked

pytestmark = pytest.mark.long

BOUND = 2.0  # times the processor time of `python -c "import typer, sqlalchemy"`


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment with a champion, reports, incidents and mails."""
    return unpacked(tmp_path_factory.mktemp("startup"))


@pytest.mark.parametrize("command", [*COMMANDS, "status --json", "doctor -h", "train -h"])
def test_a_light_command_imports_nothing_heavy(folder: Path, command: str) -> None:
    """Neither pandas, pyarrow, numpy, MLflow, scikit-learn nor Evidently, by the end of the command."""
    assert heavy_imports(folder, command) == set()


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
