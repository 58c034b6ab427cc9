"""Evidently's own UI on loopback, as a child process that ends with its parent.

Run as a module it is that child: the service that `evidently ui` runs, which answers to the names of this machine only,
until its standard input closes.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from trueup.storage.errors import InputError, TrueupError

_HOST = "127.0.0.1"
_NAMES = [_HOST, "localhost"]
_START_SECONDS = 300.0  # its first answer reads the whole workspace
_STOP_SECONDS = 10.0
_SECRET = "EVIDENTLY_SECRET"


class EvidentlyUiFailed(TrueupError):
    """Evidently's UI did not come up, or ended by itself."""


@dataclass(frozen=True)
class EvidentlyUi:
    """A running UI; log: the file that it writes its messages to."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def runs_for(self, seconds: float) -> None:
        """Return once it has run for so long.

        Raises:
            EvidentlyUiFailed: it ended.
        """
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        raise _failed(self, "has ended")

    def stop(self) -> None:
        """End it and wait until it is gone."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def bound_port(port: int) -> socket.socket:
    """A socket that listens on a port of loopback; 0: on one that is free.

    Raises:
        InputError: the port is taken, or there is no such port.
    """
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((_HOST, port))
        opened.listen()
    except (OSError, OverflowError) as error:
        opened.close()
        reason = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise InputError(
            f"Port {port} of {_HOST} cannot be used: {reason}. Evidently's UI was not started; end what runs there, or "
            "name another port: trueup ui --port 0 takes one that is free."
        ) from error
    return opened


def start_evidently_ui(workspace: Path, place: socket.socket, *, edit: bool, log: Path) -> EvidentlyUi:
    """Start the UI on a workspace, and wait until it has read the whole of it.

    Args:
        place: where it answers, of `bound_port`; closed here, and the child's from now on.
        edit: whoever reaches the port may change and delete in it; otherwise nobody may.

    Raises:
        EvidentlyUiFailed: it ended, or did not answer in time.
    """
    environment = {**os.environ, "DO_NOT_TRACK": "1", _SECRET: secrets.token_urlsafe(32)}
    if edit:
        del environment[_SECRET]
    whole = workspace.resolve()
    with place, open(log, "wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(place.fileno()), str(whole)],
            pass_fds=[place.fileno()],
            stdin=subprocess.PIPE,
            stdout=sink,
            stderr=sink,
            env=environment,
            cwd=whole,  # a file of settings in the present folder is not Evidently's
            start_new_session=True,  # Ctrl-C reaches the parent alone, which then ends the child
        )
        ui = EvidentlyUi(f"http://{_HOST}:{place.getsockname()[1]}", process, log)
    try:
        _wait_until_read(ui)
    except BaseException:
        ui.stop()
        raise
    return ui


def _wait_until_read(ui: EvidentlyUi) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while ui.process.poll() is None and time.monotonic() < deadline:
        try:
            # its socket takes connections from the first moment on, so this waits, and then loads the workspace
            with urllib.request.urlopen(f"{ui.url}/api/v2/projects", timeout=deadline - time.monotonic()) as answer:
                answer.read()
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise _failed(ui, "did not come up")


def _failed(ui: EvidentlyUi, how: str) -> EvidentlyUiFailed:
    last = ui.log.read_text(errors="replace").strip().splitlines()[-1:]
    return EvidentlyUiFailed(
        f"Evidently's UI at {ui.url} {how}; stored data is untouched. Its last words: {''.join(last) or 'none'} "
        f"(all of them: {ui.log})"
    )


def _serve_until_parent_is_gone(place: socket.socket, workspace: str) -> None:
    import uvicorn
    from evidently.ui.service.app import create_app, get_config
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app = TrustedHostMiddleware(create_app(get_config(workspace=workspace)), allowed_hosts=_NAMES)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))

    def watch() -> None:
        sys.stdin.buffer.read()  # returns at the end of the stream: the parent closed it or died
        server.should_exit = True
        time.sleep(_STOP_SECONDS / 2)
        os._exit(0)  # a browser still holds a connection; nothing is being written

    threading.Thread(target=watch, daemon=True).start()
    server.run(sockets=[place])


if __name__ == "__main__":
    _serve_until_parent_is_gone(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
