"""The variables that MLflow reads: quiet, offline, and no wait without a limit."""

from __future__ import annotations

import os

_ALWAYS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # read at import, as the next
    "DO_NOT_TRACK": "true",  # MLflow understands "true", not "1"
}
_UNLESS_SET = {
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # a line for each run, amid a command's own answer
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # Its own limits are 120 seconds and seven more tries for each of some sixty requests of a training.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "8",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # a server that is just starting is asked again by `MlflowServer`
}


def prepare_mlflow() -> None:
    """Set them, in this process and those that it starts; but for tracking, what a person set already stands.

    To be called before `mlflow` is first imported.
    """
    os.environ.update(_ALWAYS)
    for name, value in _UNLESS_SET.items():
        os.environ.setdefault(name, value)
