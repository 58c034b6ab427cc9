"""The process that answers for one version of another's model: started at need, kept, limited, and ended as a whole."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trueup.storage.errors import ModelUnusable
from trueup.storage.trainers.trainer_settings import allowed_environment
from trueup.training.hosts.model_folder import copy_model

WORKER = Path(__file__).with_name("worker.py")
LOADING_S = 300.0  # a loaded machine takes long to import what a model needs
IDLE_S = 900.0  # without a question, after which the process ends by itself
_LOOK_S = (0.0005, 0.02)  # between two looks for the answer, at first and at most
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # sums that threads share differ in the last bit, and on a busy machine the threads wait for each other
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
}


@dataclass(frozen=True, kw_only=True)
class HostLimits:
    """What the process may use. memory: bytes; 0: no limit. answer_s: seconds for one question. env: variables."""

    memory: int
    answer_s: float
    env: tuple[str, ...] = ()


class ModelHost:
    """Asks a model in the process of another interpreter, which it starts at the first question and after each end.

    Args:
        name: of the version, as people read it.
        folder: of the model; each process reads a copy of it.
        digest: that the copy must have.
        python: the interpreter.
        next_step: what a person can do where it does not answer.
    """

    def __init__(
        self, name: str, folder: Path, digest: str, python: str, limits: HostLimits, *, next_step: str,
        loading_s: float = LOADING_S, idle_s: float = IDLE_S,
    ) -> None:  # fmt: skip
        self.name, self.python, self.limits = name, python, limits
        self._folder, self._digest, self._next_step = folder, digest, next_step
        self._loading_s, self._idle_s = loading_s, idle_s
        self._lock = threading.Lock()
        self._running: _Running | None = None

    def ask(self, question: Mapping[str, Any]) -> dict[str, list[Any]]:
        """The model's columns for the columns of a question, each a list of numbers or text.

        A process that was ended from outside is started again, once.

        Raises:
            ModelUnusable: it cannot be started, is late, fails, ends, or needs too much memory.
        """
        with self._lock:
            try:
                said = self._start_and_ask(question)
            except _Ended:
                try:
                    said = self._start_and_ask(question)
                except _Ended as again:
                    self.close()
                    raise self._unusable(f"its process ended twice without an answer ({again})") from again
        return dict(said["columns"])

    def start(self) -> None:
        """Load the model now, where its process does not run.

        Raises:
            ModelUnusable: it cannot be loaded.
        """
        with self._lock:
            try:
                self._started()
            except _Ended as error:
                self.close()
                raise self._unusable(f"its process ended while it was loaded ({error})") from error

    def close(self) -> None:
        """End the process with all that it started."""
        if self._running is not None:
            self._running.end()
            self._running = None

    @property
    def pid(self) -> int | None:
        """Of the process, where it runs."""
        return self._running.process.pid if self._running and self._running.alive else None

    def _start_and_ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        running = self._started()
        return self._replied(running, running.put(question), self.limits.answer_s, "answer")

    def _started(self) -> _Running:
        if self._running is not None and self._running.alive:
            return self._running
        self.close()
        place = self._copied()
        try:
            self._running = running = _Running(place, self.python, self.limits, self._idle_s)
        except OSError as error:
            raise self._unusable(f"its interpreter '{self.python}' cannot be run ({error.strerror})") from error
        self._replied(running, 0, self._loading_s, "load")
        return running

    def _copied(self) -> Path:
        """A folder of its own for one process, with the model in it."""
        place = Path(tempfile.mkdtemp(prefix="trueup-host-"))
        try:
            if copy_model(self._folder, place / "model") == self._digest:
                return place
            shutil.rmtree(place, ignore_errors=True)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        raise self._unusable("its files are not those that were registered (their digest is another)")

    def _replied(self, running: _Running, number: int, limit_s: float, what: str) -> dict[str, Any]:
        try:
            said = running.reply(number, limit_s)
        except TimeoutError:
            self.close()
            setting = "" if what == "load" else "; the setting answer_limit says how long it may take"
            raise self._unusable(f"it did not {what} within {limit_s:g} s, so its process was ended{setting}") from None
        failed = said.get("failed")
        if failed is None:
            return said
        self.close()
        if failed == "memory":
            bound = f"{self.limits.memory / 1e9:.3g} GB, the setting memory," if self.limits.memory else "there is"
            raise self._unusable(f"it needed more memory than {bound} to {what}")
        if failed == "version":
            raise self._unusable(
                f"{self.python} has not the libraries that it was trained with: {said['said'][:800]}. With other "
                "versions a model can answer wrongly without an error"
            )
        raise self._unusable(f"it failed to {what} ({said['said'][:300]})")

    def _unusable(self, why: str) -> ModelUnusable:
        return ModelUnusable(f"{self.name} answers nothing: {why}. {self._next_step}")


class _Ended(Exception):
    """The process is gone; the message says how, and what it wrote last."""


class _Running:
    """One process with its folder: questions go in by its standard input, and everything else by files."""

    def __init__(self, place: Path, python: str, limits: HostLimits, idle_s: float) -> None:
        self._place, self._asked = place, 0
        for own in ("home", "scratch"):
            (place / own).mkdir()
        env = allowed_environment(limits.env, os.environ, home=place / "home", scratch=place / "scratch")
        with (place / "output.txt").open("wb") as output:
            try:
                self.process = subprocess.Popen(
                    [python, "-s", str(WORKER), str(place), str(limits.memory), str(idle_s)],
                    stdin=subprocess.PIPE, stdout=output, stderr=output, cwd=place / "scratch",
                    env={**_QUIET, **env}, start_new_session=True,
                )  # fmt: skip
            except OSError:
                shutil.rmtree(place, ignore_errors=True)
                raise
        self.end = weakref.finalize(self, _end, self.process, place, os.getpid())
        self._owner = os.getpid()

    @property
    def alive(self) -> bool:
        """Whether it runs, and was started by this very process: a fork must not share its parent's."""
        return self._owner == os.getpid() and self.process.poll() is None

    def put(self, question: Mapping[str, Any]) -> int:
        """Hand a question over; its number."""
        self._asked += 1
        try:
            (self._place / f"{self._asked}.question.json").write_text(json.dumps(question), encoding="utf-8")
            assert self.process.stdin is not None
            self.process.stdin.write(b"%d\n" % self._asked)
            self.process.stdin.flush()
        except OSError as error:  # it ended just now
            raise _Ended(self._how()) from error
        return self._asked

    def reply(self, number: int, limit_s: float) -> dict[str, Any]:
        """The answer to a question, once it is there.

        Raises:
            TimeoutError: it is late.
            _Ended: the process ended without it.
        """
        until, pause, file = time.monotonic() + limit_s, _LOOK_S[0], self._place / f"{number}.json"
        while True:
            ended = self.process.poll() is not None  # asked before the file is looked for, lest both are missed
            if file.exists():
                break
            if ended:
                raise _Ended(self._how())
            if time.monotonic() > until:
                raise TimeoutError
            time.sleep(pause)
            pause = min(1.2 * pause, _LOOK_S[1])
        said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        file.unlink()
        (self._place / f"{number}.question.json").unlink(missing_ok=True)
        return said

    def _how(self) -> str:
        status = self.process.wait()
        how = f"status {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"
        with suppress(OSError):
            lines = (self._place / "output.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            if lines:
                return f"{how}; its last words: {lines[-1][:300]}"
        return how


def _end(process: subprocess.Popen[bytes], place: Path, owner: int) -> None:
    """End a process with its whole group, and remove its folder; a fork of the owner leaves both alone."""
    if os.getpid() != owner:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    shutil.rmtree(place, ignore_errors=True)


def interpreter(python: str, beside: Path) -> str:
    """The interpreter that a setting names: trueup's own where it is empty, a path from `beside`, or one on PATH."""
    if not python:
        return sys.executable
    if os.sep not in python:
        return shutil.which(python) or python
    return str(beside / python)
