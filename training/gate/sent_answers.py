"""GATE-LOADS of a trainer's model: what it answers here, held against the answers that its trainer sent along."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trueup.training.hosts.foreign_model import CHANCE, PREDICTION, answer_columns

ROW = "row"  # the column that says which row of the snapshot an answer is to


def difference_from_sent(
    sent: pd.DataFrame, asked: np.ndarray, predicted: np.ndarray, chances: np.ndarray, classes: tuple[str, ...]
) -> str:
    """Why answers of n rows are not those that were sent; empty where they are.

    Args:
        sent: the trainer's, by `row`.
        asked: the numbers of the rows, of shape (n,).
        predicted, chances: what the model answers here; (n,), and (n, k) in the order of `classes`.
        classes: none for regression.
    """
    lacking = [column for column in (ROW, *answer_columns(classes)) if column not in sent]
    if lacking:
        return f"its answers.parquet lacks the column {', '.join(lacking)}"
    by_row = sent.drop_duplicates(ROW).set_index(ROW).reindex(asked)
    unsent = int(by_row[PREDICTION].isna().sum())
    if unsent:
        return f"its answers.parquet lacks the answers to {unsent} of {len(asked)} evaluation rows"
    if classes:
        stated = by_row[[CHANCE + name for name in classes]].to_numpy(dtype=np.float64)
        same = (by_row[PREDICTION].astype(str).to_numpy() == predicted) & np.isclose(chances, stated).all(axis=1)
    else:
        same = np.isclose(predicted.astype(np.float64), by_row[PREDICTION].to_numpy(dtype=np.float64))
    other = int((~same).sum())
    return (other and f"it answers {other} of {len(asked)} evaluation rows otherwise than its trainer says") or ""
