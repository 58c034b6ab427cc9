"""Made tables of numbers: a rule that stays, additive or with interactions, in little noise or much."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.promotion.made_streams import CLASSES, COLUMNS, rows_of_parts, stream_of_columns
from trueup.storage.policy import Policy
from trueup.storage.rows import Rows
from trueup.storage.stream import LabelPolicy, StreamSettings

SHARE = 0.3  # of the rarer class
Rule = Callable[[np.ndarray], np.ndarray]


def _additive(values: np.ndarray) -> np.ndarray:
    return values[:, 0] + 0.7 * values[:, 1] - 0.5 * values[:, 2] + np.tanh(2 * values[:, 3])


def _interactions(values: np.ndarray) -> np.ndarray:
    return (
        values[:, 0] * values[:, 1] + np.sin(2 * values[:, 2]) * values[:, 3] + np.abs(values[:, 4])
        + (values[:, 5] > 0.5) * values[:, 0]
    )  # fmt: skip


RULES: dict[str, tuple[Rule, float]] = {  # and the noise, as a multiple of the rule's standard deviation
    "additive": (_additive, 0.5),
    "interactions": (_interactions, 0.2),
    "interactions, noise": (_interactions, 1.0),
}


def made_table(rule: str, task: str, count: int, seed: int) -> tuple[StreamSettings, Rows]:
    """So many rows of eight columns, of which the rule reads four or six; the same for the same seed."""
    rng = np.random.default_rng([seed, list(RULES).index(rule), len(task)])
    of, noise = RULES[rule]
    values = rng.normal(size=(count, len(COLUMNS)))
    truth = of(values)
    told = truth + noise * truth.std() * rng.normal(size=count)
    yes = told > np.quantile(told, 1 - SHARE)
    rows, stream = rows_of_parts([(values, yes.astype(int))], rng), stream_of_columns(Policy())
    if task == "classification":
        assert set(rows.meta["label"]) == set(CLASSES)
        return stream, rows
    numbers = stream.model_copy(update={"task": "regression", "label": LabelPolicy(column="y")})
    return numbers, rows.with_meta(label=told.astype(object))
