"""Two `trueup serve` at once: each home has a server of its own, or the second is refused in one line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest
from filelock import FileLock

from tests.flows.test_schedule import PATIENCE, free_port, until
from trueup.flows.cli.main import cli
from trueup.flows.serve.prefect_server import listening

SETTINGS = """
[streams.{name}]
time = "at"
text = ["content"]
"""


def test_a_port_is_taken_from_the_moment_it_is_chosen() -> None:
    """Of two that want one port in the same second, the second gets another."""
    with listening(0) as first, listening(first.getsockname()[1]) as second:
        assert first.getsockname()[1] != second.getsockname()[1]


def test_a_second_schedule_of_one_home_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so in one line with status 1, and leaves the first alone."""
    (tmp_path / "trueup.toml").write_text(SETTINGS.format(name="one"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".trueup" / "prefect").mkdir(parents=True)
    with FileLock(tmp_path / ".trueup" / "prefect" / "serve.lock"), pytest.raises(SystemExit) as ended:
        cli(["serve", "--every", "60"])
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "runs the schedule of" in line


@pytest.mark.slow
def test_two_that_start_at_once_have_a_server_each(tmp_path: Path) -> None:
    """Two homes, one port, the same second: two servers, each with the one stream that is its own."""
    port = str(free_port())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "TRUEUP_"))}
    command = [sys.executable, "-c", "from trueup.flows.cli.main import main; main()", "serve", "--every", "600"]
    with ExitStack() as stack:
        served = {}
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            (folder / "trueup.toml").write_text(SETTINGS.format(name=name))
            log = stack.enter_context((folder / "log").open("wb"))
            served[name] = subprocess.Popen(
                command, cwd=folder, stdout=log, stderr=log, env={**kept, "TRUEUP_SERVE__PORT": port}
            )
            stack.callback(served[name].wait, PATIENCE)
            stack.callback(served[name].send_signal, signal.SIGTERM)
        urls = {name: until(lambda name=name: _url(tmp_path / name / "log"), f"a server of {name}") for name in served}  # type: ignore[misc]
        assert urls["one"] != urls["two"]
        for name, url in urls.items():
            assert _deployments(url) == [name]


def _url(log: Path) -> str | None:
    found = re.search(r"http://127\.0\.0\.1:\d+(?=\D*$)", log.read_text(encoding="utf-8"))
    return found[0] if found else None


def _deployments(url: str) -> list[str]:
    request = urllib.request.Request(
        f"{url}/api/deployments/filter", data=b"{}", headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return [one["name"] for one in json.loads(answer.read())]
