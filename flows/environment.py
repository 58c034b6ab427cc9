"""The environment that Prefect, MLflow and Matplotlib read on import: quiet, offline, and inside the home folder."""

from __future__ import annotations

import os
from pathlib import Path


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
        "DO_NOT_TRACK": "true",  # MLflow understands "true", not "1"
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MPLCONFIGDIR": str(home.resolve() / "matplotlib"),  # its list of fonts; the user's own folder may be read-only
    }
    for name, value in wanted.items():
        os.environ.setdefault(name, value)
