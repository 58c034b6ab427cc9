"""A team's own candidate for many replays: one family instead of the whole default search."""

from __future__ import annotations

from typing import Any

from storage.stream import Stream
from training.pipelines import build
from training.recipes import default_recipes

NAME = f"{__name__}:one_family"


def one_family(stream: Stream) -> Any:
    """Logistic regression over words where there is text; else a forest: on columns alone others lag far behind."""
    family = "logistic_regression" if stream.text else "random_forest"
    return build(next(recipe for recipe in default_recipes(stream) if recipe.model == family), stream, 0)
