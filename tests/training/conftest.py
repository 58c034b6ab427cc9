"""A model that a job of somebody else trained, once for all tests, and another interpreter than ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

OTHER_PYTHON = Path(__file__).resolve().parents[2] / ".venv-trainer" / "bin" / "python"
FOREIGN_JOB = Path(__file__).with_name("foreign_job.py")


@pytest.fixture(scope="session")
def trained_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its model, saved by our own interpreter; nobody writes into it."""
    return run_foreign_job(sys.executable, tmp_path_factory.mktemp("job") / "model")


@pytest.fixture(scope="session")
def other_python() -> str:
    """The interpreter of another environment, with another scikit-learn and another MLflow."""
    if not OTHER_PYTHON.exists():
        pytest.skip("there is no other environment; `make trainer-env` makes it")
    return str(OTHER_PYTHON)


def run_foreign_job(python: str, folder: Path, *behaviour: str) -> Path:
    """Train a model with an interpreter, as a team's own job does."""
    done = subprocess.run(
        [python, str(FOREIGN_JOB), str(folder), *behaviour], capture_output=True, text=True, cwd=folder.parent,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder
