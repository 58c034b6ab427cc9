"""Nothing reaches beyond loopback: not the program, not its tests, not a dependency's telemetry.

The guard of tests/loopback_only is on in every test and every process that a test starts; a try fails the run even
where a library swallows the refusal (see `pytest_sessionfinish` in conftest.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONNECT = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"


def test_the_guard_is_on_here() -> None:
    """A connection to another machine is refused in the test process itself (192.0.2.0/24 is nobody's)."""
    import socket

    log = Path(os.environ["TRUEUP_TEST_NETWORK_LOG"])
    before = log.read_text() if log.exists() else ""
    with pytest.raises(PermissionError, match="only loopback"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    assert "192.0.2.1" in log.read_text()
    log.write_text(before)


def test_the_guard_is_on_in_child_processes(tmp_path: Path) -> None:
    """It is inherited, and what it refused is written down."""
    log = tmp_path / "log"
    env = {**os.environ, "TRUEUP_TEST_NETWORK_LOG": str(log)}
    done = subprocess.run([sys.executable, "-c", CONNECT], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 1
    assert "only loopback" in done.stderr
    assert "192.0.2.1" in log.read_text()


@pytest.mark.slow
def test_the_whole_demo_stays_on_this_machine(tmp_path: Path) -> None:
    """Intake, training, MLflow, Evidently, promotion and mail: no process even looks another machine's name up."""
    log = tmp_path / "log"
    env = {k: v for k, v in os.environ.items() if k not in ("DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY")}
    env |= {"TRUEUP_TEST_NETWORK_LOG": str(log)}
    trueup = Path(sys.executable).with_name("trueup")
    done = subprocess.run(
        [trueup, "demo", "--keep", str(tmp_path / "demo")], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not log.exists(), log.read_text()
