"""The login of an MLflow server from a Prefect block."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trueup.flows.app import open_app
from trueup.storage import secrets
from trueup.storage.errors import ConfigError
from trueup.storage.secrets import without_secrets

SETTINGS = """
[streams.s]
time = "at"
numeric = ["x"]
[streams.s.label]
column = "y"
[tracking]
uri = "http://127.0.0.1:9"
block = "mlflow"
"""


class Saved:
    """A block as Prefect gives it."""

    def __init__(self, value: object) -> None:
        self.value = value

    def get(self) -> object:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch, value: object) -> None:
    from prefect.blocks.system import Secret

    monkeypatch.setattr(secrets, "_known", set())
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "before")
    monkeypatch.setattr(Secret, "load", lambda name: {"mlflow": Saved(value)}[name])
    (folder / "trueup.toml").write_text(SETTINGS)
    assert open_app(folder / "trueup.toml", folder / ".trueup").registry.uri == "http://127.0.0.1:9"


def test_the_blocks_login_is_mlflows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reaches MLflow by its own variables, and no text."""
    opened(tmp_path, monkeypatch, {"username": "ann", "password": "open sesame"})
    assert (os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"]) == ("ann", "open sesame")
    assert without_secrets("with open sesame") == "with ***"


@pytest.mark.parametrize("value", ["a token", {"user": "ann"}, ValueError("Unable to find block document")])
def test_a_block_without_a_login_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: object) -> None:
    """What it lacks and what to do, and MLflow's variables stay."""
    with pytest.raises(ConfigError, match=r"\[tracking\] block = 'mlflow'.*(Save it)"):
        opened(tmp_path, monkeypatch, value)
    assert os.environ["MLFLOW_TRACKING_USERNAME"] == "before"
