"""The summary of a snapshot as files: a JSON document, and one self-contained page."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trueup.storage.escaping import for_page
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.artifacts.canvas import COLOURS
from trueup.training.artifacts.data_summary import summarise

SUMMARY_FOLDER = "summary"
_HELD = ("word", "level", "content")  # keys of what records hold
_TEMPLATES = Path(__file__).with_name("templates")


def summary_files(stream: StreamSettings, rows: Rows, mask: Callable[[str], str] = str) -> dict[str, bytes]:
    """The files by path; mask: takes personal data out of a word, a level or a content."""
    found = _masked(summarise(stream, rows), mask)
    document = json.dumps(found, ensure_ascii=False, indent=2).encode(errors="replace")
    return {f"{SUMMARY_FOLDER}/snapshot.json": document, f"{SUMMARY_FOLDER}/snapshot.html": summary_page(found)}


def summary_page(found: dict[str, Any]) -> bytes:
    """The page of a summary; whatever outsiders wrote is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=for_page,
    )  # fmt: skip
    environment.filters |= {"figure": _figure, "percent": _percent}
    colours = {name: COLOURS[k % len(COLOURS)] for k, name in enumerate(found["classes"])}
    most = max(period["rows"] for period in found["periods"])
    text = environment.get_template("snapshot.html").render(found, colours=colours, most=max(1, most))
    return text.encode(errors="replace")  # half a surrogate pair, in a text, is no reason to lose the page


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    """A part of the summary with what records hold masked."""
    if isinstance(value, list):
        return [_masked(one, mask) for one in value]
    if isinstance(value, dict):
        held = {key: one for key, one in value.items() if key in _HELD and isinstance(one, str)}
        return {key: mask(one) if key in held else _masked(one, mask) for key, one in value.items()}
    return value


def _figure(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.3g}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
