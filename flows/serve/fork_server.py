"""The fork server: a process that has imported what a cycle needs, and forks itself for each run.

A cycle with nothing new is a second of work behind ten seconds of imports. CPython's `multiprocessing` calls this a
fork server, Android and Chromium a zygote. Ours is not `multiprocessing`'s, which hides a preload that fails, outlives
its killed owner and gives runs no process group of their own.

Run as a module it is that process. It is started with `exec`, never forked from `trueup serve`, whose threads may hold
locks at that moment; and it must stay a process of one thread, so that a child never waits for a lock whose holder was
not copied. So it imports and waits, and never fits, draws or connects: OpenMP's threads, for one, do not live on in a
child.

It talks over one socket, a line of JSON each: asked `{"id", "env", "run"}`, it answers `{"id", "pid"}` or
`{"id", "error"}`, and at a child's end `{"id", "status"}` with its exit status (negative: the signal). When the socket
closes, its owner is gone: it kills what runs and ends.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import json
import os
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

PR_SET_PDEATHSIG = 1  # prctl(2): the signal that a child gets when its parent dies
Run = Callable[[dict[str, Any]], None]


class ForkServer:
    """Serves one owner. `run` is what a child does with the request's `run`; it may end by SystemExit."""

    def __init__(self, channel: socket.socket, run: Run) -> None:
        self._channel = channel
        self._run = run
        self._buffer = b""
        self._running: dict[int, str] = {}  # process id -> the id that the owner asked by
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl

    def serve(self) -> None:
        """Fork and report until the owner is gone, then end every child."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        try:
            while True:
                ready, _, _ = select.select([self._channel.fileno(), self._woken], [], [])
                if self._woken in ready:
                    os.read(self._woken, 4096)
                    self._report_ended()
                if self._channel.fileno() in ready and not self._take_requests():
                    return
        except OSError:
            return  # an owner that dies with unread answers resets the connection
        finally:
            for pid in self._running:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)

    def _take_requests(self) -> bool:
        received = self._channel.recv(1 << 16)
        *lines, self._buffer = (self._buffer + received).split(b"\n")
        for line in lines:
            request = json.loads(line)
            try:
                pid = os.fork()
            except OSError as error:  # no memory, no process to be had: this run's trouble, not the others'
                self._answer({"id": request["id"], "error": str(error)})
                continue
            if pid == 0:
                self._be_child(request)
            with suppress(OSError):  # the child does the same; whoever comes first
                os.setpgid(pid, pid)
            self._running[pid] = request["id"]
            self._answer({"id": request["id"], "pid": pid})
        return bool(received)

    def _report_ended(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._answer({"id": self._running.pop(pid), "status": os.waitstatus_to_exitcode(status)})

    def _answer(self, answer: dict[str, Any]) -> None:
        self._channel.sendall(json.dumps(answer).encode() + b"\n")

    def _be_child(self, request: dict[str, Any]) -> None:
        """Take off what belongs to the server, do the run, and end as a process does. Never returns."""
        status = 1
        try:
            os.setpgid(0, 0)
            server = os.getppid()
            self._prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != server:
                os._exit(1)  # it died before the line above
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for descriptor in (self._woken, self._wake):
                os.close(descriptor)
            self._channel.close()
            os.environ.clear()
            os.environ.update(request["env"])
            self._run(request["run"])
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:  # noqa: BLE001 - as the interpreter does with what nobody caught
            traceback.print_exc()
        finally:
            end_process(status)


def end_process(status: int) -> None:
    """End a forked child as the interpreter would have: threads joined, exit functions run, output flushed.

    A bare `os._exit` loses what waits in a thread, such as the log lines that go to Prefect.
    """
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _main(descriptor: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the owner's to answer
    from trueup.flows.serve.forked_run import run_flow_run
    from trueup.flows.serve.preload import preload

    preload()
    if threading.active_count() != 1:
        names = ", ".join(thread.name for thread in threading.enumerate())
        sys.exit(f"trueup's fork server must have one thread and has: {names}. An import started one; see preload.py.")
    gc.collect()
    gc.freeze()  # what is imported stays in pages shared with every child: the collector does not write into them
    ForkServer(socket.socket(fileno=descriptor), run_flow_run).serve()
    os._exit(0)


if __name__ == "__main__":
    _main(int(sys.argv[1]))
