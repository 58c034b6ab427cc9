"""What a section of docs/promotion.md is: a module of this package that measures, and that tells what it found.

A section module has

    TITLE: str
    def measure(options: Options) -> dict[str, Any]   # plain JSON; with options.quick in a minute
    def page(found: dict[str, Any]) -> list[str]      # lines of Markdown under the title, from the figures alone
    def bounds(found: dict[str, Any]) -> list[Bound]  # its rows of the table at the top; [] where nothing was asked

and its name in `registry.SECTIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Bound = tuple[str, str, str, str]
"""What, against what, the bound that was asked for, what was measured."""


@dataclass(frozen=True)
class Options:
    """How much is measured, with how many processes, and the folder where a section may keep what it has so far."""

    quick: bool
    processes: int
    folder: Path


class Section(Protocol):
    """A module as described above."""

    TITLE: str

    def measure(self, options: Options) -> dict[str, Any]: ...

    def page(self, found: dict[str, Any]) -> list[str]: ...

    def bounds(self, found: dict[str, Any]) -> list[Bound]: ...
