"""A trainer's program on this machine: started apart from us, looked at later, and ended where nobody watches it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trueup.storage.trainers.trainer_settings import JOB, Trainer, allowed_environment
from trueup.training.trainers import watchdog

TAIL = 2_000  # bytes of the program's errors that are kept


@dataclass(frozen=True)
class Ended:
    """How a job ended.

    status: of the program, None where it has none. why: as `watchdog` has it, or one of those below; empty: by itself.
    said: its last words, where they are known already. part: of its trainings, the one that it ended with.
    """

    status: int | None
    why: str
    at: datetime | None
    said: str = ""
    part: str = ""


CANCELLED, MAY_STILL_RUN = "cancelled", "may still run"  # of runs elsewhere
NOT_ASKED = "not asked"  # Prefect did not answer in time
LOST = "lost"  # the program's watchdog died, with its machine or by force


def start_program(
    folder: Path, trainer: Trainer, left_s: float, beside: Path, environ: Mapping[str, str],
    *, parts: Sequence[str] = (watchdog.JOB_FOLDER,),
) -> None:  # fmt: skip
    """Start the watchdog of a job's program, which lives on when this process ends; done again it changes nothing.

    Args:
        folder: of the job; what the trainer is given stands in a folder of it for each of its `parts` already.
        left_s: seconds that all parts may take.
        beside: where the program runs.
        environ: of which it sees what the settings allow.
    """
    home, scratch = folder / watchdog.HOME, folder / watchdog.SCRATCH
    for place in (home, scratch):
        place.mkdir(parents=True, exist_ok=True)
    order = {
        "command": list(trainer.command),
        "cwd": str(beside),
        "parts": list(parts),
        "variable": JOB,
        "limit_s": trainer.limit_span.total_seconds(),
        "left_s": left_s,
        "grace_s": trainer.grace_span.total_seconds(),
        "memory": trainer.memory_bytes,
    }
    (folder / watchdog.ORDER).write_text(json.dumps(order), encoding="utf-8")
    allowed = allowed_environment(trainer.env, environ, home=home, scratch=scratch)
    # a file, not a module: it starts in a tenth of a second, and needs no more of this environment than the program
    subprocess.run(
        [sys.executable, "-I", str(watchdog.__file__), str(folder.absolute())],
        env=allowed,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
    )  # fmt: skip


def program_ended(folder: Path) -> Ended | None:
    """How a program that was started in `folder` ended; None: it runs."""
    ended, watch = _read(folder / watchdog.ENDED), _read(folder / watchdog.WATCH)
    if ended is None and watch is not None and not watchdog.lives(watch["watchdog"]):
        ended = _read(folder / watchdog.ENDED)  # it may have written it as it ended
        if ended is None:
            return Ended(None, LOST, None)
    if ended is None:
        return None
    at = datetime.fromtimestamp(ended["at"], UTC)
    return Ended(ended["status"], ended["why"], at, part=ended.get("part", ""))


def was_started(folder: Path) -> bool:
    """Whether a watchdog took on the job of this folder."""
    return (folder / watchdog.WATCH).exists()


def end_program(folder: Path, grace_s: float) -> None:
    """End a program that nobody watches any more, with its whole group."""
    watch = _read(folder / watchdog.WATCH) or {}
    for name in ("watchdog", "program"):
        if name in watch and not watchdog.is_another(watch[name]):
            watchdog.end_group(watch[name]["pid"], grace_s)


def tail_of_errors(folder: Path) -> str:
    """The last lines that the program wrote to its standard error."""
    file = folder / watchdog.ERRORS
    if not file.exists():
        return ""
    with file.open("rb") as written:
        written.seek(max(0, file.stat().st_size - TAIL))
        return written.read().decode("utf-8", errors="replace").strip()


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found
