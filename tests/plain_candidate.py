"""A team's own candidate: the plainest of the default ones, so that a search has one winner on any machine."""

from __future__ import annotations

from typing import Any

from storage.stream import Stream
from training.pipelines import build
from training.recipes import default_recipes


def plain(stream: Stream) -> Any:
    return build(default_recipes(stream)[0], stream, 0)
