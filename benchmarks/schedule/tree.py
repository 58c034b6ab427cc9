"""Processor time and memory of a running `trueup serve` and of all that it started, by part."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Parts:
    """One figure for each part of the tree: processor seconds (user and system), or MB."""

    runner: float = 0
    server: float = 0
    fork_server: float = 0
    runs: float = 0

    @property
    def total(self) -> float:
        return sum(getattr(self, field.name) for field in fields(self))

    def __add__(self, other: Parts) -> Parts:
        return Parts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __sub__(self, other: Parts) -> Parts:
        return self + other.times(-1)

    def times(self, factor: float) -> Parts:
        return Parts(*(getattr(self, f.name) * factor for f in fields(self)))


@dataclass(frozen=True)
class Tree:
    """`seconds` since the start, `memory` in MB of PSS, how many runs live."""

    seconds: Parts
    memory: Parts
    live_runs: int


def tree_of(serve: psutil.Process) -> Tree:
    """The tree as it is now. A run that has ended counts through the process that waited for it."""
    own, ended = _seconds(serve)
    seconds, memory, live = {"runner": own, "runs": ended}, {"runner": _pss(serve)}, 0
    for child in serve.children():
        part = _part_of(child)
        own, ended = _seconds(child)
        if part == "runs":
            live += 1
            own += sum(sum(_seconds(member)) for member in _below(child)) + ended
        else:
            seconds["runs"] += ended
        seconds[part] = seconds.get(part, 0) + own
        memory[part] = memory.get(part, 0) + _pss(child)
        for run in _below(child, recursive=False) if part == "fork_server" else ():
            live += 1
            family = [run, *_below(run)]
            seconds["runs"] += sum(sum(_seconds(member)) for member in family)
            memory["runs"] = memory.get("runs", 0) + sum(map(_pss, family))
    return Tree(Parts(**seconds), Parts(**memory), live)


def _part_of(child: psutil.Process) -> str:
    try:
        words = " ".join(child.cmdline())
    except psutil.Error:
        return "runs"
    return "server" if "prefect_server" in words else "fork_server" if "fork_server" in words else "runs"


def _below(process: psutil.Process, *, recursive: bool = True) -> list[psutil.Process]:
    """Its children; none where it has ended meanwhile."""
    try:
        return list(process.children(recursive=recursive))
    except psutil.Error:
        return []


def _seconds(process: psutil.Process) -> tuple[float, float]:
    """Its own, and those of the children that it has waited for."""
    try:
        found = process.cpu_times()
    except psutil.Error:
        return 0.0, 0.0
    return found.user + found.system, found.children_user + found.children_system


def _pss(process: psutil.Process) -> float:
    """Proportional set size in MB: a page that n processes share counts as 1/n in each."""
    try:
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.M)
    return int(found[1]) / 1024 if found else 0.0
