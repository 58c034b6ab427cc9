"""Candidates: what may become champion, as values that can be logged, compared and built again.

To add one: a line in FAMILIES here and its estimator in `estimators.ESTIMATORS`, under the same name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from typing import Literal, cast

from trueup.storage.rows import Rows
from trueup.storage.stream import Stream

Hyper = tuple[tuple[str, float | int | str], ...]
History = Literal["all", "newest", "aged"]
Calibration = Literal["none", "sigmoid"]

WORDS = 10_000  # words and word pairs that a text column may contribute; of n-grams of letters twice as many
TOP_WORDS = 300  # of single words, for trees, which read them as dense columns
MUCH_TEXT = 50_000_000  # characters; their vocabularies would not fit into a gigabyte, so the words are hashed
BOOSTING = ("xgboost", "lightgbm")  # families named after the package that they need
OWN = "own"  # the feature of a team's own candidate, which makes its features itself

# How a feature reads a text column: kinds of counts, how many times `max_features` of them, weighed by TF-IDF or not.
READING: dict[str, tuple[tuple[str, int, bool], ...]] = {
    "bow": (("words", 1, False),),
    "tfidf": (("words", 1, True),),
    "char": (("letters", 2, True),),
    "union": (("words", 1, True), ("letters", 2, True)),
    "top_words": (("single words", 1, False),),
    "hashed": (("hashed words", 1, True),),
}


@dataclass(frozen=True)
class Recipe:
    """How a model is made from rows: enough to build the same one again.

    model: a family of FAMILIES, or a team's own factory as "module:function".
    feature: how text becomes numbers (a name of READING); "tabular" without text; "own" for a team's factory.
    max_features: words kept of each text column; None where there is no text.
    history: fitted on all labelled training rows, on the newest only (after a change of concept the old ones harm), or
        on all with weights that halve with age.
    hyper: (name, value) of the estimator's parameters.
    calibration: whether the chances are mapped to the frequencies seen (`calibration.Calibrated`).
    """

    model: str
    feature: str
    max_features: int | None
    history: History
    hyper: Hyper = ()
    calibration: Calibration = "none"

    @property
    def name(self) -> str:
        return f"{self.model}/{self.feature}/{self.history}"

    @property
    def is_own(self) -> bool:
        return self.feature == OWN

    def params(self) -> dict[str, str]:
        """As MLflow holds it: text under the six names."""
        return {
            "model": self.model,
            "feature": self.feature,
            "max_features": "" if self.max_features is None else str(self.max_features),
            "history": self.history,
            "hyper": json.dumps(dict(self.hyper)),
            "calibration": self.calibration,
        }

    @staticmethod
    def from_params(params: Mapping[str, str]) -> Recipe:
        """The recipe that `params` was made from.

        Raises:
            KeyError: one of the six names is missing.
        """
        return Recipe(
            model=params["model"],
            feature=params["feature"],
            max_features=int(params["max_features"]) if params["max_features"] else None,
            history=cast(History, params["history"]),
            hyper=tuple(json.loads(params["hyper"]).items()),
            calibration=cast(Calibration, params["calibration"]),
        )


HISTORIES: tuple[History, ...] = ("all", "newest", "aged")


@dataclass(frozen=True)
class Family:
    """A kind of model that is tried for a task, over each of its features, settings and histories.

    needs: the package that it is tried with only where it is installed.
    margins: it has no chances of its own, so a model of it is always calibrated.
    """

    model: str
    task: Literal["classification", "regression"]
    settings: tuple[Hyper, ...] = ((),)
    features: tuple[str, ...] = ("tabular",)
    histories: tuple[History, ...] = HISTORIES
    needs: str = ""
    margins: bool = False


def _one(**named: float | int | str) -> Hyper:
    return tuple(named.items())


_FOREST = _one(n_estimators=60, min_samples_leaf=2)
_BOOSTED = _one(max_iter=100, max_leaf_nodes=15, learning_rate=0.1)
_BOOSTED_TEXT = _one(max_iter=60, max_leaf_nodes=8, learning_rate=0.15)
_XGBOOST = _one(trees=100, grow_policy="lossguide", max_depth=0, max_leaves=15, learning_rate=0.1)
_LIGHTGBM = _one(trees=100, num_leaves=15, learning_rate=0.1)

# The earlier wins where the best is not surely better. For text that is the one which did best on both review sets
# (docs/promotion.md, "Quality"); trees do worse on words and cost most, so they are tried over all history only.
FAMILIES = (
    Family("linear_svm", "classification", (_one(C=0.3), _one(C=0.1)), ("union", "hashed"), margins=True),
    Family("logistic_regression", "classification", (_one(C=3.0),), ("union", "hashed")),
    Family("linear_svm", "classification", (_one(C=0.3),), ("tfidf", "char"), margins=True),
    Family("logistic_regression", "classification", (_one(C=3.0),), ("tfidf",)),
    Family("logistic_regression", "classification", (_one(C=1.0),), ("bow", "tabular")),
    Family("linear_svm", "classification", (_one(C=0.1),), margins=True),
    Family("naive_bayes", "classification", (_one(smoothing=0.5),), ("bow", "tfidf", "hashed", "tabular")),
    Family("random_forest", "classification", (_FOREST,)),
    Family("gradient_boosting", "classification", (_BOOSTED,)),
    Family("adaboost", "classification", (_one(n_estimators=50, max_depth=1),)),
    Family("random_forest", "classification", (_FOREST,), ("top_words",), ("all",)),
    Family("gradient_boosting", "classification", (_BOOSTED_TEXT,), ("top_words",), ("all",)),
    Family("adaboost", "classification", (_one(n_estimators=30, max_depth=1),), ("top_words",), ("all",)),
    Family("xgboost", "classification", (_XGBOOST,), needs="xgboost"),
    Family("lightgbm", "classification", (_LIGHTGBM,), needs="lightgbm"),
    Family("xgboost", "classification", (_XGBOOST,), ("top_words",), ("all",), needs="xgboost"),
    Family("lightgbm", "classification", (_LIGHTGBM,), ("top_words",), ("all",), needs="lightgbm"),
    Family("ridge", "regression", (_one(alpha=1.0),), ("tfidf", "union", "hashed", "tabular")),
    Family("bayesian_ridge", "regression"),
    Family("linear_svr", "regression", (_one(C=0.1),), ("tfidf", "union", "hashed", "tabular")),
    Family("random_forest", "regression", (_FOREST,)),
    Family("gradient_boosting", "regression", (_BOOSTED,)),
    Family("adaboost", "regression", (_one(n_estimators=50, max_depth=6),)),
    Family("random_forest", "regression", (_FOREST,), ("top_words",), ("all",)),
    Family("gradient_boosting", "regression", (_BOOSTED_TEXT,), ("top_words",), ("all",)),
    Family("adaboost", "regression", (_one(n_estimators=30, max_depth=6),), ("top_words",), ("all",)),
    Family("xgboost", "regression", (_XGBOOST,), needs="xgboost"),
    Family("lightgbm", "regression", (_LIGHTGBM,), needs="lightgbm"),
)


def default_recipes(stream: Stream, characters: int = 0) -> tuple[Recipe, ...]:
    """Every family of the stream's task, with each way to read its features, over each history.

    Args:
        characters: of text to be learnt from; above MUCH_TEXT words are hashed, and no other feature is tried.
    """
    of_text = {"hashed"} if characters > MUCH_TEXT else set(READING) - {"hashed"}
    read = of_text if stream.text else {"tabular"}
    return tuple(
        Recipe(family.model, feature, _words(feature), history, hyper, "sigmoid" if family.margins else "none")
        for history in HISTORIES
        for family in FAMILIES
        if family.task == stream.task and history in family.histories and (not family.needs or _installed(family.needs))
        for feature in family.features
        if feature in read
        for hyper in family.settings
    )


def _words(feature: str) -> int | None:
    return {"top_words": TOP_WORDS, "tabular": None}.get(feature, WORDS)


def extra_packages(recipe: Recipe) -> tuple[str, ...]:
    """The installed distributions that a model of this recipe runs on, beside those of every model."""
    return tuple(packages_distributions().get(recipe.model, ())) if recipe.model in BOOSTING else ()


def _installed(package: str) -> bool:
    return find_spec(package) is not None


def candidates(stream: Stream, rows: Rows | None = None) -> tuple[Recipe, ...]:
    """The recipes that `training.candidates` of the stream names: "default", or a team's own "module:function".

    Args:
        rows: that will be learnt from; they tell whether the text is too much for a vocabulary.
    """
    found: list[Recipe] = []
    for named in stream.training.candidates:
        if named == "default":
            found += default_recipes(stream, 0 if rows is None else _characters(stream, rows))
        else:
            found += [Recipe(named, OWN, None, "all"), Recipe(named, OWN, None, "newest")]
    return tuple(dict.fromkeys(found))


def _characters(stream: Stream, rows: Rows) -> int:
    return sum(int(rows.features[column].str.len().fillna(0).sum()) for column in stream.text)
