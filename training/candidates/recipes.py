"""Candidates: what may become champion, as values that can be logged, compared and built again.

Which ones are tried by default is listed in `estimators.FAMILIES`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, cast

from trueup.storage.stream import StreamSettings
from trueup.training.candidates import estimators
from trueup.training.candidates.estimators import HISTORIES, Hyper, TrainingHistory, estimator_named

if TYPE_CHECKING:
    from trueup.storage.rows import Rows

Calibration = Literal["none", "sigmoid"]

WORDS = 10_000  # words and word pairs that a text column may contribute; of n-grams of letters twice as many
TOP_WORDS = 300  # of single words, for trees, which read them as dense columns
MUCH_TEXT = 50_000_000  # characters; their vocabularies would not fit into a gigabyte, so the words are hashed
OWN = "own"  # the feature of a team's own candidate, which makes its features itself
TRAINER = "trainer"  # the feature of a model that a trainer returned, which nothing here can make again

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

    model: the name of an estimator, or a team's own factory as "module:function".
    feature: how text becomes numbers (a name of READING); "tabular" without text; "own" for a team's factory; "trainer"
        for a model of a trainer, whose name `model` is.
    max_features: words kept of each text column; None where there is no text.
    history: fitted on all labelled training rows, on the newest only (after a change of concept the old ones harm), or
        on all with weights that halve with age.
    hyper: (name, value) of the estimator's parameters.
    calibration: whether the chances are mapped to the frequencies seen (`calibration.Calibrated`).
    """

    model: str
    feature: str
    max_features: int | None
    history: TrainingHistory
    hyper: Hyper = ()
    calibration: Calibration = "none"

    @property
    def name(self) -> str:
        return f"{self.model}/{self.feature}/{self.history}"

    @property
    def is_own(self) -> bool:
        return self.feature == OWN

    @property
    def is_foreign(self) -> bool:
        """Whether a trainer made it, elsewhere, so that it cannot be fitted again."""
        return self.feature == TRAINER

    def params(self) -> dict[str, str]:
        """As it is kept: text under the six names."""
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
            history=cast(TrainingHistory, params["history"]),
            hyper=tuple(json.loads(params["hyper"]).items()),
            calibration=cast(Calibration, params["calibration"]),
        )


def default_recipes(stream: StreamSettings, characters: int = 0) -> tuple[Recipe, ...]:
    """Every family of the stream's task, with each way to read its features, over each history.

    Args:
        characters: of text to be learnt from; above MUCH_TEXT words are hashed, and no other feature is tried.
    """
    of_text = {"hashed"} if characters > MUCH_TEXT else set(READING) - {"hashed"}
    read = of_text if stream.text else {"tabular"}
    return tuple(
        Recipe(
            family.estimator.name,
            feature,
            _words(feature),
            history,
            hyper,
            "sigmoid" if family.estimator.margins else "none",
        )
        for history in HISTORIES
        for family in estimators.FAMILIES
        if family.task == stream.task and history in family.histories and _installed(family.estimator.needs)
        for feature in family.features
        if feature in read
        for hyper in family.settings
    )


def _words(feature: str) -> int | None:
    return {"top_words": TOP_WORDS, "tabular": None}.get(feature, WORDS)


def extra_packages(recipe: Recipe) -> tuple[str, ...]:
    """The installed distributions that a model of this recipe runs on, beside those of every model."""
    needs = "" if recipe.is_own else estimator_named(recipe.model).needs
    return tuple(packages_distributions().get(needs, ())) if needs else ()


def _installed(package: str) -> bool:
    return not package or find_spec(package) is not None


def candidates(stream: StreamSettings, rows: Rows | None = None) -> tuple[Recipe, ...]:
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


def _characters(stream: StreamSettings, rows: Rows) -> int:
    return sum(int(rows.features[column].str.len().fillna(0).sum()) for column in stream.text)
