"""A real MLflow server in a process of its own, whose mood a test sets: open, behind a login, failing, slow or down."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
NAME, PASSWORD = "ann", "open sesame"
LOGIN = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
PATIENT = "60"  # seconds, for a machine that is busy with other tests
_SLOW_AT_FIRST = "/api/2.0/mlflow/experiments/search?max_results=1"
_LOGIN = "Basic " + base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()


@dataclass(frozen=True)
class MlflowForTests:
    """Its address, and the file that says how it answers from now on."""

    url: str
    mood: Path

    def is_now(self, mood: str) -> None:
        """`open`, `login`, `fails` (500), `slow` (no answer while a test lasts), or `tells` (names the password)."""
        self.mood.write_text(mood)


def start(folder: Path) -> tuple[MlflowForTests, Callable[[], None]]:
    """The server on a free port, its state in `folder`; and how to end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = MlflowForTests(f"http://127.0.0.1:{port}", folder / "mood")
    server.is_now("open")
    child = os.fork()
    if child == 0:
        try:
            _serve(folder, port)
        finally:
            os._exit(0)
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{server.url}{_SLOW_AT_FIRST}", timeout=60).read()  # makes its tables
            break
        except OSError:
            time.sleep(0.05)

    def end() -> None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    return server, end


def trained_under_login(server: MlflowForTests, folder: Path) -> Path:
    """The folder of a deployment, its names on the server beginning with `shop-`, with a champion."""
    from tests.flows.test_commands import Shell
    from tests.made_deployments import ONE_CANDIDATE, TRAINED, deployed

    deployed(folder, more=ONE_CANDIDATE + tracking(server.url)).close()
    server.is_now("login")
    given = dict(zip((*LOGIN, TIMEOUT), (NAME, PASSWORD, PATIENT), strict=True))
    os.environ |= given
    try:
        done = Shell(folder)(f"train -s reviews --as-of {TRAINED:%Y-%m-%dT%H:%M:%SZ}")
    finally:
        for name in given:
            del os.environ[name]
        server.is_now("open")
    (folder / "train.out").write_text(done.out)
    (folder / "train.err").write_text(done.err)
    return folder


def tracking(address: str, prefix: str = "shop-") -> str:
    """The settings of a deployment that keeps its models on the server."""
    return f'\n[tracking]\nuri = "{address}"\nprefix = "{prefix}"\n'


def _serve(folder: Path, port: int) -> None:
    store = f"sqlite:///{folder / 'server.db'}"
    os.environ |= {  # as `mlflow server` sets them
        "_MLFLOW_SERVER_FILE_STORE": store,
        "_MLFLOW_SERVER_REGISTRY_STORE": store,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "kept"),
    }
    import logging

    import mlflow
    from mlflow.server import app
    from werkzeug.serving import make_server

    mlflow.set_tracking_uri(store)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    made = make_server("127.0.0.1", port, _Mood(app, folder / "mood"), threaded=True)
    made.serve_forever()


class _Mood:
    """The application behind what the file says."""

    def __init__(self, app: Any, file: Path) -> None:
        self.app = app
        self.file = file

    def __call__(self, environ: dict[str, Any], answer: Callable[..., Any]) -> Iterable[bytes]:
        mood = self.file.read_text()
        if mood == "slow":
            time.sleep(60)
        if mood == "fails":
            answer("500 Internal Server Error", [("Content-Type", "text/plain")])
            return [b"out of order"]
        if mood == "tells":
            answer("400 Bad Request", [("Content-Type", "application/json")])
            return [json.dumps({"error_code": "INVALID_PARAMETER_VALUE", "message": f"not {PASSWORD}"}).encode()]
        if mood == "login" and environ.get("HTTP_AUTHORIZATION") != _LOGIN:
            answer("401 Unauthorized", [("Content-Type", "text/plain"), ("WWW-Authenticate", 'Basic realm="mlflow"')])
            return [b"You are not authenticated."]
        return self.app(environ, answer)
