"""Runs a trainer's program and ends it when its time or memory is up; it outlives whoever started it.

Started as a file of its own, `python watchdog.py FOLDER`, without the rest of trueup. FOLDER/order.json says what to
run. FOLDER/watch.json, written once and by one watchdog only, names the processes; FOLDER/ended.json says how it ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil

ORDER, WATCH, ENDED = "order.json", "watch.json", "ended.json"
OUTPUT, ERRORS = "stdout.txt", "stderr.txt"
JOB_FOLDER, HOME, SCRATCH = "job", "home", "scratch"
TIME_UP, MEMORY_UP, NOT_STARTED = "limit", "memory", "not started"
_POLL_S = 0.25
_SHORT_GRACE_S = 0.5  # for what a program leaves behind, or holds too much memory
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: what the program leaves behind becomes a child of ours, and is found


def watch(folder: Path) -> None:
    """Run the program of the folder's order, once for each part of the job; who comes second leaves it to the first."""
    order = json.loads((folder / ORDER).read_text(encoding="utf-8"))
    if not _claimed(folder):
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    started = time.monotonic()
    for part in order["parts"]:
        left_s = order["left_s"] - (time.monotonic() - started)
        status, why = _run(folder, order, part, min(order["limit_s"], left_s))
        if why or status != 0:
            break
    seconds = round(time.monotonic() - started, 3)
    _write(folder / ENDED, {"status": status, "why": why, "part": part, "seconds": seconds, "at": time.time()})


def lives(process: dict[str, Any]) -> bool:
    """Whether that very process runs."""
    return not is_another(process) and psutil.pid_exists(process["pid"]) and _runs(psutil.Process(process["pid"]))


def is_another(process: dict[str, Any]) -> bool:
    """Whether another process has its id by now; an id is used again, its start time with it is not."""
    try:
        return abs(psutil.Process(process["pid"]).create_time() - process["started"]) >= 1.0
    except psutil.NoSuchProcess:
        return False


def end_group(leader: int, grace_s: float, adopted: Callable[[], Iterable[psutil.Process]] = tuple) -> None:
    """End a process group, and what is `adopted`: by request, and after `grace_s` seconds by force."""
    for number, patience in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 5.0)):
        found = [process for process in {*_members(leader), *adopted()} if _runs(process)]
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        psutil.wait_procs(found, timeout=patience)


def _run(folder: Path, order: dict[str, Any], part: str, limit_s: float) -> tuple[int | None, str]:
    env = {**os.environ, order["variable"]: str(folder / part)}
    with (folder / OUTPUT).open("ab") as output, (folder / ERRORS).open("ab") as errors:
        try:
            program = subprocess.Popen(
                order["command"], cwd=order["cwd"], env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            errors.write(f"{error}\n".encode())
            return None, NOT_STARTED
        started = time.monotonic()
        with contextlib.suppress(psutil.NoSuchProcess):
            _write(folder / WATCH, _us() | {"program": _named(program.pid)})
        why = ""
        while program.poll() is None and not why:
            if time.monotonic() - started > limit_s:
                why = TIME_UP
            elif order["memory"] is not None and _memory() > order["memory"]:
                why = MEMORY_UP
            else:
                time.sleep(_POLL_S)
        status = program.poll()
        end_group(program.pid, order["grace_s"] if why == TIME_UP else _SHORT_GRACE_S, _children)
        return status, why


def _children() -> list[psutil.Process]:
    return list(psutil.Process().children(recursive=True))


def _memory() -> int:
    """Bytes that the program and all it started hold; pages of files that they share are not counted."""
    held = 0
    for process in _children():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            found = process.memory_info()
            held += found.rss - getattr(found, "shared", 0)
    return held


def _members(leader: int) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == leader:
                yield process


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _named(pid: int) -> dict[str, Any]:
    return {"pid": pid, "started": psutil.Process(pid).create_time()}


def _us() -> dict[str, Any]:
    return {"watchdog": _named(os.getpid())}


def _claimed(folder: Path) -> bool:
    """Whether this watchdog is the first: the file comes into being whole, by a link, or not at all."""
    own = folder / f".{WATCH}.{os.getpid()}"
    own.write_text(json.dumps(_us()), encoding="utf-8")
    try:
        os.link(own, folder / WATCH)
    except FileExistsError:
        return False
    finally:
        own.unlink()
    return True


def _write(file: Path, document: dict[str, Any]) -> None:
    beginning = file.with_name(f".{file.name}")
    beginning.write_text(json.dumps(document), encoding="utf-8")
    beginning.replace(file)


if __name__ == "__main__" and os.fork() == 0:  # the first process ends at once, so nobody has to wait for the second
    os.setsid()
    watch(Path(sys.argv[1]))
