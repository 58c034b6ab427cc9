"""A built site on loopback: the files of its folder and nothing else, to whoever calls it by loopback's own name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from trueup.flows.serve.pages.guard import hosts_of
from trueup.storage.errors import InputError
from trueup.storage.site_place import content_type

_HOST = "127.0.0.1"
_POLICY = "frame-ancestors 'self'"  # each page has its own policy beside
_TYPES = (".html", ".csv", ".js")


def file_at(folder: Path, path: str) -> Path | None:
    """The file of the site at a path of an address; None where there is none, or it would lead out of the folder."""
    whole = unquote(urlsplit(path).path)
    parts = f"{whole}index.html".split("/")[1:] if whole.endswith("/") else whole.split("/")[1:]
    if not parts:
        return None
    if any(part in ("", ".", "..") or part.startswith(".") or "\\" in part or "\0" in part for part in parts):
        return None
    found = folder.joinpath(*parts)
    inside = found.suffix in _TYPES and found.is_file() and found.resolve().is_relative_to(folder.resolve())
    return found if inside else None


@contextmanager
def site_server(folder: Path, port: int) -> Iterator[ThreadingHTTPServer]:
    """A server of the folder on a port of 127.0.0.1 (0: one that is free); it answers once `serve_forever` is called.

    Raises:
        InputError: the port is taken, or there is no such port.
    """
    try:
        server = ThreadingHTTPServer((_HOST, port), _handler(folder))
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise InputError(
            f"Port {port} of {_HOST} cannot be used: {reason}. Nothing was started; name another, or 0 for one that is "
            "free."
        ) from error
    with server:
        yield server


def _handler(folder: Path) -> type[BaseHTTPRequestHandler]:
    class SiteRequest(BaseHTTPRequestHandler):
        """One request: a file by GET or HEAD."""

        server_version, sys_version = "trueup", ""

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def log_message(self, format: str, *args: Any) -> None:
            """Requests of the reader's own browser are no news."""

        def _answer(self, *, body: bool) -> None:
            assert isinstance(self.server, ThreadingHTTPServer)
            port = self.server.server_port
            if self.headers.get("Host") not in hosts_of(port):  # no rebound name gets in
                self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "Not a name of this server")
                return
            found = file_at(folder, self.path)
            if found is None:
                self.send_error(HTTPStatus.NOT_FOUND, "The site has no such page")
                return
            data = found.read_bytes()
            self.send_response(HTTPStatus.OK)
            for name, value in (
                ("Content-Type", content_type(found.name)), ("Content-Length", str(len(data))),
                ("Cache-Control", "no-cache"), ("X-Content-Type-Options", "nosniff"),
                ("Content-Security-Policy", _POLICY), ("Referrer-Policy", "no-referrer"),
            ):  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(data)

    return SiteRequest
