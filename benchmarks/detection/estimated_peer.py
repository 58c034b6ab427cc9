"""NannyML's estimates on the rows that `estimated.py` wrote; run by an interpreter that has NannyML.

    python estimated_peer.py FOLDER_OF_PARQUET OUT.json

CBPE for classes, DLE for errors, with their defaults; a chunk is a window.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml  # type: ignore[import-not-found]
import pandas as pd

pd.set_option("future.infer_string", False)  # DLE cannot take the strings that pandas 3 makes

CLASSES = {"accuracy": "accuracy", "f1_score": "f1", "roc_auc": "roc_auc"}
ERRORS = {"mae": "mae", "rmse": "rmse"}


def estimates(file: Path) -> list[dict[str, object]]:
    """What NannyML estimates of each window of one case."""
    rows = pd.read_parquet(file)
    reference, windows = rows[rows["window"] < 0], rows[rows["window"] >= 0]
    size = int((windows["window"] == 0).sum())
    if "y_pred_proba" in rows:
        names = CLASSES
        made = nannyml.CBPE(
            problem_type="classification_binary", y_true="y_true", y_pred="y_pred", y_pred_proba="y_pred_proba",
            metrics=list(names.values()), chunk_size=size,
        )
    else:
        names = ERRORS
        inputs = [column for column in rows if column not in ("y_true", "y_pred", "window")]
        made = nannyml.DLE(
            feature_column_names=inputs, y_true="y_true", y_pred="y_pred", metrics=list(names.values()), chunk_size=size
        )
    made.fit(reference.drop(columns="window").reset_index(drop=True))
    told = made.estimate(windows.drop(columns=["window", "y_true"]).reset_index(drop=True))
    table = told.filter(period="analysis").to_df()
    return [
        {"case": file.stem, "window": number, "metric": ours, "cbpe": float(value)}
        for ours, theirs in names.items()
        for number, value in enumerate(table[theirs, "value"])
    ]


if __name__ == "__main__":
    found = [row for file in sorted(Path(sys.argv[1]).glob("*.parquet")) for row in estimates(file)]
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")
