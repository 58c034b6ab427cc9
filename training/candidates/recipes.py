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
from trueup_model.weights import can_embed, packages_of, weights_in_use

if TYPE_CHECKING:
    from trueup.storage.rows import Rows

Calibration = Literal["none", "sigmoid"]

WORDS = 10_000  # words and word pairs that a text column may contribute; of n-grams of letters twice as many
TOP_WORDS = 300  # of single words, for trees, which read them as dense columns
MUCH_TEXT = 50_000_000  # characters; their vocabularies would not fit into a gigabyte, so the words are hashed
OWN = "own"  # the feature of a team's own candidate, which makes its features itself
TRAINER = "trainer"  # the feature of a model that a trainer returned, which nothing here can make again
SENTENCES = "sentences"  # the kind of reading that counts nothing, and keeps no vocabulary
EMBEDDED = "union+embeddings"  # words and n-grams of letters beside sentence embeddings
EMBEDDING_SHARE = 0.5  # of the search's time that reading all texts once as embeddings may take

# How a feature reads a text column: kinds of counts, how many times `max_features` of them, weighed by TF-IDF or not.
READING: dict[str, tuple[tuple[str, int, bool], ...]] = {
    "bow": (("words", 1, False),),
    "tfidf": (("words", 1, True),),
    "char": (("letters", 2, True),),
    "union": (("words", 1, True), ("letters", 2, True)),
    "top_words": (("single words", 1, False),),
    "hashed": (("hashed words", 1, True),),
    EMBEDDED: (("words", 1, True), ("letters", 2, True), (SENTENCES, 1, False)),
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
    def embeds(self) -> bool:
        """Whether it reads texts as sentence embeddings, too."""
        return self.feature == EMBEDDED

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


def default_recipes(stream: StreamSettings, characters: int = 0, *, embed: bool = False) -> tuple[Recipe, ...]:
    """Every family of the stream's task, with each way to read its features, over each history.

    Args:
        characters: of text to be learnt from; above MUCH_TEXT words are hashed, and no other feature is tried.
        embed: whether sentence embeddings are tried.
    """
    of_text = {"hashed"} if characters > MUCH_TEXT else set(READING) - {"hashed"} - (set() if embed else {EMBEDDED})
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
    needed: tuple[str, ...] = () if recipe.is_own else (estimator_named(recipe.model).needs,)
    if recipe.embeds:
        needed += packages_of(weights_in_use())
    distributions = packages_distributions() if any(needed) else {}
    return tuple(name for package in needed for name in distributions.get(package, ()))


def _installed(package: str) -> bool:
    return not package or find_spec(package) is not None


def candidates(stream: StreamSettings, rows: Rows | None = None) -> tuple[Recipe, ...]:
    """The recipes that `training.candidates` of the stream names: "default", or a team's own "module:function".

    Args:
        rows: of the training side; they tell whether the text is too much for a vocabulary or for embeddings.
    """
    found: list[Recipe] = []
    for named in stream.training.candidates:
        if named == "default":
            characters, embed = (0, False) if rows is None else (_characters(stream, rows), embeds(stream, rows))
            found += default_recipes(stream, characters, embed=embed)
        else:
            found += [Recipe(named, OWN, None, "all"), Recipe(named, OWN, None, "newest")]
    return tuple(dict.fromkeys(found))


def _characters(stream: StreamSettings, rows: Rows) -> int:
    return sum(int(rows.features[column].str.len().fillna(0).sum()) for column in stream.text)


def embeds(stream: StreamSettings, rows: Rows) -> bool:
    """Whether sentence embeddings are tried on these rows, labelled or not: the extra is installed, and there is time.

    Each different text is read once, in EMBEDDING_SHARE of the search's time at most. And one record, as long as the
    median one, must not take longer than what GATE-LATENCY allows every challenger, or each would be refused.
    """
    if not stream.text or not stream.training.embeddings or not can_embed():
        return False
    import numpy as np

    from trueup_model.embeddings import seconds_to_embed

    columns = [rows.features[column].fillna("").astype(str) for column in stream.text]
    whole = sum(float(seconds_to_embed(texts.drop_duplicates().str.len().to_numpy()).sum()) for texts in columns)
    one = float(np.median(sum(seconds_to_embed(texts.str.len().to_numpy()) for texts in columns)))
    in_time = whole <= EMBEDDING_SHARE * stream.training.limit_span.total_seconds()
    return in_time and 1000 * one <= stream.gate.latency_floor_ms
