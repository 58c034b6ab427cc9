"""The estimators behind the families of `recipes.FAMILIES`: each takes weights per row and reads a matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trueup.storage.stream import Stream

Make = Callable[[dict[str, Any], Stream, int], Any]


def _logistic_regression(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    # measured on reviews: a tenfold looser tolerance halves the time and moves macro-F1 by .005 either way
    return LogisticRegression(C=hyper["C"], max_iter=300, tol=1e-3, random_state=seed)


def _linear_svm(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=hyper["C"], max_iter=2000, random_state=seed)


def _naive_bayes(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    from sklearn.naive_bayes import GaussianNB, MultinomialNB

    return MultinomialNB(alpha=hyper["smoothing"]) if stream.text else GaussianNB(var_smoothing=1e-3)


def _random_forest(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    if stream.is_regression:
        return RandomForestRegressor(**hyper, max_features=1 / 3, random_state=seed)
    return RandomForestClassifier(**hyper, random_state=seed)


def _gradient_boosting(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    made = HistGradientBoostingRegressor if stream.is_regression else HistGradientBoostingClassifier
    return made(**hyper, early_stopping=False, random_state=seed)


def _adaboost(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    trees = hyper["n_estimators"]
    if stream.is_regression:
        tree = DecisionTreeRegressor(max_depth=hyper["max_depth"])
        return AdaBoostRegressor(tree, n_estimators=trees, random_state=seed)
    tree = DecisionTreeClassifier(max_depth=hyper["max_depth"])
    return AdaBoostClassifier(tree, n_estimators=trees, random_state=seed)


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


def _xgboost(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    return _boosted("xgboost", hyper, stream, seed)


def _lightgbm(hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    return _boosted("lightgbm", hyper, stream, seed)


def _boosted(library: str, hyper: dict[str, Any], stream: Stream, seed: int) -> Any:
    """Of `hyper`, `trees` is how many; the rest are the library's own parameters."""
    from trueup_model.boosting import BoostedClassifier, BoostedRegressor

    given = dict(hyper)
    trees = int(given.pop("trees"))
    made = BoostedRegressor if stream.is_regression else BoostedClassifier
    return made(library, trees, tuple(given.items()), seed)


ESTIMATORS: Mapping[str, Make] = {
    "logistic_regression": _logistic_regression,
    "linear_svm": _linear_svm,
    "naive_bayes": _naive_bayes,
    "random_forest": _random_forest,
    "gradient_boosting": _gradient_boosting,
    "adaboost": _adaboost,
    "ridge": _ridge,
    "bayesian_ridge": _bayesian_ridge,
    "linear_svr": _linear_svr,
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
}
