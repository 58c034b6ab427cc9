"""A team's own candidates: the plainest of the default ones, so that a search has one winner, and a useless one."""

from __future__ import annotations

from typing import Any

from storage.stream import Stream
from training.pipelines import build
from training.recipes import default_recipes


def plain(stream: Stream) -> Any:
    return build(default_recipes(stream)[0], stream, 0)


def poor(stream: Stream) -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="most_frequent")
