"""What jobs of a team need: another interpreter, and weights to fine-tune; and a server of Prefect."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.made_deployments import START
from tests.made_trainers import EXAMPLES
from tests.training.conftest import other_python
from trueup.flows.demo.reviews import HEALTHY, make_reviews

__all__ = ["base_weights", "other_python"]


@pytest.fixture(scope="session")
def base_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Base weights that the example made of texts of earlier years, without labels."""
    folder = tmp_path_factory.mktemp("base")
    texts = make_reviews(9, START - timedelta(days=365), 30, 400, HEALTHY)["text"]
    (folder / "texts.txt").write_text("\n".join(" ".join(text.split()) for text in texts), encoding="utf-8")
    command = [sys.executable, str(EXAMPLES / "fine_tune.py"), "--base", "texts.txt", "base.npz"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "base.npz"


@pytest.fixture
def base_weights(base_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Base weights, which the environment names."""
    monkeypatch.setenv("BASE_WEIGHTS", str(base_file))
    return base_file


@pytest.fixture(scope="module")
def prefect_api() -> Iterator[str]:
    """A Prefect server, and its address in this process's environment."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=150):
        from prefect.settings import PREFECT_API_URL

        yield PREFECT_API_URL.value()
