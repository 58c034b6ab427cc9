"""A model of another trainer, as the fitted models of trueup are asked: by feature columns, for answers and chances."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trueup.storage.errors import ModelUnusable
from trueup.training.hosts.model_host import ModelHost

PREDICTION, CHANCE = "prediction", "p_"  # the columns that a model's `predict` gives, and its answers.parquet holds
_AT_ONCE = 1_000  # records in a question
_SUM = 1e-3  # how far the probabilities of a record may be from 1 in all


class ForeignModel:
    """Asks a version's process.

    Args:
        classes: as the trainer was told them; none for regression.
        numeric: the features that are numbers; the others are text.
    """

    def __init__(self, host: ModelHost, classes: tuple[str, ...], numeric: frozenset[str]) -> None:
        self.host = host
        self.classes_ = np.asarray(classes, dtype=object)
        self._numeric = numeric

    def predict(self, columns: pd.DataFrame) -> np.ndarray:
        """Answers of shape (n,): classes (object, text), or float64.

        Raises:
            ModelUnusable: it does not answer, or not in the form that was agreed.
        """
        return self.predict_with_chances(columns)[0]

    def predict_proba(self, columns: pd.DataFrame) -> np.ndarray:
        """The probability of each class, n × k in the order of `classes_`.

        Raises:
            ModelUnusable: as `predict`.
        """
        return self.predict_with_chances(columns)[1]

    def predict_with_chances(self, columns: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Both at once: what it answers need not be the likeliest class.

        Raises:
            ModelUnusable: as `predict`.
        """
        parts = [self._asked(columns.iloc[k : k + _AT_ONCE]) for k in range(0, len(columns), _AT_ONCE)]
        if not parts:
            kind = object if len(self.classes_) else np.float64
            return np.empty(0, dtype=kind), np.empty((0, len(self.classes_)))
        return np.concatenate([one for one, _ in parts]), np.concatenate([chances for _, chances in parts])

    def _asked(self, columns: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        question = {str(name): self._plain(columns[name]) for name in columns.columns}
        given = self.host.ask(question)
        classes = tuple(self.classes_)
        wrong = fault_of_answers(pd.DataFrame(given), classes, len(columns))
        if wrong:
            raise ModelUnusable(
                f"{self.host.name} answers nothing that can be used: {wrong}. Its predict must give the columns "
                f"{', '.join(answer_columns(classes))}, as its answers.parquet does. Correct the trainer."
            )
        said = [str(value) for value in given[PREDICTION]] if classes else given[PREDICTION]  # a class may be a number
        predicted = np.asarray(said, dtype=object if classes else np.float64)
        chances = [np.asarray(given[CHANCE + name], dtype=np.float64) for name in classes]
        return predicted, np.stack(chances, axis=1) if chances else np.empty((len(columns), 0))

    def _plain(self, column: pd.Series) -> dict[str, object]:
        missing = column.isna().to_numpy()
        numbers = column.name in self._numeric
        kind = float if numbers else str
        values = [None if gone else kind(value) for value, gone in zip(column, missing, strict=True)]
        return {"numbers": numbers, "values": values}


def answer_columns(classes: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of an answer; no classes: of a number."""
    return (PREDICTION, *(CHANCE + name for name in classes))


def fault_of_answers(given: pd.DataFrame, classes: tuple[str, ...], count: int) -> str:
    """What keeps answers to `count` records from being used; empty: nothing."""
    lacking = [column for column in answer_columns(classes) if column not in given]
    if lacking:
        return f"it gives no column {', '.join(lacking)}"
    if len(given) != count:
        return f"it gives {len(given)} answers for {count} records"
    if not classes:
        numbers = pd.to_numeric(given[PREDICTION], errors="coerce").to_numpy(dtype=np.float64)
        bad = int((~np.isfinite(numbers)).sum())
        return f"{bad} of {count} answers are no finite number" if bad else ""
    unknown = sorted({str(value) for value in given[PREDICTION]} - set(classes))
    if unknown:
        return f"it answers '{unknown[0]}', which is none of the classes {', '.join(classes)}"
    chances = given[[CHANCE + name for name in classes]].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    bad = int((~np.isfinite(chances).all(axis=1)).sum())
    if bad:
        return f"{bad} of {count} records have a probability that is no finite number"
    bad = int(((chances < 0).any(axis=1) | (np.abs(chances.sum(axis=1) - 1) > _SUM)).sum())
    return f"the probabilities of {bad} of {count} records are negative or do not sum to 1" if bad else ""
