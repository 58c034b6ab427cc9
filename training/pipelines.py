"""From a recipe to an unfitted scikit-learn pipeline that takes a data frame of the stream's features.

Every default pipeline has two steps: "features" (columns to numbers, fitted without the labels, so the search shares it
between models) and "model". Text goes through a ColumnTransformer: a vectoriser that is given a data frame would read
its column names and answer in silence.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from storage.errors import ConfigError
from storage.stream import Stream
from training.cleaning import plain_levels, plain_numbers, plain_text
from training.recipes import Recipe

LEVELS = 50  # kept of a categorical column; the rarer ones are one level together

# Every sign that is no white space counts: stars of emoji and exclamation marks carry sentiment, and a text without
# letters still has words.
WORD = r"(?u)\w+|[^\w\s]"


def build(recipe: Recipe, stream: Stream, seed: int) -> Any:
    """An unfitted estimator: a Pipeline, or what the team's own factory makes.

    Raises:
        ConfigError: the team's factory cannot be imported or makes no estimator.
    """
    if recipe.is_own:
        return _own(recipe.model, stream)
    from sklearn.pipeline import Pipeline

    make = ESTIMATORS[stream.task, recipe.model]
    return Pipeline([("features", _features(recipe, stream)), ("model", make(dict(recipe.hyper), stream, seed))])


def _features(recipe: Recipe, stream: Stream) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler

    parts: list[tuple[str, Any, list[str]]] = []
    words = {"token_pattern": WORD, "ngram_range": (1, 2), "max_features": recipe.max_features}
    for column in stream.text:
        counted = CountVectorizer(**words) if recipe.feature == "bow" else TfidfVectorizer(sublinear_tf=True, **words)
        parts.append((f"text {column}", make_pipeline(FunctionTransformer(plain_text), counted), [column]))
    if stream.numeric:
        filled = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        # beside word counts 0 to 1: comparable in size, and never negative, which naive Bayes over counts needs
        scaled = MinMaxScaler(clip=True) if stream.text else StandardScaler()
        parts.append(("numeric", make_pipeline(FunctionTransformer(plain_numbers), filled, scaled), [*stream.numeric]))
    if stream.categorical:
        levels = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=LEVELS, sparse_output=False)
        parts.append(("levels", make_pipeline(FunctionTransformer(plain_levels), levels), [*stream.categorical]))
    return ColumnTransformer(parts, sparse_threshold=1.0 if stream.text else 0.0)


def slim(pipeline: Any) -> None:
    """Turns the vocabularies of a fitted default pipeline to plain integers, in place.

    skops stores every numpy integer as a file of its own and takes three times as long (10,000 words: .8 s to write).
    """
    for name, made, _ in pipeline.named_steps["features"].transformers_:
        if name.startswith("text "):
            counted = made[-1]
            counted.vocabulary_ = {word: int(at) for word, at in counted.vocabulary_.items()}


def _logistic_regression(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=hyper["C"], max_iter=300, random_state=seed)


def _linear_svm(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import LinearSVC

    margin = LinearSVC(C=hyper["C"], max_iter=2000, random_state=seed)
    return CalibratedClassifierCV(margin, method="sigmoid", cv=3, ensemble=False)


def _naive_bayes(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    from sklearn.naive_bayes import GaussianNB, MultinomialNB

    return MultinomialNB(alpha=hyper["smoothing"]) if stream.text else GaussianNB(var_smoothing=1e-3)


def _random_forest_classifier(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(**hyper, random_state=seed)


def _ridge(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(**hyper, random_state=seed)


def _bayesian_ridge(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    from sklearn.linear_model import BayesianRidge

    return BayesianRidge()


def _linear_svr(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVR

    line = LinearSVR(C=hyper["C"], max_iter=5000, random_state=seed)
    return TransformedTargetRegressor(line, transformer=StandardScaler())  # its margin is in units of the target


def _random_forest_regressor(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(**hyper, max_features=1 / 3, random_state=seed)


ESTIMATORS: Mapping[tuple[str, str], Callable[[dict[str, Any], Stream, int], Any]] = {
    ("classification", "logistic_regression"): _logistic_regression,
    ("classification", "linear_svm"): _linear_svm,
    ("classification", "naive_bayes"): _naive_bayes,
    ("classification", "random_forest"): _random_forest_classifier,
    ("regression", "ridge"): _ridge,
    ("regression", "bayesian_ridge"): _bayesian_ridge,
    ("regression", "linear_svr"): _linear_svr,
    ("regression", "random_forest"): _random_forest_regressor,
}


def _own(named: str, stream: Stream) -> Any:
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
    wanted = ("fit", "predict") if stream.task == "regression" else ("fit", "predict", "predict_proba")
    lacking = [method for method in wanted if not hasattr(made, method)]
    if lacking:
        raise ConfigError(
            f"Candidate '{named}' makes a {type(made).__name__} without {', '.join(lacking)}, so it cannot answer. "
            "Let it return a scikit-learn estimator (for margins, wrap it in CalibratedClassifierCV)."
        )
    return made
