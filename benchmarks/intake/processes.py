"""Whole processes measured: processor time with start-up, and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TRUEUP = ("-c", "from trueup.flows.cli.main import main; main()")
_LEFT_OUT = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "TRUEUP_HOME", "TRUEUP_CONFIG")  # of the environment


@dataclass(frozen=True)
class Spent:
    """seconds: processor time, user and system, of a process and its children. peak: resident bytes at most."""

    seconds: float
    peak: int


@dataclass(frozen=True)
class Pairs:
    """Two things measured in turn, `ours` and `theirs`, n of each."""

    ours: tuple[Spent, ...]
    theirs: tuple[Spent, ...]

    @property
    def ratio(self) -> float:
        """The median of ours / theirs over the pairs."""
        return statistics.median(self._ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest ratio."""
        return min(self._ratios), max(self._ratios)

    @property
    def _ratios(self) -> list[float]:
        return [a.seconds / b.seconds for a, b in zip(self.ours, self.theirs, strict=True)]

    @property
    def seconds(self) -> tuple[float, float]:
        """The medians of both."""
        return statistics.median(s.seconds for s in self.ours), statistics.median(s.seconds for s in self.theirs)

    @property
    def peak(self) -> int:
        """The most memory that one of ours took, in bytes."""
        return max(s.peak for s in self.ours)


def clean_environment() -> dict[str, str]:
    """This process's environment for one that is measured; `-m benchmarks.…` works in any folder."""
    kept = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    return {**kept, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}


def spent(arguments: Sequence[str], folder: Path) -> Spent:
    """Run Python with these arguments in a folder, and wait for its end.

    Raises:
        RuntimeError: it ended with another status than 0; its words are in the message.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=folder, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{' '.join(arguments)}: status {process.returncode}\n{said.read().decode()}")
    return Spent(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def in_turn(pairs: int, ours: Callable[[], Spent], theirs: Callable[[], Spent]) -> Pairs:
    """Measure both, pair after pair, the one and the other first in turn."""
    found: list[tuple[Spent, Spent]] = []
    for k in range(pairs):
        if k % 2:
            second, first = theirs(), ours()
        else:
            first, second = ours(), theirs()
        found.append((first, second))
    return Pairs(tuple(a for a, _ in found), tuple(b for _, b in found))
