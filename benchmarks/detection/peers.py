"""NannyML and Frouros on given rows: run by the Python of `.venv-peers`, and knows nothing of trueup.

Questions come in on standard input, one JSON document a line: `{"ask": "verdicts" | "estimates", "folder": PATH}`, with
`reference.parquet` and `current.parquet` in the folder. Each is answered with one line of JSON on standard output.

A verdict is `{"method", "columns": {column: alarmed}, "p_values": {column: p}, "failed": null or why}`. Every check is
as its library's defaults have it, with two exceptions: NannyML's chunks are as large as the window, for its limits are
three standard deviations over the reference's chunks, and Frouros has no default level, so it is held to the .001 of
its README. Neither reads text.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"  # it would report home at every fit

import nannyml as nml
import numpy as np
import pandas as pd
from frouros.detectors.data_drift import ChiSquareTest, KSTest

UNREAD = ("text", "author", "label", "chunk")
FROUROS_LEVEL = 0.001
METRICS = ("accuracy", "roc_auc", "f1")


def verdicts(reference: pd.DataFrame, current: pd.DataFrame) -> list[dict[str, Any]]:
    """What each check of each peer says of one comparison."""
    numeric, categorical = _columns(reference)
    columns, size = [*numeric, *categorical], len(current)
    inputs = [column for column in columns if column not in ("score", "predicted")]
    categories = [column for column in categorical if column != "predicted"]
    calculators: dict[str, Callable[[], Any]] = {
        "NannyML univariate": lambda: nml.UnivariateDriftCalculator(column_names=columns, chunk_size=size),
        "NannyML missing values": lambda: nml.MissingValuesCalculator(column_names=inputs, chunk_size=size),
        "NannyML unseen values": lambda: nml.UnseenValuesCalculator(column_names=categories, chunk_size=size),
        "NannyML reconstruction": lambda: nml.DataReconstructionDriftCalculator(column_names=inputs, chunk_size=size),
        "NannyML CBPE": lambda: _cbpe(chunk_size=size),
    }
    hands = _answered(reference), _answered(current)
    return [
        *(_told(name, lambda make=make: (_alerts(make(), *hands), {})) for name, make in calculators.items()),
        _told("Frouros", lambda: _frouros(reference, current)),
    ]


def estimates(reference: pd.DataFrame, current: pd.DataFrame) -> list[dict[str, Any]]:
    """What CBPE expects of each chunk of the current rows, which name theirs in the column `chunk`.

    Both hands hold `score` and `predicted`, the reference `label` too; labels of the current rows are not looked at.

    Returns:
        `{"chunk", "accuracy", "roc_auc", "f1_macro"}` in the order of the chunks; macro-F1 is the mean of the F1 that
        CBPE expects of the positive class and, with classes and scores turned over, of the negative one.
    """
    known, asked = _answered(reference), _answered(current.drop(columns="label", errors="ignore"))
    as_is, turned = _cbpe(chunk_number=1).fit(known), _cbpe(chunk_number=1).fit(_turned(known))
    found = []
    for chunk, rows in asked.groupby("chunk", sort=False):
        values, others = _estimated(as_is, rows), _estimated(turned, _turned(rows))
        f1_macro = (values.pop("f1") + others["f1"]) / 2
        found.append({"chunk": str(chunk), **values, "f1_macro": f1_macro})
    return found


def _columns(frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    read = frame.drop(columns=[column for column in UNREAD if column in frame])
    numeric = list(read.select_dtypes("float").columns)
    return numeric, [column for column in read if column not in numeric]


def _answered(rows: pd.DataFrame) -> pd.DataFrame:
    """With the answer, and the truth where it is known, as NannyML wants them: 1 is positive."""
    named = {"y_pred": "predicted", "y_true": "label"}
    coded = {name: (rows[column] == "positive").astype(int) for name, column in named.items() if column in rows}
    return rows.assign(**coded).reset_index(drop=True)


def _turned(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{column: 1 - rows[column] for column in ("score", "y_pred", "y_true") if column in rows})


def _cbpe(**chunks: int) -> Any:
    return nml.CBPE(metrics=list(METRICS), y_pred_proba="score", y_pred="y_pred", y_true="y_true",
                    problem_type="classification_binary", **chunks)


def _estimated(fitted: Any, rows: pd.DataFrame) -> dict[str, float]:
    table = fitted.estimate(rows.reset_index(drop=True)).filter(period="analysis").to_df()
    return {metric: float(table[(metric, "value")].iloc[0]) for metric in METRICS}


def _alerts(calculator: Any, reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, bool]:
    """Which columns (or metrics) of the one chunk of current rows raised an alert."""
    fitted = calculator.fit(reference)
    result = (fitted.estimate if hasattr(fitted, "estimate") else fitted.calculate)(current)
    table = result.filter(period="analysis").to_df()
    found = [column for column in table.columns if column[-1] == "alert"]
    return {column[0]: bool(table[column].fillna(False).any()) for column in found}


def _frouros(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[dict[str, bool], dict[str, float]]:
    numeric, categorical = _columns(reference)
    p_values = {}
    for column in (*numeric, *categorical):
        detector = KSTest() if column in numeric else ChiSquareTest()
        detector.fit(X=reference[column].dropna().to_numpy())
        p_values[column] = float(detector.compare(X=current[column].dropna().to_numpy())[0].p_value)
    return {column: p <= FROUROS_LEVEL for column, p in p_values.items()}, p_values


def _told(method: str, judge: Callable[[], tuple[dict[str, bool], dict[str, float]]]) -> dict[str, Any]:
    """A check that breaks off is told as failed: that a peer cannot judge these rows is a result too."""
    columns: dict[str, bool] = {}
    p_values: dict[str, float] = {}
    failed = None
    try:
        columns, p_values = judge()
    except Exception as problem:  # noqa: BLE001 - a peer that breaks off is counted in the table as `failed`
        failed = f"{type(problem).__name__}: {problem}"
    return {"method": method, "columns": columns, "p_values": p_values, "failed": failed}


def main() -> None:
    """Answers question after question until standard input ends."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    np.random.seed(0)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the libraries print must not stand between the answers
    for line in sys.stdin:
        question = json.loads(line)
        folder = Path(question["folder"])
        hands = (pd.read_parquet(folder / f"{name}.parquet") for name in ("reference", "current"))
        told = {"verdicts": verdicts, "estimates": estimates}[question["ask"]](*hands)
        print(json.dumps(told), file=answers, flush=True)


if __name__ == "__main__":
    main()
