"""What Evidently says of a comparison when nothing is configured: `ValueDrift` of every column, text included."""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd

from benchmarks.detection.made import CATEGORICAL, NUMERIC, TEXT

DATASET_SHARE = 0.5  # of drifted columns, from which its presets call the data set drifted


def verdicts(reference: pd.DataFrame, current: pd.DataFrame) -> list[dict[str, Any]]:
    """Its verdicts in the form of `peers.py`: columns as such, and the data set as a whole.

    The drift of the data set is counted from the same verdicts, as `DriftedColumnsCount` does, which would compute each
    column a second time. Scores are told as p-values only where the method that its defaults chose has one.
    """
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    numeric, categorical = [*NUMERIC, "score"], [*CATEGORICAL, "predicted"]
    columns = [*numeric, *categorical, TEXT]
    definition = DataDefinition(numerical_columns=numeric, categorical_columns=categorical, text_columns=[TEXT])
    before, now = (Dataset.from_pandas(rows[columns], data_definition=definition) for rows in (reference, current))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        snapshot = Report([ValueDrift(column=column) for column in columns], include_tests=True).run(now, before)
        told = snapshot.dict()["metrics"]
    alarmed = {
        column: test.status.value == "FAIL" for column, test in zip(columns, snapshot.tests_results, strict=True)
    }
    p_values = {
        metric["config"]["column"]: float(metric["value"]) for metric in told if "p_value" in metric["config"]["method"]
    }
    drifted = sum(alarmed.values()) / len(alarmed) >= DATASET_SHARE
    return [
        {"method": "Evidently defaults", "columns": alarmed, "p_values": p_values, "failed": None},
        {"method": "Evidently data set drift", "columns": {"data set": drifted}, "p_values": {}, "failed": None},
    ]
