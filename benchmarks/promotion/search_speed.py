"""The default search beside scikit-learn's GridSearchCV: the same candidates, folds and weights, one process."""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from benchmarks.detection.estimated import SETS, taken_in
from benchmarks.page import table
from benchmarks.promotion.section import Bound, Options
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.pipelines import build_estimator, build_features
from trueup.training.candidates.recipes import Recipe, default_recipes
from trueup.training.models.feature_cache import Block
from trueup.training.models.fitting import ages, balanced, ordered_classes, read_answers
from trueup.training.models.metrics import all_metrics
from trueup.training.models.recency import recent_row_count
from trueup.training.models.validation_blocks import validation_blocks
from trueup.training.search import search

TITLE = "Time of the search"
QUICK = 900  # rows
OURS, HALVING, PLAIN, MEMORY = "trueup, every candidate on every block", "trueup, as it is (halving)", "GridSearchCV", (
    "GridSearchCV over Pipeline(memory=…)"
)
BOUNDS = {PLAIN: 0.30, MEMORY: 0.60}


class Weighted(ClassifierMixin, BaseEstimator):
    """A model fitted with the weights that ours is fitted with: GridSearchCV cannot make them fold by fold."""

    def __init__(self, base: Any, recipe: Recipe, stream: StreamSettings, newest: int) -> None:
        self.base, self.recipe, self.stream, self.newest = base, recipe, stream, newest

    def __sklearn_clone__(self) -> Weighted:
        return Weighted(clone(self.base), self.recipe, self.stream, self.newest)

    def fit(self, rows: Any, target: np.ndarray) -> Weighted:
        weights = balanced(self.stream, target, ages(self.recipe, len(target), self.newest))
        self.base_ = self.base.fit(rows, target, sample_weight=weights)
        self.classes_ = self.base_.classes_
        return self

    def answers(self, rows: Any) -> tuple[np.ndarray, np.ndarray]:
        return read_answers(self.base_, self.stream, rows)


def measure(options: Options) -> dict[str, Any]:
    """Wall and processor time on Greenlight's training side, and the largest difference of a mean figure."""
    from threadpoolctl import threadpool_limits

    stream, rows = taken_in(next(one for one in SETS if one.name == "greenlight"))
    rows = rows.take(~rows.meta["evaluation"].to_numpy(dtype=bool))
    rows = rows.newest(QUICK) if options.quick else rows
    recipes = default_recipes(stream)
    recipes = recipes[:: len(recipes) // 5] if options.quick else recipes
    found: dict[str, Any] = {"labels": int(rows.labelled.sum()), "candidates": len(recipes), "ways": {}}
    figures: dict[str, dict[Recipe, dict[str, float]]] = {}
    ways: dict[str, Callable[[], dict[Recipe, dict[str, float]]]] = {
        OURS: lambda: _ours(stream, rows, recipes, 1.0),
        HALVING: lambda: _ours(stream, rows, recipes, 1 / 3),
        PLAIN: lambda: _grid(stream, rows, recipes, ""),
        MEMORY: lambda: _in_memory(stream, rows, recipes),
    }
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _ours(stream, rows.newest(400), recipes[:2], 1.0)  # imports
        for way, run in ways.items():
            wall, cpu = time.perf_counter(), time.process_time()
            figures[way] = run()
            found["ways"][way] = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    for way in (PLAIN, MEMORY):
        found["ways"][way]["apart"] = max(
            abs(value - figures[OURS][recipe][name])
            for recipe, given in figures[way].items()
            for name, value in given.items()
        )
    return found


def _ours(stream: StreamSettings, rows: Rows, recipes: Sequence[Recipe], keep: float) -> dict[Recipe, dict[str, float]]:
    unhurried = stream.model_copy(update={"training": stream.training.model_copy(update={"time_limit": "10h"})})
    found = search(unhurried, rows, recipes, 0, time.monotonic, keep=keep)
    return {trial.recipe: trial.metrics for trial in found.trials}


def _in_memory(stream: StreamSettings, rows: Rows, recipes: Sequence[Recipe]) -> dict[Recipe, dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        return _grid(stream, rows, recipes, folder)


def _grid(stream: StreamSettings, rows: Rows, recipes: Sequence[Recipe], memory: str) -> dict[Recipe, dict[str, float]]:
    """One grid for each length of history, since the folds differ."""
    newest = recent_row_count(stream, rows)
    labelled = rows.take(rows.labelled)
    found: dict[Recipe, dict[str, float]] = {}
    for short in (False, True):
        own = [recipe for recipe in recipes if (recipe.history == "newest") == short]
        if own:
            folds = [_fold(labelled, block, newest if short else None) for block in validation_blocks(stream, rows)]
            found |= _searched(stream, labelled, own, folds, newest, memory)
    return found


def _fold(labelled: Rows, block: Block, newest: int | None) -> tuple[np.ndarray, np.ndarray]:
    place = {seq: at for at, seq in enumerate(labelled.meta["seq"])}
    before, judged = (np.array([place[seq] for seq in part.meta["seq"]]) for part in (block.before, block.judged))
    return (before if newest is None else before[-newest:]), judged


def _searched(
    stream: StreamSettings, labelled: Rows, recipes: Sequence[Recipe], folds: Sequence[Any], newest: int, memory: str
) -> dict[Recipe, dict[str, float]]:
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import Pipeline

    classes = ordered_classes(stream, labelled.meta["label"].to_numpy())
    grid = [
        {"features": [build_features(recipe, stream)],
         "model": [Weighted(build_estimator(replace(recipe, calibration="none"), stream, 0), recipe, stream, newest)]}
        for recipe in recipes
    ]

    def figures(fitted: Any, columns: Any, target: Any) -> dict[str, float]:
        return all_metrics(stream.task, target, *fitted[-1].answers(fitted[:-1].transform(columns)), classes)

    names = ("accuracy", "f1_score", "f1_macro", "roc_auc")
    searched = GridSearchCV(
        Pipeline([("features", "passthrough"), ("model", "passthrough")], memory=memory or None),
        grid, scoring=figures, cv=folds, refit=False, n_jobs=1, error_score="raise",
    )
    searched.fit(labelled.features[list(stream.features)], labelled.meta["label"].to_numpy().astype(str))
    return {
        recipe: {name: float(searched.cv_results_[f"mean_test_{name}"][at]) for name in names}
        for at, recipe in enumerate(recipes)
    }


def page(found: dict[str, Any]) -> list[str]:
    """The four ways side by side."""
    ways = found["ways"]
    rows = [
        [way, f"{t['wall']:.1f} s", f"{t['cpu']:.1f} s", _share(ways, way, "wall"), _share(ways, way, "cpu"),
         f"{t['apart']:.1g}" if "apart" in t else "–"]
        for way, t in ways.items()
    ]
    return [
        f"{found['candidates']} candidates on three folds of Greenlight's {found['labels']} labelled training rows, in "
        "one process with one thread. The share is of the time of trueup's search of every candidate on every block.",
        "",
        table(("way", "wall", "processor", "ours of its wall", "ours of its processor", "figures apart by"), rows),
    ]


def _share(ways: dict[str, Any], way: str, what: str) -> str:
    return f"{ways[OURS][what] / ways[way][what]:.2f}" if way in BOUNDS else "–"


def bounds(found: dict[str, Any]) -> list[Bound]:
    """Its rows of the table at the top."""
    ways = found["ways"]
    return [
        (
            "default search on Greenlight, same candidates and folds, one process",
            way,
            f"≤ {bound:.2f} of its time, same scores",
            f"{_share(ways, way, 'wall')} of its wall time, {_share(ways, way, 'cpu')} of its processor time; "
            f"scores apart by {ways[way]['apart']:.1g} at most",
        )
        for way, bound in BOUNDS.items()
    ]
