"""docs/promotion.md, from the kept results alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.page import table
from benchmarks.promotion.registry import SECTIONS, section
from benchmarks.promotion.section import Bound

REQUIRED = "## What was required, and what was measured"
BOUND_HEAD = ("what", "against", "bound", "measured")


def document(results: Path, sections: Sequence[str] = SECTIONS) -> str:
    """The page; a section that was never measured says so."""
    kept = {name: json.loads(file.read_text()) for name in sections if (file := file_of(results, name)).exists()}
    asked = [bound for name, whole in kept.items() for bound in section(name).bounds(whole["found"])]
    parts = [HEAD.strip()]
    if any(whole["quick"] for whole in kept.values()):
        parts.append("**A quick look (`--quick`): these figures show that the harness runs, and nothing else.**")
    if asked:
        parts.append(REQUIRED)
        parts.append(table(BOUND_HEAD, asked))
    parts += [_section(name, kept.get(name)) for name in sections]
    return "\n\n".join(parts) + "\n"


def with_section(page: str, name: str, results: Path) -> str:
    """The page with one section as it was measured last, between its marks, and with its rows of what is required.

    Raises:
        ValueError: the page has no such place.
    """
    begins, ends = _marks(name)
    before, found, rest = page.partition(begins)
    _, ended, after = rest.partition(ends)
    if not found or not ended:
        raise ValueError(f"the page has no place for {name}: no lines {begins} and {ends}")
    kept = json.loads(file_of(results, name).read_text())
    return _with_bounds(before, section(name).bounds(kept["found"])) + _section(name, kept) + after


def _with_bounds(page: str, asked: Sequence[Bound]) -> str:
    """The page with these rows in its first table: each in the place of the row of its name, new ones at the end."""
    opening, title, rest = page.partition(REQUIRED)
    rows, end, sections = rest.lstrip().partition("\n\n")
    new = {row.split("|")[1].strip(): row for row in table(BOUND_HEAD, asked).splitlines()[2:]}
    kept = [new.pop(row.split("|")[1].strip(), row) for row in rows.splitlines()]
    return opening + title + "\n\n" + "\n".join([*kept, *new.values()]) + end + sections if title else page


def _marks(name: str) -> tuple[str, str]:
    """The lines between which a section stands."""
    return f"<!-- {name} -->", f"<!-- end of {name} -->"


def file_of(results: Path, name: str) -> Path:
    return results / f"{name}.json"


def _section(name: str, kept: dict[str, Any] | None) -> str:
    begins, ends = _marks(name)
    lines = [begins, f"## {section(name).TITLE}", ""]
    if kept is None:
        return "\n".join([*lines, f"Not measured yet: `python -m benchmarks.promotion --only {name}`.", "", ends])
    lines += section(name).page(kept["found"])
    minutes = round(kept["seconds"] / 60)  # none, where it went on from what a stopped run had kept
    made = f"`--only {name}`{f', {minutes} min' if minutes else ''} with {kept['processes']} processes"
    return "\n".join([*lines, "", f"Made by {made}; {machine.said(kept['machine'])}.", "", ends])


HEAD = """
# Promotion

Does a better model win, does a worse one never take over, and can the champion always come back? Made by

```sh
make bench-promotion     # all sections that are not kept yet, then this page
python -m benchmarks.promotion --only SECTION --into docs/promotion.md
```

Each section says when, on what machine and from which commit it was measured; every experiment is seeded. Real sets are
read from `../shared/data` and described by `examples/*.toml`.
"""
