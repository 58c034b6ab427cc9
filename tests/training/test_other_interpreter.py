"""A model of another scikit-learn is answered by the interpreter that trained it, and refused by every other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.training.conftest import run_foreign_job
from trueup.storage.errors import ModelUnusable
from trueup.training.hosts.foreign_model import ForeignModel
from trueup.training.hosts.model_folder import folder_digest
from trueup.training.hosts.model_host import HostLimits, ModelHost

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ROWS = pd.DataFrame({"text": ["a good day", "an awful day", None], "number": [1.0, None, 2.0]})


@pytest.fixture(scope="session")
def trained_there(other_python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_foreign_job(other_python, tmp_path_factory.mktemp("there") / "model")


def _asked(folder: Path, python: str) -> ForeignModel:
    limits = HostLimits(memory=2 * 10**9, answer_s=60.0)
    host = ModelHost("v1 of 's'", folder, folder_digest(folder), python, limits, next_step="Mend it.")
    return ForeignModel(host, ("bad", "good"), frozenset({"number"}))


def test_the_interpreter_that_trained_it_answers(other_python: str, trained_there: Path) -> None:
    """Beside it a version of ours answers from its own process: neither meets the other's modules."""
    model = _asked(trained_there, other_python)
    assert list(model.predict(ROWS))[:2] == ["good", "bad"]
    model.host.close()


def test_another_scikit_learn_is_refused(trained_there: Path) -> None:
    """Its pinned requirements say so before a byte of the model is read."""
    with pytest.raises(ModelUnusable, match=r"made with .*scikit-learn 1\.3\.2 \(here "):
        _asked(trained_there, sys.executable).predict(ROWS)


def test_a_warning_of_another_version_refuses(trained_there: Path, tmp_path: Path) -> None:
    """Without pinned requirements scikit-learn only warns, and would answer without its weights."""
    subprocess.run(["cp", "-r", str(trained_there), str(tmp_path / "model")], check=True)
    for name in ("requirements.txt", "conda.yaml", "python_env.yaml"):
        (tmp_path / "model" / name).write_text("{}\n" if name.endswith("yaml") else "", encoding="utf-8")
    with pytest.raises(ModelUnusable, match=r"has not the libraries that it was trained with: .*1\.3\.2"):
        _asked(tmp_path / "model", sys.executable).predict(ROWS)


def test_another_python_is_refused(trained_there: Path, other_python: str, tmp_path: Path) -> None:
    """Before its pickle is read, which crashes where the Python is another."""
    subprocess.run(["cp", "-r", str(trained_there), str(tmp_path / "model")], check=True)
    file = tmp_path / "model" / "MLmodel"
    said = file.read_text(encoding="utf-8")
    here = ".".join(str(part) for part in sys.version_info[:2])
    assert f"python_version: {here}" in said
    file.write_text(said.replace(f"python_version: {here}", "python_version: 3.99"), encoding="utf-8")
    with pytest.raises(ModelUnusable, match=r"it was made with Python 3\.99, and this is Python"):
        _asked(tmp_path / "model", other_python).predict(ROWS)
