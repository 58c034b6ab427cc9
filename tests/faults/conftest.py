"""One deployment that is about to break, and a copy of it for each fault."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.made_deployments import ONE_CANDIDATE, about_to_break
from trueup.flows.app import App, open_app


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a deployment with a champion and a window of a new regime; nothing changes it."""
    folder = tmp_path_factory.mktemp("whole")
    about_to_break(folder, more=ONE_CANDIDATE).close()
    return folder


@pytest.fixture
def breaking(whole: Path, tmp_path: Path) -> Iterator[App]:
    """A copy of it; MLflow keeps whole paths, so its models lie in the first one."""
    folder = Path(shutil.copytree(whole, tmp_path / "deployment"))
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    yield app
    app.close()
