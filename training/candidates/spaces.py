"""Candidates drawn at random from the values that `training.spaces` names for a family's hyperparameters.

To let one more be tuned: its line in PARAMETERS. What is drawn are recipes like all others, for the same search.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import product
from typing import TYPE_CHECKING, Any

from trueup.storage.stream import StreamSettings
from trueup.training.candidates.estimators import FAMILIES, Hyper, estimator_named
from trueup.training.candidates.recipes import Recipe, candidates

if TYPE_CHECKING:
    import numpy as np

    from trueup.storage.rows import Rows

Number = int | float
Fault = tuple[tuple[str, ...], str, object]
"""Where in `training.spaces` something is wrong, what, and the value."""


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter that may be tuned: its limits, both included, and whether it is a whole number."""

    low: Number
    high: Number
    whole: bool = False

    @property
    def kind(self) -> str:
        return f"a {'whole ' if self.whole else ''}number from {self.low:g} to {self.high:g}"

    def allows(self, value: object) -> bool:
        wanted = int if self.whole else (int, float)
        return isinstance(value, wanted) and not isinstance(value, bool) and self.low <= value <= self.high


_WEIGHT = Parameter(1e-6, 1e6)
_LEARNING_RATE = Parameter(1e-3, 1)
_TREES = Parameter(1, 2000, whole=True)
_DEPTH = Parameter(1, 64, whole=True)
_LEAVES = Parameter(2, 1024, whole=True)
_ROWS = Parameter(1, 100_000, whole=True)
_SHARE = Parameter(0.01, 1)
_PENALTY = Parameter(0, 1e4)

# By estimator, as it calls them itself (`estimators.py`); one that is not here has none to be tuned.
PARAMETERS: Mapping[str, Mapping[str, Parameter]] = {
    "logistic_regression": {"C": _WEIGHT},
    "linear_svm": {"C": _WEIGHT},
    "linear_svr": {"C": _WEIGHT},
    "ridge": {"alpha": _WEIGHT},
    "random_forest": {
        "n_estimators": _TREES, "min_samples_leaf": _ROWS, "max_depth": _DEPTH, "max_features": _SHARE,
    },
    "gradient_boosting": {
        "learning_rate": _LEARNING_RATE, "max_iter": _TREES, "max_leaf_nodes": _LEAVES, "max_depth": _DEPTH,
        "min_samples_leaf": _ROWS, "l2_regularization": _PENALTY, "max_features": _SHARE,
    },
    "adaboost": {"n_estimators": _TREES, "max_depth": _DEPTH},
    "xgboost": {"learning_rate": _LEARNING_RATE, "trees": _TREES, "max_leaves": _LEAVES, "reg_lambda": _PENALTY},
    "lightgbm": {
        "learning_rate": _LEARNING_RATE, "trees": _TREES, "num_leaves": _LEAVES, "min_data_in_leaf": _ROWS,
        "lambda_l2": _PENALTY,
    },
}  # fmt: skip
RANGE = ("low", "high", "scale")  # the keys of a range
SCALES = ("linear", "log")
ROUNDS = 50  # of drawing until there are enough that are no doubles
DIGITS = 3  # significant ones of a drawn number


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included, drawn evenly on a linear or logarithmic scale."""

    low: Number
    high: Number
    log: bool
    whole: bool

    @property
    def count(self) -> float:
        return self.high - self.low + 1 if self.whole else math.inf

    def at(self, share: float) -> Number:
        """The number below which a share (0 to 1) of what is drawn lies."""
        low, high = self.low, self.high + self.whole
        value = low * (high / low) ** share if self.log else low + share * (high - low)
        rounded = math.floor(value) if self.whole else float(f"{value:.{DIGITS}g}")
        return min(max(rounded, self.low), self.high)

    def every(self) -> Sequence[Number]:
        return range(int(self.low), int(self.high) + 1)


@dataclass(frozen=True)
class Listed:
    """Values that are drawn equally often, each where as many are drawn."""

    values: tuple[Any, ...]

    @property
    def count(self) -> float:
        return len(self.values)

    def at(self, share: float) -> Any:
        """The value below which a share (0 to 1) of what is drawn lies."""
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    def every(self) -> Sequence[Any]:
        return self.values


Axis = Range | Listed


@dataclass(frozen=True)
class Space:
    """What may be drawn of one family: ways to read features and history, and the values of each hyperparameter."""

    ways: Listed
    axes: Mapping[str, Axis]

    @property
    def count(self) -> float:
        """How many configurations there are."""
        return self.ways.count * math.prod(axis.count for axis in self.axes.values())

    def recipe(self, way: Recipe, values: Sequence[Number]) -> Recipe:
        """A way with its hyperparameters, those of the space replaced by the values."""
        hyper: Hyper = tuple((dict(way.hyper) | dict(zip(self.axes, values, strict=True))).items())
        return replace(way, hyper=hyper)

    def drawn(self, most: int, known: frozenset[Recipe], rng: np.random.Generator) -> tuple[Recipe, ...]:
        """At most so many configurations that are not `known`: all, where these are no more, else drawn at random.

        Drawn is by Latin hypercube (McKay, Beckman and Conover 1979): of n, one from each n-th part of every range,
        and each way and each value of a list equally often.
        """
        axes = tuple(self.axes.values())
        if self.count <= most:
            every = (self.recipe(way, values) for way, *values in product(self.ways.values, *(a.every() for a in axes)))
            return tuple(recipe for recipe in dict.fromkeys(every) if recipe not in known)
        found: dict[Recipe, None] = {}
        for _ in range(ROUNDS):
            for way, *shares in _latin_hypercube(most - len(found), 1 + len(axes), rng):
                values = [axis.at(share) for axis, share in zip(axes, shares, strict=True)]
                if (recipe := self.recipe(self.ways.at(way), values)) not in known:
                    found[recipe] = None
        return tuple(found)


def _latin_hypercube(count: int, dimensions: int, rng: np.random.Generator) -> Iterator[tuple[float, ...]]:
    strata = [(rng.permutation(count) + rng.random(count)) / count for _ in range(dimensions)] if count else []
    yield from zip(*(stratum.tolist() for stratum in strata), strict=True)


def drawn_recipes(stream: StreamSettings, seed: int, rows: Rows | None = None) -> tuple[Recipe, ...]:
    """The configurations of `training.spaces` that are tried beside the candidates: as many as `configurations`.

    The families share them equally; one whose space is smaller leaves the rest to the others. Neither the order of the
    tables nor another family's values change what is drawn of one, as long as its share is the same.

    Args:
        seed: of the search.
        rows: that will be learnt from, as for `candidates`.

    Raises:
        ValueError: the spaces do not fit the stream; `space_faults` says where.
    """
    import numpy as np

    known, defaults = frozenset(candidates(stream, rows)), _defaults(stream, rows)
    spaces = {family: _space(family, table, defaults) for family, table in stream.training.spaces.items()}
    spaces = {family: space for family, space in spaces.items() if space.ways.values}
    left, drawn = stream.training.configurations, {}
    for place, family in enumerate(sorted(spaces, key=lambda name: (spaces[name].count, name))):
        rng = np.random.default_rng([seed, *family.encode()])
        drawn[family] = spaces[family].drawn(left // (len(spaces) - place), known, rng)
        left -= len(drawn[family])
    order = dict.fromkeys(family.estimator.name for family in FAMILIES)  # of equals the earlier wins, so plain first
    return tuple(recipe for family in order for recipe in drawn.get(family, ()))


def _space(family: str, table: Mapping[str, Any], defaults: Sequence[Recipe]) -> Space:
    axes = {name: _axis(parameter, table[name]) for name, parameter in PARAMETERS[family].items() if name in table}
    ways: dict[Recipe, Recipe] = {}  # of defaults that differ in nothing but what is drawn, one
    for recipe in defaults:
        if recipe.model == family:
            fixed = tuple((name, value) for name, value in recipe.hyper if name not in axes)
            ways.setdefault(replace(recipe, hyper=fixed), recipe)
    return Space(Listed(tuple(ways.values())), axes)


def _defaults(stream: StreamSettings, rows: Rows | None = None) -> tuple[Recipe, ...]:
    training = stream.training.model_copy(update={"candidates": ("default",)})
    return candidates(stream.model_copy(update={"training": training}), rows)


def space_faults(stream: StreamSettings) -> Iterator[Fault]:
    """What is wrong with `training.spaces`: where within it, what is allowed there, and the value."""
    spaces = stream.training.spaces
    if spaces and not stream.training.candidates:
        yield (), "spaces are tried beside candidates, and `candidates = []` leaves all to the trainer", spaces
        return
    tunable = [name for name in dict.fromkeys(recipe.model for recipe in _defaults(stream)) if name in PARAMETERS]
    for family, table in spaces.items():
        if family not in tunable:
            yield (family,), _no_family(family, tunable), table
        elif not table:
            yield (family,), f"names no hyperparameter; write some of {', '.join(PARAMETERS[family])}", table
        else:
            yield from _faults_of(family, table)


def _no_family(family: str, tunable: Sequence[str]) -> str:
    needs = estimator_named(family).needs if family in PARAMETERS else ""
    if needs and find_spec(needs) is None:
        return f"{needs} is not installed here; install the extra `boosting`, or leave the table out"
    return f"no family of this stream that could be tuned; write one of {', '.join(tunable) or '(there is none)'}"


def _faults_of(family: str, table: Mapping[str, Any]) -> Iterator[Fault]:
    for name, value in table.items():
        parameter = PARAMETERS[family].get(name)
        if parameter is None:
            allowed = ", ".join(PARAMETERS[family])
            yield (family, name), f"no hyperparameter of {family} that could be tuned; write some of {allowed}", value
            continue
        try:
            _axis(parameter, value)
        except ValueError as error:
            yield (family, name), str(error), value


def _axis(parameter: Parameter, value: Any) -> Axis:
    """The values that are written of a hyperparameter: a number, a list of numbers, or a range.

    Raises:
        ValueError: it is none of these; the message says what is allowed.
    """
    if isinstance(value, dict):
        return _range(parameter, value)
    values = value if isinstance(value, list) else [value]
    if not values or not all(parameter.allows(one) for one in values):
        raise ValueError(f"write {parameter.kind}, a list of such, or a range {{ low = …, high = … }}")
    return Listed(tuple(dict.fromkeys(values if parameter.whole else map(float, values))))


def _range(parameter: Parameter, written: Mapping[str, Any]) -> Range:
    low, high, scale = written.get("low"), written.get("high"), written.get("scale", SCALES[0])
    if not {"low", "high"} <= written.keys() <= set(RANGE) or scale not in SCALES:
        raise ValueError('a range has low and high, and may have scale = "linear" or "log"')
    if not parameter.allows(low) or not parameter.allows(high):
        raise ValueError(f"low and high are each {parameter.kind}")
    assert low is not None
    assert high is not None
    if low >= high:
        raise ValueError("low is not below high; turn them round, or write the number alone")
    if scale == "log" and low <= 0:
        raise ValueError('a logarithmic range begins above 0; raise low, or take scale = "linear"')
    low, high = (low, high) if parameter.whole else (float(low), float(high))
    return Range(low, high, scale == "log", parameter.whole)
