"""docs/performance.md: each subject's table between marks of its own, so that each can be measured alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks import machine
from benchmarks.intake.registry import subject
from benchmarks.intake.subject import Row
from benchmarks.page import table


def section(name: str, rows: Sequence[Row], facts: dict[str, Any]) -> str:
    """A subject's heading, table, command and machine."""
    lines = table(("what", "against", "bound", "measured"), [(r.what, r.against, r.bound, r.measured) for r in rows])
    made = f"Made by `python -m benchmarks.intake {name}`; {machine.said(facts)}."
    return f"## {subject(name).TITLE}\n\n{lines}\n\n{made}"


def written_between(page: str, name: str, text: str) -> str:
    """The page with a subject's part replaced; a part that it lacks is added at its end."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    part = f"{begin}\n{text}\n{end}"
    if begin not in page:
        return f"{page.rstrip()}\n\n{part}\n"
    before, rest = page.split(begin, 1)
    return f"{before}{part}{rest.split(end, 1)[1]}"
