"""Does drawing hyperparameters pay on streams of numbers? Spaces beside the default candidates, by later rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from benchmarks import jobs
from benchmarks.detection.estimated import SETS, taken_in
from benchmarks.page import table
from benchmarks.promotion.made_tables import RULES, made_table
from benchmarks.promotion.section import Bound, Options
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training import search as searching
from trueup.training.candidates.recipes import Recipe, candidates
from trueup.training.candidates.spaces import drawn_recipes
from trueup.training.models.feature_cache import Block, Matrices, Predictions
from trueup.training.models.fitting import ordered_classes, targets
from trueup.training.models.metrics import all_metrics
from trueup.training.models.recency import recent_row_count

TITLE = "Tuning on streams of numbers"
KEPT = "cases.jsonl"
CUTS = (2000, 5000)  # rows of a real set that are known; the odd ones tune, the even ones are shown
LATER = 2000  # rows that follow a cut, which the winners are judged on
SIZES = (1500,)  # rows of a made table that are known
SEEDS = (2, 1)  # of each made table: the even one is shown
DRAWS = 2000

BOOSTING: dict[str, Any] = {
    "learning_rate": {"low": 0.02, "high": 0.3, "scale": "log"},
    "max_iter": {"low": 50, "high": 300, "scale": "log"},
    "max_leaf_nodes": {"low": 7, "high": 63, "scale": "log"},
    "min_samples_leaf": {"low": 5, "high": 80, "scale": "log"},
    "l2_regularization": [0.0, 1.0, 10.0],
}
FOREST: dict[str, Any] = {
    "min_samples_leaf": {"low": 1, "high": 20, "scale": "log"}, "max_features": {"low": 0.2, "high": 1.0},
}  # fmt: skip
LINEAR: dict[str, dict[str, Any]] = {
    "classification": {"logistic_regression": {"C": {"low": 0.01, "high": 100.0, "scale": "log"}}},
    "regression": {"ridge": {"alpha": {"low": 0.01, "high": 1000.0, "scale": "log"}}},
}
DEFAULT = "default"
LARGER = "one larger boosting, not drawn"
WAYS: dict[str, int] = {
    DEFAULT: 0, LARGER: 3, "boosting, 10 drawn": 10, "boosting, 30 drawn": 30, "boosting, forest, linear, 30 drawn": 30,
}  # fmt: skip


def spaces_of_way(way: str, task: str) -> dict[str, Any]:
    """What stands in `training.spaces` of a way."""
    if way == DEFAULT:
        return {}
    if way == LARGER:
        return {"gradient_boosting": {"max_iter": 300, "max_leaf_nodes": 31}}
    if way.startswith("boosting, forest"):
        return {"gradient_boosting": BOOSTING, "random_forest": FOREST, **LINEAR[task]}
    return {"gradient_boosting": BOOSTING}


@dataclass
class Fits(Matrices):
    """Answers that are computed once, however many searches ask; `seconds` of the processor that each took."""

    known: dict[tuple[Recipe, int], Predictions] = field(default_factory=dict)
    seconds: dict[tuple[Recipe, int], float] = field(default_factory=dict)
    asked: set[tuple[Recipe, int]] = field(default_factory=set)

    def answers(self, recipe: Recipe, at: int) -> Predictions:
        if (recipe, at) not in self.known:
            start = time.process_time()
            self.known[recipe, at] = super().answers(recipe, at)
            self.seconds[recipe, at] = time.process_time() - start
        self.asked.add((recipe, at))
        return self.known[recipe, at]


def case(stream: StreamSettings, past: Rows, later: Rows, seed: int) -> dict[str, Any]:
    """Every way on one history: its winner and the best of its candidates, both judged by the rows that follow."""
    learning = past.take(~past.meta["evaluation"].to_numpy(dtype=bool))
    learning, later = learning.take(learning.labelled), later.take(later.labelled)
    classes = ordered_classes(stream, learning.meta["label"].to_numpy())
    afterwards = Fits(stream, learning, (Block(learning, later),), seed, recent_row_count(stream, past))
    fits: list[Fits] = []

    def once(*told: Any) -> Fits:
        if not fits:
            fits.append(Fits(*told))
        return fits[0]

    def judged(recipe: Recipe) -> float:
        figures = all_metrics(stream.task, targets(stream, later), *afterwards.answers(recipe, 0), classes)
        return figures[stream.metric]

    ways = {}
    for way, most in WAYS.items():
        training = stream.training.model_copy(
            update={"spaces": spaces_of_way(way, stream.task), "configurations": max(most, 1)}
        )
        drawn = drawn_recipes(stream.model_copy(update={"training": training}), seed, learning)
        tried = (*candidates(stream, learning), *drawn)
        with mock.patch.object(searching, "Matrices", once):  # each fit is made once for all ways
            winner = searching.search(stream, learning, tried, seed, lambda: 0.0).winner
        seconds = sum(fits[0].seconds[fit] for fit in fits[0].asked)
        fits[0].asked.clear()
        best = (min if stream.lower_is_better else max)(map(judged, tried))
        ways[way] = {
            "winner": winner.name, "hyper": dict(winner.hyper), "drawn": winner in drawn, "metric": judged(winner),
            "best": best, "seconds": seconds, "tried": len(tried),
        }  # fmt: skip
    return {"task": stream.task, "labels": len(learning), "metric": stream.metric, "ways": ways}


def real(name: str, number: int) -> dict[str, Any]:
    """One cut of a real set; the first cut is number 1."""
    stream, rows = taken_in(next(one for one in SETS if one.name == name))
    rows = rows.take(rows.labelled)
    cut = CUTS[number - 1]
    found = case(stream, rows.take(slice(0, cut)), rows.take(slice(cut, cut + LATER)), number)
    return {"set": name, "shown": number % 2 == 0, **found}


def made(rule: str, task: str, size: int, seed: int) -> dict[str, Any]:
    """One made table."""
    stream, rows = made_table(rule, task, size + LATER, seed)
    found = case(stream, rows.take(slice(0, size)), rows.take(slice(size, None)), seed)
    return {"set": rule, "shown": seed % 2 == 0, **found}


def every_case() -> dict[str, Callable[[], dict[str, Any]]]:
    """What is measured, by name: the shown half, then the one to choose by."""
    tasks = ("classification", "regression")
    todo: dict[str, Callable[[], dict[str, Any]]] = {}
    for seed in SEEDS:
        todo |= {
            f"{rule}, {task}, {size} rows, seed {seed}": partial(made, rule, task, size, seed)
            for size in SIZES
            for rule in RULES
            for task in tasks
        }
        todo |= {
            f"{name}, {cut} rows": partial(real, name, number)
            for number, cut in enumerate(CUTS, 1)
            if number % 2 == seed % 2
            for name in ("bike", "elec2")
        }
    return todo


def measure(options: Options) -> dict[str, Any]:
    """All cases, each kept as soon as it is done."""
    chosen = [jobs.Job(name, work) for name, work in every_case().items()]
    return {"cases": jobs.run(options.folder / KEPT, chosen[:1] if options.quick else chosen, options.processes)}


def so_far(folder: Path) -> dict[str, Any]:
    """What a run has found by now."""
    return {"cases": jobs.done_so_far(folder / KEPT)}


Cases = Sequence[dict[str, Any]]


def gain(one: dict[str, Any], way: str, figure: str = "metric") -> float:
    """Over the default's winner: points of the metric; of an error the percent that it is smaller by."""
    ours, before = one["ways"][way][figure], one["ways"][DEFAULT]["metric"]
    return float(100 * (before - ours) / before if one["task"] == "regression" else 100 * (ours - before))


def interval(gains: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of a mean, by a bootstrap over cases."""
    rng = np.random.default_rng(0)
    means = rng.choice(gains, size=(DRAWS, len(gains))).mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def times(cases: Cases, way: str) -> float:
    """How many times the default's seconds a search takes."""
    return sum(one["ways"][way]["seconds"] for one in cases) / sum(one["ways"][DEFAULT]["seconds"] for one in cases)


def best_way(cases: Cases) -> str:
    """The way with the largest mean gain; the default's is 0."""
    return max(WAYS, key=lambda way: float(np.mean([gain(one, way) for one in cases])))


def _rows(cases: Cases) -> list[tuple[str, ...]]:
    found = []
    for way in WAYS:
        gains = [gain(one, way) for one in cases]
        low, high = interval(gains)
        said = "–" if way == DEFAULT else f"{np.mean(gains):+.2f} [{low:+.2f}, {high:+.2f}]"
        other = [g for g in gains if g]
        found.append((
            way, str(max(one["ways"][way]["tried"] for one in cases)), said,
            f"{sum(g > 0 for g in other)} / {sum(g < 0 for g in other)}", f"{times(cases, way):.1f}",
            f"{np.mean([gain(one, way, 'best') for one in cases]):+.2f}",
        ))  # fmt: skip
    return found


def _verdict(tuned: Cases, shown: Cases, unit: str) -> str:
    way = best_way(tuned)
    if way == DEFAULT:
        return f"On the half to choose by nothing gained over the default, so the default stays ({unit})."
    gains = [gain(one, way) for one in shown]
    low, high = interval(gains)
    gained = f"{np.mean(gains):+.2f} [{low:+.2f}, {high:+.2f}] {unit}"
    told = "more than nothing" if low > 0 else "not shown to be more than nothing, so the default stays"
    return f"Chosen on one half: {way}. On the other it gains {gained} at {times(shown, way):.1f} × the time: {told}."


HEAD = ("tried beside the default", "candidates", "gain", "better / worse", "× time", "best with hindsight")
UNITS = {"classification": "points of macro-F1", "regression": "% of the error"}


def page(found: dict[str, Any]) -> list[str]:
    lines = TEXT.strip().splitlines()
    measured, of = len(found["cases"]), len(every_case())
    if measured < of:
        lines += ["", f"**Measured so far: {measured} of {of} cases.** Too few to choose a default by."]
    for task, unit in UNITS.items():
        mine = [one for one in found["cases"] if one["task"] == task]
        halves = {half: [one for one in mine if one["shown"] == (half == "shown")] for half in ("shown", "chosen by")}
        for half, cases in halves.items():
            if cases:
                title = f"{task.capitalize()}, {half}: {len(cases)} cases, gain in {unit}"
                lines += ["", f"**{title}**", "", table(HEAD, _rows(cases))]
        if all(halves.values()):
            lines += ["", _verdict(halves["chosen by"], halves["shown"], unit)]
    by_set = _by_set(found["cases"])
    return [*lines, "", "Mean gain by stream, both halves:", "", table(("stream", "cases", *list(WAYS)[1:]), by_set)]


def _by_set(cases: Cases) -> list[tuple[str, ...]]:
    kinds = dict.fromkeys((one["set"], one["task"]) for one in cases)
    found = []
    for name, task in kinds:
        mine = [one for one in cases if (one["set"], one["task"]) == (name, task)]
        means = (f"{np.mean([gain(one, way) for one in mine]):+.2f}" for way in list(WAYS)[1:])
        found.append((f"{name} ({task})", str(len(mine)), *means))
    return found


def bounds(found: dict[str, Any]) -> list[Bound]:
    return []


def _either(counts: Sequence[int]) -> str:
    return " or ".join(f"{count:,}" for count in counts)


TEXT = f"""
Candidates drawn from [`training.spaces`](settings.md#values-to-be-tried) beside the default ones, through the same
search on the same time-ordered blocks. Each winner is fitted on the training side of what is known and judged by the
{LATER:,} rows that follow: bike (mean absolute error) and elec2 (macro-F1), of which {_either(CUTS)} rows are
known, and made tables of eight columns (`made_tables.py`: additive, with interactions, with interactions in noise), of
which {_either(SIZES)} rows are known, with {len(SEEDS)} seeds. Every other cut and seed is there to choose a way
by; the others are shown. "Gain" is over the winner of the default search, with a 95 % interval of a
bootstrap over cases; "× time" is the processor time of the search, with one thread; "best with hindsight" is what the
best candidate would have gained, had the later rows been known.

Boosting is drawn from `learning_rate` .02 to .3, `max_iter` 50 to 300, `max_leaf_nodes` 7 to 63, `min_samples_leaf` 5
to 80 (all logarithmic) and `l2_regularization` 0, 1, 10; the forest from `min_samples_leaf` 1 to 20 and `max_features`
.2 to 1; ridge and logistic regression over four to five powers of ten. The larger boosting is `max_iter = 300` and
`max_leaf_nodes = 31`.
"""
