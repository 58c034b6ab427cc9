"""The pages' server: a thread of `trueup serve` that costs nothing until somebody looks."""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from trueup.flows.serve.prefect_server import HOST, PrefectServerFailed, listening

if TYPE_CHECKING:
    from trueup.flows.app import App

log = logging.getLogger("trueup")

_IDLE_SECONDS = 5  # that a connection is kept for a next request
_CONNECTIONS = 32
_HEAD_BYTES = 32_000  # of a request without its body
_ENDING_SECONDS = 2
_STOP_SECONDS = 10.0


@contextmanager
def served_pages(app: App, port: int) -> Iterator[str]:
    """Show the pages of a deployment while the context is open; their address, empty where no port can be opened.

    Only loopback is listened on. Where the port is taken another one is; that, and what fails later, is logged, and
    never ends the schedule.
    """
    try:
        place = listening(port)
    except PrefectServerFailed:
        log.warning("no port of %s can be opened, so the pages are not shown; the schedule goes on", HOST)
        yield ""
        return
    chosen = place.getsockname()[1]
    if chosen != port:
        log.warning("port %s is taken by another program; the pages are at %s this time", port, chosen)
    server = _PagesThread(app, place)
    server.start()
    try:
        yield f"http://{HOST}:{chosen}"
    finally:
        server.stop()


class _PagesThread(threading.Thread):
    """Waits for the first connection, then imports the server and answers. A daemon: it never holds up the end."""

    def __init__(self, app: App, place: socket.socket) -> None:
        super().__init__(name="trueup-pages", daemon=True)
        self._app = app
        self._place = place
        self._woken, self._wake = os.pipe()
        self._stopping = threading.Event()
        self._server: Any = None

    def run(self) -> None:
        try:
            select.select([self._place.fileno(), self._woken], [], [])
            if not self._stopping.is_set():
                self._answer()
        except Exception as error:  # noqa: BLE001 - whatever it is, cycles run on without pages
            log.warning("the pages are not shown any more, the schedule goes on: %s", error)
        finally:
            self._place.close()

    def stop(self) -> None:
        self._stopping.set()
        os.write(self._wake, b"0")
        if self._server:
            self._server.should_exit = True
        self.join(_STOP_SECONDS)

    def _answer(self) -> None:
        import uvicorn

        from trueup.flows.serve.pages.web import web_app

        config = uvicorn.Config(
            web_app(self._app, self._place.getsockname()[1]),
            http="h11",
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=_ENDING_SECONDS,
            h11_max_incomplete_event_size=_HEAD_BYTES,
        )
        self._server = uvicorn.Server(config)
        if not self._stopping.is_set():
            self._server.run(sockets=[self._place])
