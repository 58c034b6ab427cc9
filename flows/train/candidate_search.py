"""The search of a training: its candidates, what is drawn of the stream's spaces, and how they are written down."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    from trueup.training.candidates.recipes import Recipe
    from trueup.training.search import SearchResult


@dataclass(frozen=True)
class Searched:
    """What a search found, and the recipes that were drawn for it, tried or not."""

    result: SearchResult
    drawn: tuple[Recipe, ...]

    def trials(self, winner: Recipe) -> list[dict[str, Any]]:
        """Every trial as it is kept and printed; one that won and was calibrated is drawn if it was drawn without."""
        drawn = {replace(recipe, calibration="none") for recipe in self.drawn}
        return [
            {
                **trial.recipe.params(),
                "metrics": trial.metrics,
                "blocks": trial.blocks,
                "seconds": round(trial.seconds, 3),
                "failed": trial.failed,
                "winner": trial.recipe == winner,
                "drawn": replace(trial.recipe, calibration="none") in drawn,
            }
            for trial in self.result.trials
        ]

    def drawn_params(self) -> list[dict[str, str]]:
        """What was drawn, in the order in which it was to be tried."""
        return [recipe.params() for recipe in self.drawn]


def search_candidates(stream: StreamSettings, rows: Rows, seed: int, on_candidate: Callable[[Any], None]) -> Searched:
    """The candidates compared on the training side of the snapshot, within the stream's time limit.

    The drawn ones come last: of two equal candidates the earlier wins, so a lucky draw replaces nothing.
    """
    from trueup.training.candidates.recipes import candidates
    from trueup.training.candidates.spaces import drawn_recipes
    from trueup.training.search import search

    learning = rows.take(~rows.meta["evaluation"].to_numpy())
    drawn = drawn_recipes(stream, seed, learning)
    tried = (*candidates(stream, learning), *drawn)
    return Searched(search(stream, learning, tried, seed, time.monotonic, on_candidate), drawn)
