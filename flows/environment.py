"""The environment that Prefect, MLflow and Matplotlib read: quiet, offline, inside the home folder, and the login."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from trueup.storage.errors import ConfigError
from trueup.storage.secrets import remember
from trueup.training.registry.mlflow_variables import prepare_mlflow
from trueup_model.weights import WEIGHTS_VARIABLE


def prepare(home: Path) -> None:
    """Set what Prefect and MLflow read on import; what the person running trueup set already stands.

    Prefect's database, profiles and copies of its console's files go to `<home>/prefect`. Nothing is sent to anybody.
    To be called before `prefect` is first imported; child processes inherit it.
    """
    folder = home.resolve() / "prefect"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {
        "PREFECT_HOME": str(folder),
        "PREFECT_UI_STATIC_DIRECTORY": str(folder / "ui"),  # the installation may be read-only
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "MPLCONFIGDIR": str(home.resolve() / "matplotlib"),  # its list of fonts; the user's own folder may be read-only
    }
    for name, value in wanted.items():
        os.environ.setdefault(name, value)
    prepare_mlflow()


def name_weights(file: str) -> None:
    """Tell models where the weights of one's own are; child processes inherit it. Empty: the extra's are used.

    Raises:
        ConfigError: there is no such file.
    """
    if file and not Path(file).is_file():
        raise ConfigError(
            f"[embeddings] weights: there is no file '{file}', so no text could be read by it. Name the ONNX file, or "
            "leave it out for the weights of the extra `embeddings`."
        )
    if file:
        os.environ[WEIGHTS_VARIABLE] = file


def log_in_to_mlflow(block: str) -> None:
    """Give MLflow the login that the block holds; child processes inherit it.

    Raises:
        ConfigError: the block cannot be loaded, or holds no login.
    """
    held = secret_in_block(
        block,
        "[tracking]",
        "so there is no login for the MLflow server. Save it in Prefect, or leave block out and set "
        "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.",
    )
    if not isinstance(held, dict) or not {"username", "password"} <= held.keys():
        raise ConfigError(
            f"[tracking] block = '{block}': this Prefect block holds no login. Save it with the value "
            '{"username": "...", "password": "..."}.'
        )
    remember([str(held["password"])])
    os.environ["MLFLOW_TRACKING_USERNAME"] = str(held["username"])
    os.environ["MLFLOW_TRACKING_PASSWORD"] = str(held["password"])


def secret_in_block(block: str, table: str, otherwise: str) -> Any:
    """What a saved Prefect block of the kind `Secret` holds.

    table: whose `block` it is. otherwise: what its lack means, and what to do.

    Raises:
        ConfigError: it cannot be loaded.
    """
    from httpx import HTTPError
    from prefect.blocks.system import Secret

    try:
        return Secret.load(block).get()
    except (ValueError, RuntimeError, OSError, HTTPError) as error:
        raise ConfigError(
            f"{table} block = '{block}': this Prefect block of kind secret cannot be loaded ({error}), {otherwise}"
        ) from error
