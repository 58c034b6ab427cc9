"""The runbook's sections: what a code means, what causes it, what to check, what to do, when to ignore it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from trueup.storage.errors import InputError

RUNBOOK = Path(__file__).with_name("runbook.md")
_HEADING = re.compile(r"^## (\S+)$", re.MULTILINE)


def runbook_codes() -> tuple[str, ...]:
    """The codes that have a section, in its order."""
    return tuple(_sections())


def runbook_code(code: str) -> str:
    """The code under which a signal's, test's or incident's own code stands: DRF-IN for DRF-IN-price; "" for none."""
    wanted = code.strip().casefold()
    known = (name for name in _sections() if wanted == name.casefold() or wanted.startswith(f"{name.casefold()}-"))
    return max(known, key=len, default="")


def runbook_anchor(code: str) -> str:
    """The name under which a code's section is linked to, as in `runbook.md#drf-in`; "" where it has none."""
    return runbook_code(code).casefold()


def runbook_page(code: str) -> str:
    """A code's section, as Markdown.

    Raises:
        InputError: no section is about this code.
    """
    found = runbook_code(code)
    if not found:
        raise InputError(f"The runbook has no section '{code[:60]}'. `trueup runbook` lists its codes.")
    return f"## {found}\n\n{_sections()[found]}\n"


def runbook_text(code: str) -> str:
    """A code's section as plain text: one paragraph for each question, no line broken.

    Raises:
        InputError: no section is about this code.
    """
    lines = runbook_page(code).removeprefix("## ").replace("**", "").replace("`", "")
    return re.sub(r"^- ", "", re.sub(r"\n +", " ", lines), flags=re.MULTILINE).replace(".\n", ".\n\n").strip()


@cache
def _sections() -> dict[str, str]:
    parts = _HEADING.split(RUNBOOK.read_text(encoding="utf-8"))[1:]
    texts = (re.split(r"^# ", text, flags=re.MULTILINE)[0].strip() for text in parts[1::2])
    return dict(zip(parts[::2], texts, strict=True))
