"""Cells of docs/detection.md: which of them, pooled how, and as what share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.page import share

Row = dict[str, Any]


def pick(cells: Iterable[Row], **wanted: Any) -> list[Row]:
    return [cell for cell in cells if all(cell[key] == value for key, value in wanted.items())]


def by_size(cells: Iterable[Row]) -> list[Row]:
    """Cells of one method, kind and pair of sizes as one."""
    found: dict[tuple[Any, ...], Row] = {}
    for cell in cells:
        key = tuple(cell[name] for name in ("method", "kind", "n_reference", "n_current", "note"))
        known = found.setdefault(key, {**cell, "hits": 0, "repetitions": 0})
        known["hits"] += cell["hits"]
        known["repetitions"] += cell["repetitions"]
    return list(found.values())


def total(cells: Sequence[Row]) -> tuple[int, int]:
    return sum(c["hits"] for c in cells), sum(c["repetitions"] for c in cells)


def of(cells: Sequence[Row]) -> str:
    return share(*total(cells))
