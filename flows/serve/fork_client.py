"""The owner's side of the fork server: starts it, asks it for children, starts another where it died."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from trueup.storage.errors import TrueupError

_START_SECONDS = 90.0  # its imports, on a busy small machine
_STOP_SECONDS = 5.0
# -P: the working folder is no place to import from, as it is none for `trueup`
COMMAND = (sys.executable, "-P", "-m", "trueup.flows.serve.fork_server")


class ForkServerFailed(TrueupError):
    """The fork server ended, or did not answer in time."""


@dataclass
class ForkedProcess:
    """A child of the fork server. `returncode` is None while it runs, and negative where a signal ended it."""

    pid: int
    returncode: int | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def kill(self) -> None:
        """Kill it with all that it started, without asking."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def end(self, status: int) -> None:
        self.returncode = status
        self.ended.set()


class ForkServerClient:
    """One fork server at a time, for use in one event loop. A dead one takes its children along and is replaced."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command  # takes the number of its socket as last argument
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked: dict[str, asyncio.Future[ForkedProcess]] = {}
        self._children: dict[str, ForkedProcess] = {}
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Of the server that runs now."""
        return self._process.pid if self._process and self._alive else None

    async def start(self, environment: Mapping[str, str]) -> None:
        """Start a server where none runs; it imports in the background, and what is asked meanwhile waits for it."""
        async with self._starting:
            if self._alive:
                return
            ours, its = socket.socketpair()
            with its:
                self._process = subprocess.Popen(
                    [*self._command, str(its.fileno())],
                    stdin=subprocess.DEVNULL,
                    env=dict(environment),
                    pass_fds=[its.fileno()],
                    start_new_session=True,  # Ctrl-C reaches `serve` alone, which closes runs in Prefect before it ends
                )
            reader, self._writer = await asyncio.open_connection(sock=ours)
            self._reading = asyncio.create_task(self._read(reader, self._process))

    async def fork(self, environment: Mapping[str, str], run: Mapping[str, Any]) -> ForkedProcess:
        """A new child with this environment, which does `run`.

        Raises:
            ForkServerFailed: no child was made.
        """
        await self.start(environment)
        assert self._writer is not None
        key = uuid.uuid4().hex
        self._asked[key] = asyncio.get_running_loop().create_future()
        request = {"id": key, "env": dict(environment), "run": run}
        try:
            self._writer.write(json.dumps(request).encode() + b"\n")
            return await asyncio.wait_for(self._asked[key], _START_SECONDS)
        except (OSError, TimeoutError) as error:
            self._kill()  # else a child might come of it later, which nobody waits for
            raise ForkServerFailed(f"The fork server made no process in {_START_SECONDS:.0f} s.") from error
        finally:
            self._asked.pop(key, None)

    async def stop(self) -> None:
        """End the server, which ends its children."""
        if self._writer:
            self._writer.close()
        if self._process:
            try:
                await asyncio.to_thread(self._process.wait, _STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._kill()
                await asyncio.to_thread(self._process.wait)
        if self._reading:
            await self._reading

    @property
    def _alive(self) -> bool:
        return self._reading is not None and not self._reading.done()

    def _kill(self) -> None:
        if self._process:
            self._process.kill()

    async def _read(self, reader: asyncio.StreamReader, process: subprocess.Popen[bytes]) -> None:
        """Hand on what the server says; at its end tell that all of its children ended with it."""
        with suppress(OSError):
            while line := await reader.readline():
                self._take(json.loads(line))
        self._kill()
        await asyncio.to_thread(process.wait)
        for child in self._children.values():
            child.kill()  # what it had started lives: the system's own signal reached the child alone
            child.end(-signal.SIGKILL)
        self._children.clear()
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(ForkServerFailed(f"The fork server ended with status {process.returncode}."))

    def _take(self, answer: dict[str, Any]) -> None:
        key = answer["id"]
        if "status" in answer:
            self._children.pop(key).end(answer["status"])
            return
        asked = self._asked.get(key)
        if "error" in answer:
            if asked:
                asked.set_exception(ForkServerFailed(f"The fork server could make no process: {answer['error']}."))
            return
        child = self._children[key] = ForkedProcess(answer["pid"])
        if asked:
            asked.set_result(child)
        else:  # who asked has gone meanwhile, and nobody would wait for it
            child.kill()
