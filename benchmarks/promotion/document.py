"""docs/promotion.md, from the kept results alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.page import table
from benchmarks.promotion.registry import SECTIONS, section


def document(results: Path, sections: Sequence[str] = SECTIONS) -> str:
    """The page; a section that was never measured says so."""
    kept = {name: json.loads(file.read_text()) for name in sections if (file := file_of(results, name)).exists()}
    asked = [bound for name, whole in kept.items() for bound in section(name).bounds(whole["found"])]
    parts = [HEAD.strip()]
    if any(whole["quick"] for whole in kept.values()):
        parts.append("**A quick look (`--quick`): these figures show that the harness runs, and nothing else.**")
    if asked:
        parts.append("## What was required, and what was measured")
        parts.append(table(("what", "against", "bound", "measured"), asked))
    parts += [_section(name, kept.get(name)) for name in sections]
    return "\n\n".join(parts) + "\n"


def file_of(results: Path, name: str) -> Path:
    return results / f"{name}.json"


def _section(name: str, kept: dict[str, Any] | None) -> str:
    lines = [f"## {section(name).TITLE}", ""]
    if kept is None:
        return "\n".join([*lines, f"Not measured yet: `python -m benchmarks.promotion --only {name}`."])
    lines += section(name).page(kept["found"])
    minutes = round(kept["seconds"] / 60)  # none, where it went on from what a stopped run had kept
    made = f"`--only {name}`{f', {minutes} min' if minutes else ''} with {kept['processes']} processes"
    return "\n".join([*lines, "", f"Made by {made}; {machine.said(kept['machine'])}."])


HEAD = """
# Promotion

Does a better model win, does a worse one never take over, and can the champion always come back? Made by

```sh
make bench-promotion     # all sections that are not kept yet, then this page
python -m benchmarks.promotion --only SECTION --write docs/promotion.md
```

Each section says when, on what machine and from which commit it was measured; every experiment is seeded. Real sets are
read from `../shared/data` and described by `examples/*.toml`.
"""
