"""Words that are never taken out: programs and settings are written in them, and without them documents break."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from trueup.flows.settings import Settings
from trueup.storage.erasure.needles import Needles, words_in
from trueup.storage.promotions import VersionRecord

_SIGNS = f"{string.punctuation} "
_OF_AN_ID = re.compile(r"[0-9a-f]{4}|[0-9a-f]{8}|[0-9a-f]{12}")  # parts of a UUID, such as "cafe"


def without_needed(needles: Needles, settings: Settings, records: Iterable[VersionRecord]) -> Needles:
    """The needles but for words of programs, of UUIDs, and of settings: today's, and those that versions were made by.

    Columns, classes and streams are named in every document, and MLflow knows its experiments by them.
    """
    said = {*_texts(settings.model_dump(mode="json"))}
    for record in records:
        said |= {*_texts(record.document.get("settings", {}))}
    needed = words_of_programs() | words_in(said)
    values = needed | {_bare(text) for text in said}
    return Needles(
        [word for word in needles.words - needed if not _OF_AN_ID.fullmatch(word)],
        [value for value in needles.values if _bare(value) not in values],
    )


def _bare(value: str) -> str:
    """The value in small letters without the signs around it: "Error." would be taken out of a page's program."""
    return value.lower().strip(_SIGNS)


def _texts(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for key, value in document.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(document, list):
        for one in document:
            yield from _texts(one)


@cache
def words_of_programs() -> frozenset[str]:
    """Words that trueup and Evidently themselves write; they name nobody."""
    found = set[str]()
    ours = Path(__file__).resolve().parents[2]
    roots = [Path(place) for place in getattr(find_spec("evidently"), "submodule_search_locations", None) or ()]
    roots += [ours / room for room in ("storage", "feedback", "monitoring", "training", "reports", "flows")]
    for root in roots:
        for file in root.rglob("*"):
            if file.suffix in {".py", ".js", ".html", ".css", ".md"} and file.is_file():
                found |= words_in([file.read_text(encoding="utf-8", errors="ignore")])
    return frozenset(found)
