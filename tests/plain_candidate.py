"""A team's own candidates: the plainest of the default ones, so that a search has one winner, and a useless one."""

from __future__ import annotations

from typing import Any

from trueup.storage.stream import StreamSettings
from trueup.training.candidates.pipelines import build
from trueup.training.candidates.recipes import WORDS, Recipe


def plain(stream: StreamSettings) -> Any:
    feature, words = ("bow", WORDS) if stream.text else ("tabular", None)
    model = "ridge" if stream.task == "regression" else "logistic_regression"
    hyper = ("alpha" if stream.task == "regression" else "C", 1.0)
    return build(Recipe(model, feature, words, "all", (hyper,)), stream, 0)


def poor(stream: StreamSettings) -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="most_frequent")
