"""XGBoost and LightGBM, where the extra `boosting` is installed: imported only where such a candidate is made.

Their models hold a booster in a form of its own, which skops would have to build from foreign code. Here the booster is
kept as the text that the library itself writes and reads: plain data, of no type that would have to be trusted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin


class _Boosted(BaseEstimator):
    """Trees of one of the two libraries, by its own training function.

    Args:
        library: "xgboost" or "lightgbm". settings: (name, value) of the library's parameters. trees: how many.
    """

    def __init__(self, library: str, trees: int, settings: tuple[tuple[str, Any], ...], seed: int) -> None:
        self.library = library
        self.trees = trees
        self.settings = settings
        self.seed = seed

    def _train(self, rows: Any, target: np.ndarray, sample_weight: np.ndarray, classes: int) -> None:
        given = dict(self.settings) | {"seed": self.seed, "objective": self._objective(classes)}
        if classes > 2:
            given["num_class"] = classes
        if self.library == "xgboost":
            import xgboost

            data = xgboost.DMatrix(rows, label=target, weight=sample_weight)
            made = xgboost.train(given | {"nthread": 1, "tree_method": "hist"}, data, self.trees)
            self.booster_ = bytes(made.save_raw("json")).decode()
        else:
            import lightgbm

            data = lightgbm.Dataset(rows, label=target, weight=sample_weight, params={"verbosity": -1})
            exact = {"num_threads": 1, "verbosity": -1, "deterministic": True, "force_row_wise": True}
            self.booster_ = lightgbm.train(given | exact, data, self.trees).model_to_string()
        self._read: Any = None

    def _objective(self, classes: int) -> str:
        ours = {
            "xgboost": ("reg:squarederror", "binary:logistic", "multi:softprob"),
            "lightgbm": ("regression", "binary", "multiclass"),
        }
        return ours[self.library][0 if not classes else 1 if classes == 2 else 2]

    def _answers(self, rows: Any) -> np.ndarray:
        if getattr(self, "_read", None) is None:
            self._read = self._booster()
        if self.library == "xgboost":
            import xgboost

            rows = xgboost.DMatrix(rows)
            return np.asarray(self._read.predict(rows), dtype=np.float64)
        return np.asarray(self._read.predict(rows, num_threads=1), dtype=np.float64)

    def _booster(self) -> Any:
        if self.library == "xgboost":
            import xgboost

            made = xgboost.Booster({"nthread": 1})
            made.load_model(bytearray(self.booster_, "utf-8"))
            return made
        import lightgbm

        return lightgbm.Booster(model_str=self.booster_)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_read"}


class BoostedClassifier(ClassifierMixin, _Boosted):
    """Gradient boosted trees for classes given as text."""

    def fit(self, rows: Any, target: np.ndarray, sample_weight: np.ndarray) -> BoostedClassifier:
        self.classes_, numbers = np.unique(target, return_inverse=True)
        self._train(rows, numbers, sample_weight, len(self.classes_))
        return self

    def predict_proba(self, rows: Any) -> np.ndarray:
        chances = self._answers(rows)
        return chances if chances.ndim == 2 else np.stack([1 - chances, chances], axis=1)

    def predict(self, rows: Any) -> np.ndarray:
        return np.asarray(self.classes_[self.predict_proba(rows).argmax(axis=1)])


class BoostedRegressor(RegressorMixin, _Boosted):
    """Gradient boosted trees for numbers."""

    def fit(self, rows: Any, target: np.ndarray, sample_weight: np.ndarray) -> BoostedRegressor:
        self._train(rows, target, sample_weight, 0)
        return self

    def predict(self, rows: Any) -> np.ndarray:
        return self._answers(rows)
