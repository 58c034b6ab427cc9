"""From a recipe to an unfitted scikit-learn pipeline that takes a data frame of the stream's features.

Every default pipeline has two steps: "features" (columns to numbers, fitted without the labels, so the search shares it
between models) and "model". Text goes through a ColumnTransformer: a vectoriser that is given a data frame would read
its column names and answer in silence.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from trueup.storage.errors import ConfigError
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.estimators import estimator_named
from trueup.training.candidates.recipes import READING, SENTENCES, Recipe
from trueup_model.cleaning import MISSING, plain_levels, plain_numbers, plain_text

KEPT_LEVELS = 50  # kept of a categorical column; the rarer ones are one level together

Counting = Callable[[str, str, int | None], Any]  # (text column, kind, limit) to the step that counts it


def build(recipe: Recipe, stream: StreamSettings, seed: int) -> Any:
    """An unfitted estimator: a Pipeline, or what the team's own factory makes.

    Raises:
        ConfigError: the team's factory cannot be imported or makes no estimator.
    """
    if recipe.is_own:
        return _own(recipe.model, stream)
    from sklearn.pipeline import Pipeline

    return Pipeline([("features", build_features(recipe, stream)), ("model", build_estimator(recipe, stream, seed))])


def build_estimator(recipe: Recipe, stream: StreamSettings, seed: int) -> Any:
    """The unfitted last step of a default pipeline, calibrated where the recipe says so."""
    made = estimator_named(recipe.model).make(dict(recipe.hyper), stream, seed)
    if recipe.calibration == "none":
        return made
    from trueup_model.calibration import Calibrated

    return Calibrated(made, decides_by=stream.metric, last=next(reversed(stream.label.classes), ""))


def build_features(recipe: Recipe, stream: StreamSettings, counting: Counting | None = None) -> Any:
    """The unfitted first step of a default pipeline.

    Args:
        counting: makes the step that counts a text column; left out: one that reads the texts themselves.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler

    parts: list[tuple[str, Any, list[str]]] = []
    for column in stream.text:
        parts += _text(recipe, column, counting or _from_text)
    if stream.numeric:
        filled = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        # beside word counts 0 to 1: comparable in size, and never negative, which naive Bayes over counts needs
        scaled = MinMaxScaler(clip=True) if stream.text else StandardScaler()
        parts.append(("numeric", make_pipeline(FunctionTransformer(plain_numbers), filled, scaled), [*stream.numeric]))
    if stream.categorical:
        levels = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=KEPT_LEVELS, sparse_output=False)
        parts.append(("levels", make_pipeline(FunctionTransformer(plain_levels), levels), [*stream.categorical]))
    dense = recipe.feature in ("tabular", "top_words")
    return ColumnTransformer(parts, sparse_threshold=0.0 if dense else 1.0)


def _text(recipe: Recipe, column: str, counting: Counting) -> list[tuple[str, Any, list[str]]]:
    """The parts that a text column is read by."""
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.pipeline import Pipeline

    parts: list[tuple[str, Any, list[str]]] = []
    for kind, share, weighed in READING[recipe.feature]:
        limit = None if recipe.max_features is None else share * recipe.max_features
        steps = [("embed" if kind == SENTENCES else "count", counting(column, kind, limit))]
        if weighed:
            steps.append(("weigh", TfidfTransformer(sublinear_tf=True)))
        parts.append((f"{kind} {column}", Pipeline(steps), [column]))
    return parts


def _from_text(column: str, kind: str, limit: int | None) -> Any:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    from trueup_model.text_counts import counter

    words = _sentences() if kind == SENTENCES else counter(kind, limit)
    return Pipeline([("clean", FunctionTransformer(plain_text)), ("words", words)])


def _sentences() -> Any:
    from trueup_model.embeddings import Embedded
    from trueup_model.weights import EmbeddingsUnusable, weights_in_use

    try:
        return Embedded(weights_in_use())
    except EmbeddingsUnusable as error:
        raise ConfigError(str(error)) from error


def known_levels(model: Any, stream: StreamSettings) -> dict[str, tuple[str, ...]]:
    """The levels that a fitted default pipeline learnt, by categorical column; empty for a team's own estimator."""
    features = getattr(model, "named_steps", {}).get("features")
    levels = getattr(features, "named_transformers_", {}).get("levels")
    if levels is None:
        return {}
    learnt = levels[-1].categories_
    return {
        column: tuple(str(level) for level in known if level != MISSING)
        for column, known in zip(stream.categorical, learnt, strict=True)
    }


def _own(named: str, stream: StreamSettings) -> Any:
    """What a team's factory "module:function" makes of the stream."""
    module_name, _, function_name = named.partition(":")
    advice = "Name it in training.candidates as 'module:function', where the module can be imported."
    if not module_name or not function_name:
        raise ConfigError(f"Candidate '{named}' is neither 'default' nor a factory, so it cannot be tried. {advice}")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigError(f"Candidate '{named}' cannot be imported ({error}), so nothing is tried. {advice}") from error
    factory = getattr(module, function_name, None)
    if not callable(factory):
        raise ConfigError(f"Candidate '{named}': module '{module_name}' has no function '{function_name}'. {advice}")
    made = factory(stream)
    wanted = ("fit", "predict") if stream.is_regression else ("fit", "predict", "predict_proba")
    lacking = [method for method in wanted if not hasattr(made, method)]
    if lacking:
        raise ConfigError(
            f"Candidate '{named}' makes a {type(made).__name__} without {', '.join(lacking)}, so it cannot answer. "
            "Let it return a scikit-learn estimator (for margins, wrap it in CalibratedClassifierCV)."
        )
    return made
