"""What can be trained: the default estimators, and the families in which they are tried.

To add one: its function, its Estimator, and its line in FAMILIES.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from trueup.storage.stream import StreamSettings

Hyper = tuple[tuple[str, float | int | str], ...]
TrainingHistory = Literal["all", "newest", "aged"]

HISTORIES: tuple[TrainingHistory, ...] = ("all", "newest", "aged")


@dataclass(frozen=True)
class Estimator:
    """How the last step of a default pipeline is made: of the hyperparameters, the stream and a seed.

    name: as recipes and stored versions call it. make: of an estimator that takes weights per row and reads a matrix.
    needs: the package that it runs on, and is tried with only where that is installed.
    margins: it has no chances of its own, so a model of it is always calibrated.
    """

    name: str
    make: Callable[[dict[str, Any], StreamSettings, int], Any]
    needs: str = ""
    margins: bool = False


@dataclass(frozen=True)
class Family:
    """An estimator that is tried for a task, over each of its settings, features and histories."""

    estimator: Estimator
    task: Literal["classification", "regression"]
    settings: tuple[Hyper, ...] = ((),)
    features: tuple[str, ...] = ("tabular",)
    histories: tuple[TrainingHistory, ...] = HISTORIES


def _logistic_regression(hyper: dict[str, Any], stream: StreamSettings, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    # measured on reviews: a tenfold looser tolerance halves the time and moves macro-F1 by .005 either way
    return LogisticRegression(C=hyper["C"], max_iter=300, tol=1e-3, random_state=seed)


def _linear_svm(hyper: dict[str, Any], stream: StreamSettings, seed: int) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=hyper["C"], max_iter=2000, random_state=seed)


def _naive_bayes(hyper: dict[str, Any], stream: StreamSettings, seed: int) -> Any:
    from sklearn.naive_bayes import GaussianNB, MultinomialNB

    return MultinomialNB(alpha=hyper["smoothing"]) if stream.text else GaussianNB(var_smoothing=1e-3)


def _random_forest(hyper: dict[str, Any], stream: StreamSettings, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    if stream.is_regression:
        return RandomForestRegressor(**{"max_features": 1 / 3, **hyper}, random_state=seed)
    return RandomForestClassifier(**hyper, random_state=seed)


def _gradient_boosting(hyper: dict[str, Any], stream: StreamSettings, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    made = HistGradientBoostingRegressor if stream.is_regression else HistGradientBoostingClassifier
    return made(**hyper, early_stopping=False, random_state=seed)


def _adaboost(hyper: dict[str, Any], stream: StreamSettings, seed: int) -> Any:
    from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    trees = hyper["n_estimators"]
    if stream.is_regression:
        tree = DecisionTreeRegressor(max_depth=hyper["max_depth"])
        return AdaBoostRegressor(tree, n_estimators=trees, random_state=seed)
    tree = DecisionTreeClassifier(max_depth=hyper["max_depth"])
    return AdaBoostClassifier(tree, n_estimators=trees, random_state=seed)


def _ridge(hyper: dict[str, Any], stream: StreamSettings, seed: int) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(**hyper, random_state=seed)


def _bayesian_ridge(hyper: dict[str, Any], stream: StreamSettings, seed: int) -> Any:
    from sklearn.linear_model import BayesianRidge

    return BayesianRidge()


def _linear_svr(hyper: dict[str, Any], stream: StreamSettings, seed: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVR

    line = LinearSVR(C=hyper["C"], max_iter=5000, random_state=seed)
    return TransformedTargetRegressor(line, transformer=StandardScaler())  # its margin is in units of the target


def _xgboost(hyper: dict[str, Any], stream: StreamSettings, seed: int) -> Any:
    return _boosted("xgboost", hyper, stream, seed)


def _lightgbm(hyper: dict[str, Any], stream: StreamSettings, seed: int) -> Any:
    return _boosted("lightgbm", hyper, stream, seed)


def _boosted(library: str, hyper: dict[str, Any], stream: StreamSettings, seed: int) -> Any:
    """Of `hyper`, `trees` is how many; the rest are the library's own parameters."""
    from trueup_model.boosting import BoostedClassifier, BoostedRegressor

    given = dict(hyper)
    trees = int(given.pop("trees"))
    made = BoostedRegressor if stream.is_regression else BoostedClassifier
    return made(library, trees, tuple(given.items()), seed)


LOGISTIC_REGRESSION = Estimator("logistic_regression", _logistic_regression)
LINEAR_SVM = Estimator("linear_svm", _linear_svm, margins=True)
NAIVE_BAYES = Estimator("naive_bayes", _naive_bayes)
RANDOM_FOREST = Estimator("random_forest", _random_forest)
GRADIENT_BOOSTING = Estimator("gradient_boosting", _gradient_boosting)
ADABOOST = Estimator("adaboost", _adaboost)
RIDGE = Estimator("ridge", _ridge)
BAYESIAN_RIDGE = Estimator("bayesian_ridge", _bayesian_ridge)
LINEAR_SVR = Estimator("linear_svr", _linear_svr)
XGBOOST = Estimator("xgboost", _xgboost, needs="xgboost")
LIGHTGBM = Estimator("lightgbm", _lightgbm, needs="lightgbm")


def _hyper(**named: float | int | str) -> Hyper:
    return tuple(named.items())


_FOREST = _hyper(n_estimators=60, min_samples_leaf=2)
_BOOSTED = _hyper(max_iter=100, max_leaf_nodes=15, learning_rate=0.1)
_BOOSTED_TEXT = _hyper(max_iter=60, max_leaf_nodes=8, learning_rate=0.15)
_XGBOOST = _hyper(trees=100, grow_policy="lossguide", max_depth=0, max_leaves=15, learning_rate=0.1)
_LIGHTGBM = _hyper(trees=100, num_leaves=15, learning_rate=0.1)

# The earlier wins where the best is not surely better. For text that is the one which did best on both review sets
# (docs/promotion.md, "Quality"); trees do worse on words and cost most, so they are tried over all history only.
# Embeddings come first: few hundred validation rows seldom show their gain for sure, and who installs them wants them.
FAMILIES = (
    Family(LINEAR_SVM, "classification", (_hyper(C=0.3), _hyper(C=0.1)), ("union+embeddings",)),
    Family(LOGISTIC_REGRESSION, "classification", (_hyper(C=3.0),), ("union+embeddings",)),
    Family(LINEAR_SVM, "classification", (_hyper(C=0.3), _hyper(C=0.1)), ("union", "hashed")),
    Family(LOGISTIC_REGRESSION, "classification", (_hyper(C=3.0),), ("union", "hashed")),
    Family(LINEAR_SVM, "classification", (_hyper(C=0.3),), ("tfidf", "char")),
    Family(LOGISTIC_REGRESSION, "classification", (_hyper(C=3.0),), ("tfidf",)),
    Family(LOGISTIC_REGRESSION, "classification", (_hyper(C=1.0),), ("bow", "tabular")),
    Family(LINEAR_SVM, "classification", (_hyper(C=0.1),)),
    Family(NAIVE_BAYES, "classification", (_hyper(smoothing=0.5),), ("bow", "tfidf", "hashed", "tabular")),
    Family(RANDOM_FOREST, "classification", (_FOREST,)),
    Family(GRADIENT_BOOSTING, "classification", (_BOOSTED,)),
    Family(ADABOOST, "classification", (_hyper(n_estimators=50, max_depth=1),)),
    Family(RANDOM_FOREST, "classification", (_FOREST,), ("top_words",), ("all",)),
    Family(GRADIENT_BOOSTING, "classification", (_BOOSTED_TEXT,), ("top_words",), ("all",)),
    Family(ADABOOST, "classification", (_hyper(n_estimators=30, max_depth=1),), ("top_words",), ("all",)),
    Family(XGBOOST, "classification", (_XGBOOST,)),
    Family(LIGHTGBM, "classification", (_LIGHTGBM,)),
    Family(XGBOOST, "classification", (_XGBOOST,), ("top_words",), ("all",)),
    Family(LIGHTGBM, "classification", (_LIGHTGBM,), ("top_words",), ("all",)),
    Family(RIDGE, "regression", (_hyper(alpha=1.0),), ("tfidf", "union", "union+embeddings", "hashed", "tabular")),
    Family(BAYESIAN_RIDGE, "regression"),
    Family(LINEAR_SVR, "regression", (_hyper(C=0.1),), ("tfidf", "union", "union+embeddings", "hashed", "tabular")),
    Family(RANDOM_FOREST, "regression", (_FOREST,)),
    Family(GRADIENT_BOOSTING, "regression", (_BOOSTED,)),
    Family(ADABOOST, "regression", (_hyper(n_estimators=50, max_depth=6),)),
    Family(RANDOM_FOREST, "regression", (_FOREST,), ("top_words",), ("all",)),
    Family(GRADIENT_BOOSTING, "regression", (_BOOSTED_TEXT,), ("top_words",), ("all",)),
    Family(ADABOOST, "regression", (_hyper(n_estimators=30, max_depth=6),), ("top_words",), ("all",)),
    Family(XGBOOST, "regression", (_XGBOOST,)),
    Family(LIGHTGBM, "regression", (_LIGHTGBM,)),
)


def estimator_named(name: str) -> Estimator:
    """The estimator of FAMILIES that a recipe names.

    Raises:
        KeyError: there is none.
    """
    return {family.estimator.name: family.estimator for family in FAMILIES}[name]
