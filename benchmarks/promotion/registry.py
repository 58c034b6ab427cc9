"""The sections of docs/promotion.md, in the order of the page. To add one: its module here, and its name."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from benchmarks.promotion.section import Section

SECTIONS = (
    "search_speed",
    "quality",
    "refit",
    "tuning",
    "embeddings",
    "shifts",
    "replays",
    "answered",
    "flip",
    "label_feed",
    "other_streams",
    "latency",
    "races",
    "monthly",
    "probation",
    "pays",
)


def section(name: str) -> Section:
    """The module of a section, imported when it is asked for: measuring one needs nothing of the others."""
    return cast(Section, import_module(f"benchmarks.promotion.{name}"))
