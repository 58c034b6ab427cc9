"""Put on PYTHONPATH: every Python process below refuses sockets that leave this machine, and writes down who tried.

An audit hook sees each connection and look-up of the interpreter, whichever library makes it, and cannot be removed.
"""

from __future__ import annotations

import os
import socket
import sys
import traceback
from typing import Any

_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost", "", socket.gethostname()}
_LOG = os.environ.get("TRUEUP_TEST_NETWORK_LOG", "")


def _stays_here(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    return name in _NAMES or name.startswith("127.") or name in {"::1", "0.0.0.0", "::"}


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        if not isinstance(address, tuple) or _stays_here(address[0]):
            return  # a Unix socket, or loopback
        host = address[0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
        if _stays_here(host):
            return
    else:
        return
    if _LOG:
        with open(_LOG, "a", encoding="utf-8") as file:
            file.write(f"{event} {host}\n{''.join(traceback.format_stack(limit=12))}\n")
    raise PermissionError(f"{event} to {host}: only loopback is a target")


sys.addaudithook(_watch)
