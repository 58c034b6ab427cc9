"""A Prefect server on loopback, as a child process that ends with its parent.

Run as a module it is that child: it serves until its standard input closes, which the system does when the parent is
gone for whatever reason, so that a killed `trueup serve` leaves no server behind.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from trueup.storage.errors import TrueupError

HOST = "127.0.0.1"
STARTUP_SECONDS = 180.0  # its first start migrates a new database: 20 s of processor time, minutes on a crowded machine
SHUTDOWN_SECONDS = 15.0
_WAITING = 128  # connections that wait to be taken

# What the server does by default for uses that are not ours: its loops cost more in an idle hour than the cycles of ten
# streams, and each event of a task was a transaction. Whoever needs it otherwise sets the variable.
FRUGAL = {
    "PREFECT_SERVER_SERVICES_FOREMAN_ENABLED": "false",  # work pools
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED": "false",  # flows that pause
    "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "15",  # as late as it calls a run late
    "PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_LOOP_SECONDS": "60",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "2",  # so late a task appears
}


class PrefectServerFailed(TrueupError):
    """The Prefect server did not come up."""


def listening(wanted: int) -> socket.socket:
    """A socket that listens on the wanted port of loopback where it is free, else on one that the system picks.

    From now on the port is nobody else's: a server that is started on a port that was only found free may meet another
    one there, and whoever asks whether it is up is answered by that one.
    """
    for port in (wanted, 0):
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((HOST, port))
            opened.listen(_WAITING)
        except OSError:
            opened.close()
            continue
        return opened
    raise PrefectServerFailed(f"No port of {HOST} can be opened, so no schedule runs; stored data is untouched.")


@dataclass(frozen=True)
class PrefectServer:
    """A running server: `url` is its console, `url`/api its API."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def api_url(self) -> str:
        return f"{self.url}/api"

    def stop(self) -> None:
        """End the server and wait until it is gone."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_server(home: Path, place: socket.socket) -> PrefectServer:
    """Start a server that answers on a listening socket and wait until it does; its log is `<home>/prefect/server.log`.

    Raises:
        PrefectServerFailed: it ended, or did not answer in time.
    """
    log = home.resolve() / "prefect" / "server.log"
    url = f"http://{HOST}:{place.getsockname()[1]}"
    environment = {**FRUGAL, **os.environ, "PREFECT_API_URL": f"{url}/api", "PREFECT_UI_API_URL": f"{url}/api"}
    with place, open(log, "wb") as sink:  # from here on the port is the child's alone
        process = subprocess.Popen(
            [sys.executable, "-m", "trueup.flows.serve.prefect_server", str(place.fileno())],
            pass_fds=[place.fileno()],
            stdin=subprocess.PIPE,
            stdout=sink,
            stderr=sink,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches the parent alone, which still needs the server to close its runs
        )
    server = PrefectServer(url, process)
    deadline = time.monotonic() + STARTUP_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(server.api_url):
            return server
        time.sleep(0.1)
    server.stop()
    last = log.read_text(errors="replace").strip().splitlines()[-3:]
    raise PrefectServerFailed(
        f"The Prefect server did not answer at {url}, so no schedule runs; stored data is untouched. "
        f"Its last words: {' / '.join(last) or 'none'} (all of them: {log})"
    )


def _answers(api_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{api_url}/health", timeout=2) as answer:
            return int(answer.status) == 200
    except (urllib.error.URLError, OSError):
        return False


def _serve_until_parent_is_gone(place: socket.socket) -> None:
    import uvicorn
    from prefect.server.api.server import create_app

    server = uvicorn.Server(uvicorn.Config(create_app(), log_level="warning", lifespan="on"))

    def watch() -> None:
        sys.stdin.buffer.read()  # returns at the end of the stream: the parent closed it or died
        server.should_exit = True
        time.sleep(SHUTDOWN_SECONDS - 5)
        os._exit(1)  # a background service of Prefect's hangs; the database is transactional

    threading.Thread(target=watch, daemon=True).start()
    server.run(sockets=[place])


if __name__ == "__main__":
    _serve_until_parent_is_gone(socket.socket(fileno=int(sys.argv[1])))
