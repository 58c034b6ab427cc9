"""What a subject of `benchmarks.intake` is: a module of this package that measures, and gives rows of a table.

A subject module has

    TITLE: str                                       # the heading of its table
    def measure(options: Options) -> list[Row]       # what was measured; `options.pairs` pairs of each

and its name in `registry.SUBJECTS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.intake.processes import Pairs


@dataclass(frozen=True)
class Options:
    """pairs: how many of each. rows: of the files of the subjects that take a number. scratch: a folder for files.

    many: rows where memory is measured; None: ten million.
    """

    pairs: int
    rows: int
    scratch: Path
    many: int | None = None


@dataclass(frozen=True)
class Row:
    """A line of the table: what, against what, the bound that is asked for, and what was measured."""

    what: str
    against: str
    bound: str
    measured: str


class Subject(Protocol):
    """A module as described above."""

    TITLE: str

    def measure(self, options: Options) -> list[Row]: ...


def told(pairs: Pairs, *, speed: bool = False) -> str:
    """The figures of pairs: the ratio of times with its range (`speed`: theirs by ours), both medians, our memory."""
    ratio, (low, high) = pairs.ratio, pairs.spread
    if speed:
        ratio, low, high = 1 / ratio, 1 / high, 1 / low
    ours, theirs = pairs.seconds
    counted = "1 pair" if len(pairs.ours) == 1 else f"{len(pairs.ours)} pairs"
    return (
        f"{ratio:.2f} ({low:.2f}–{high:.2f}; {counted}); {ours:.2f} s against {theirs:.2f} s; "
        f"peak {pairs.peak / 2**20:,.0f} MB"
    )
