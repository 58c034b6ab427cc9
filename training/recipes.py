"""Candidates: what may become champion, as values that can be logged, compared and built again.

To add one: a line in FAMILIES here and its estimator in `pipelines.ESTIMATORS`, under the same name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from storage.stream import Stream

Hyper = tuple[tuple[str, float | int | str], ...]
History = Literal["all", "newest"]

WORDS = 10_000  # words and word pairs that a text column may contribute
OWN = "own"  # the feature of a team's own candidate, which makes its features itself


@dataclass(frozen=True)
class Recipe:
    """How a model is made from rows: enough to build the same one again.

    model: a family of FAMILIES, or a team's own factory as "module:function".
    feature: how text becomes numbers ("bow", "tfidf"); "tabular" without text; "own" for a team's factory.
    max_features: words kept of each text column; None where there is no text.
    history: fitted on all labelled training rows, or on the newest only (after a change of concept the old ones harm).
    hyper: (name, value) of the estimator's parameters.
    """

    model: str
    feature: str
    max_features: int | None
    history: History
    hyper: Hyper = ()

    @property
    def name(self) -> str:
        return f"{self.model}/{self.feature}/{self.history}"

    @property
    def is_own(self) -> bool:
        return self.feature == OWN

    def params(self) -> dict[str, str]:
        """As MLflow holds it: text under the five names."""
        return {
            "model": self.model,
            "feature": self.feature,
            "max_features": "" if self.max_features is None else str(self.max_features),
            "history": self.history,
            "hyper": json.dumps(dict(self.hyper)),
        }

    @staticmethod
    def from_params(params: Mapping[str, str]) -> Recipe:
        """The recipe that `params` was made from.

        Raises:
            KeyError: one of the five names is missing.
        """
        return Recipe(
            model=params["model"],
            feature=params["feature"],
            max_features=int(params["max_features"]) if params["max_features"] else None,
            history="newest" if params["history"] == "newest" else "all",
            hyper=tuple(json.loads(params["hyper"]).items()),
        )


@dataclass(frozen=True)
class Family:
    """A kind of model that is tried for a task, the plainest first: ties are won by the earlier."""

    model: str
    task: Literal["classification", "regression"]
    hyper: Hyper
    reads_text: bool = True  # False: needs dense columns, so it is not tried where there is text


FAMILIES = (
    Family("logistic_regression", "classification", (("C", 1.0),)),
    Family("linear_svm", "classification", (("C", 0.1),)),
    Family("naive_bayes", "classification", (("smoothing", 0.5),)),
    Family("random_forest", "classification", (("n_estimators", 60), ("min_samples_leaf", 2))),
    Family("ridge", "regression", (("alpha", 1.0),)),
    Family("bayesian_ridge", "regression", (), reads_text=False),
    Family("linear_svr", "regression", (("C", 0.1),)),
    Family("random_forest", "regression", (("n_estimators", 60), ("min_samples_leaf", 2))),
)


def default_recipes(stream: Stream) -> tuple[Recipe, ...]:
    """Every family of the stream's task, with each way to read its features, over all and over the newest history."""
    features = ("bow", "tfidf") if stream.text else ("tabular",)
    words = WORDS if stream.text else None
    histories: tuple[History, ...] = ("all", "newest")
    return tuple(
        Recipe(family.model, feature, words, history, family.hyper)
        for history in histories
        for feature in features
        for family in FAMILIES
        if family.task == stream.task and (family.reads_text or not stream.text)
    )


def candidates(stream: Stream) -> tuple[Recipe, ...]:
    """The recipes that `training.candidates` of the stream names: "default", or a team's own "module:function"."""
    found: list[Recipe] = []
    for named in stream.training.candidates:
        if named == "default":
            found += default_recipes(stream)
        else:
            found += [Recipe(named, OWN, None, "all"), Recipe(named, OWN, None, "newest")]
    return tuple(dict.fromkeys(found))
