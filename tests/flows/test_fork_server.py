"""The fork server: a child's end costs nobody else anything, and an owner's end takes everything along.

Its children here do small programs in place of a flow run, so that nothing is imported.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from trueup.flows.serve.fork_client import ForkedProcess, ForkServerClient, ForkServerFailed

# Children run the Python text that they are given.
SERVER = (
    "import socket, sys; from trueup.flows.serve.fork_server import ForkServer\n"
    "ForkServer(socket.socket(fileno=int(sys.argv[1])), lambda run: exec(run['text'], {})).serve()"
)
COMMAND = (sys.executable, "-c", SERVER)
FOREVER = "import time; time.sleep(600)"
GRANDCHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
PATIENCE = 30.0


def with_server(work: Callable[[ForkServerClient], Awaitable[Any]]) -> Any:
    """What the work gives that is done with a fork server of small programs."""

    async def done() -> Any:
        client = ForkServerClient(COMMAND)
        try:
            return await asyncio.wait_for(work(client), PATIENCE)
        finally:
            await client.stop()

    return asyncio.run(done())


async def run(client: ForkServerClient, text: str, **environment: str) -> ForkedProcess:
    child = await client.fork(os.environ | environment, {"text": text})
    await child.ended.wait()
    return child


async def until(met: Callable[[], Any]) -> Any:
    while not (found := met()):
        await asyncio.sleep(0.02)
    return found


def gone(pids: list[int]) -> bool:
    """Whether none of them lives; one that nobody has waited for yet does not."""
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("pass", 0),
        ("raise SystemExit(3)", 3),
        ("raise SystemExit('why')", 1),
        ("raise ValueError", 1),
        ("import os; os._exit(9)", 9),
        ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
)
def test_a_child_ends_as_a_process_does_and_the_next_starts(text: str, status: int) -> None:
    async def work(client: ForkServerClient) -> tuple[int | None, int | None, bool]:
        first = await run(client, text)
        server = client.pid
        return first.returncode, (await run(client, "pass")).returncode, server == client.pid

    assert with_server(work) == (status, 0, True)


def test_a_child_has_the_environment_that_was_sent_and_leaves_nothing_unsaid(tmp_path: Path) -> None:
    """What waits in threads and exit functions at a child's end is done first, as Prefect's log lines are."""
    text = (
        "import atexit, os, threading, time\n"
        "def write(name): open(os.environ['FOLDER'] + '/' + name, 'w').write(os.environ.get('GIVEN', ''))\n"
        "atexit.register(write, 'exit')\n"
        "threading.Thread(target=lambda: (time.sleep(.1), write('thread'))).start()\n"
    )
    with_server(lambda client: run(client, text, FOLDER=str(tmp_path), GIVEN="this"))
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"exit": "this", "thread": "this"}


def test_a_killed_fork_server_takes_its_children_along_and_is_replaced() -> None:
    async def work(client: ForkServerClient) -> tuple[int | None, bool, int | None]:
        child = await client.fork(os.environ, {"text": GRANDCHILD})
        below = await until(lambda: psutil.Process(child.pid).children())
        server = client.pid
        assert server
        os.kill(server, signal.SIGKILL)
        await child.ended.wait()
        await until(lambda: gone([child.pid, *(process.pid for process in below)]))
        return child.returncode, client.pid == server, (await run(client, "pass")).returncode

    assert with_server(work) == (-signal.SIGKILL, False, 0)


def test_an_owner_that_is_killed_leaves_nothing_behind() -> None:
    """The server, its child and what that one had started: all gone, though nobody could ask them to."""
    program = (
        "import asyncio, json, os, sys\n"
        "from trueup.flows.serve.fork_client import ForkServerClient\n"
        "async def own():\n"
        f"    client = ForkServerClient((sys.executable, '-c', {SERVER!r}))\n"
        f"    child = await client.fork(os.environ, {{'text': {GRANDCHILD!r}}})\n"
        "    print(json.dumps([client.pid, child.pid]), flush=True)\n"
        "    await child.ended.wait()\n"
        "asyncio.run(own())\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert owner.stdout
    pids = json.loads(owner.stdout.readline())

    async def watched() -> None:
        below = await until(lambda: psutil.Process(pids[1]).children())
        owner.kill()
        owner.wait()
        await until(lambda: gone([*pids, *(process.pid for process in below)]))

    asyncio.run(asyncio.wait_for(watched(), PATIENCE))


def test_a_fork_server_that_ends_at_once_is_told_of() -> None:
    async def work() -> None:
        client = ForkServerClient((sys.executable, "-c", "raise SystemExit(5)"))
        try:
            with pytest.raises(ForkServerFailed, match="status 5"):
                await client.fork(os.environ, {})
        finally:
            await client.stop()

    asyncio.run(asyncio.wait_for(work(), PATIENCE))
