"""Evidently's own UI on our workspace, read back over HTTP; `trueup ui` on loopback, read-only unless asked."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import trueup
from tests.made_checks import EVIL, store_check
from tests.made_deployments import SETTINGS
from trueup.flows.app import App, open_app
from trueup.monitoring.report.workspace.runs import METRIC_TYPE
from trueup.storage.errors import InputError, UsageError

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.whole_reports]

PATIENCE = 200.0  # seconds; a crowded machine imports Evidently slowly


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A deployment of one stream with two stored checks, the newer with Evidently's plots."""
    (tmp_path / "trueup.toml").write_text(SETTINGS.format(window=400))
    app = open_app(tmp_path / "trueup.toml", None)
    store_check(app, "reviews", 0, plots=False)
    store_check(app, "reviews", 1)
    yield app
    app.close()


def asked(url: str, *, method: str = "GET", body: Any = None, host: str = "") -> Any:
    """The JSON that an address answers with."""
    headers = {"content-type": "application/json"} | ({"Host": host} if host else {})
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def refused(url: str, **how: Any) -> int:
    """The status with which an address refuses."""
    with pytest.raises(urllib.error.HTTPError) as error:
        asked(url, **how)
    return error.value.code


def until(what: Callable[[], Any]) -> Any:
    """What is asked for, once it is there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if found := what():
                return found
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError("it did not come in time")


def series_of(url: str, project: str, key: str, code: str) -> list[float]:
    """The line that a panel draws of a figure."""
    wanted = {"tags": [], "metadata": {}, "metric": METRIC_TYPE, "metric_labels": {"key": key, "code": code}}
    found = asked(
        f"{url}/api/v2/snapshots/{project}/data_series_batch", method="POST", body={"series_filter": [wanted]}
    )
    (line,) = found["series"]
    return list(line["values"])


@contextmanager
def evidently_ui(workspace: Path) -> Iterator[str]:
    """`evidently ui` as people start it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "DO_NOT_TRACK": "1"}
    command = [sys.executable, "-m", "evidently.cli", "ui", "--workspace", str(workspace), "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_evidently_ui_shows_runs_and_lines_and_sees_a_new_check(app: App, tmp_path: Path) -> None:
    """Its own command reads projects, runs, dashboard and lines; a check that is exported meanwhile comes up whole."""
    workspace = tmp_path / "ws"
    with trueup.open(tmp_path / "trueup.toml") as deployment:
        (done,) = deployment.reports.export_workspace(workspace)
        assert (done.runs, done.written, done.without_plots) == (2, 2, 1)
        project = done.project_id
        with evidently_ui(workspace) as url:
            (seen,) = until(lambda: asked(f"{url}/api/v2/projects"))
            assert (seen["id"], seen["name"]) == (project, "reviews")
            runs = {run["timestamp"][:10]: run for run in asked(f"{url}/api/projects/{project}/snapshots")}
            assert runs["2024-01-06"]["name"] == "2024-01-06 00:00 UTC: DRF-TEXT breached"
            assert {"reviews", "champion v1", "counted", "breached"} <= set(runs["2024-01-06"]["tags"])
            assert "provisional" in runs["2024-01-13"]["tags"]
            dashboard = asked(f"{url}/api/v2/dashboards/{project}")
            assert "Metric, measured and estimated" in {panel["title"] for panel in dashboard["panels"]}
            assert series_of(url, project, "value", "PRF-METRIC") == [0.9, 0.89]
            assert series_of(url, project, "check", "drift share") == [0.5, 0.5]
            page = f"{url}/api/projects/{project}/{runs['2024-01-13']['id']}/download?report_format=html"
            with urllib.request.urlopen(page, timeout=60) as answer:
                assert EVIL.encode() not in answer.read()
            store_check(app, "reviews", 2, plots=False)
            (later,) = deployment.stream("reviews").reports.export_workspace(workspace)
            assert later.written == 1
            until(lambda: len(series_of(url, project, "value", "PRF-METRIC")) == 3)
            assert series_of(url, project, "value", "PRF-METRIC") == [0.9, 0.89, 0.88]


@contextmanager
def trueup_ui(folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`trueup ui`, and the address that it tells."""
    command = [sys.executable, "-m", "trueup.flows.cli.main", "ui", "--json", "--config", str(folder / "trueup.toml")]
    process = subprocess.Popen(
        [*command, *more],
        stdout=subprocess.PIPE,
        text=True,
        # a shell starts what runs in its background deaf to Ctrl-C, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stdout
        said = ""
        while not said.endswith("}\n"):
            line = process.stdout.readline()
            assert line, "it ended"
            said += line
        yield process, json.loads(said)["url"]
    finally:
        process.kill()
        process.wait()


def test_trueup_ui_is_read_only_local_and_stops_on_ctrl_c(app: App, tmp_path: Path) -> None:
    """It answers to this machine's names alone, refuses to delete, and ends with its child and status 0."""
    with trueup_ui(tmp_path, "--port", "0") as (process, url):
        (project,) = asked(f"{url}/api/v2/projects")
        assert len(asked(f"{url}/api/projects/{project['id']}/snapshots")) == 2
        assert refused(f"{url}/api/projects/{project['id']}", method="DELETE") == 403
        assert refused(f"{url}/api/v2/projects", host="evil.example") == 400
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        with pytest.raises(OSError):
            asked(f"{url}/api/v2/projects")


def test_edit_lifts_the_lock(app: App, tmp_path: Path) -> None:
    """With --edit people may change the dashboard in the UI; their panel stays when checks are exported again."""
    with trueup_ui(tmp_path, "--port", "0", "--edit") as (_, url):
        (project,) = asked(f"{url}/api/v2/projects")
        place = f"{url}/api/v2/dashboards/{project['id']}"
        held = asked(place)
        own = {**held["panels"][0], "id": "0190b0e0-0000-7000-8000-000000000000", "title": "mine"}
        asked(place, method="POST", body={**held, "panels": [own]})
        with trueup.open(tmp_path / "trueup.toml") as deployment:
            deployment.reports.export_workspace(app.home / "evidently-ui")
        kept = asked(place)["panels"]
        assert {panel["title"] for panel in held["panels"]} < {panel["title"] for panel in kept}
        assert own in kept


def test_a_taken_port_is_said_plainly(app: App, tmp_path: Path) -> None:
    """A port that somebody else has is named, with what to do, before anything is written."""
    with socket.socket() as taken, trueup.open(tmp_path / "trueup.toml") as deployment:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match=r"Port \d+ of 127\.0\.0\.1 cannot be used"):
            deployment.ui(port=taken.getsockname()[1])
        assert not (app.home / "evidently-ui").exists()
        with pytest.raises(UsageError):
            deployment.reports.export_workspace(tmp_path / "ws", last=0)
