"""The answers that a model was surest of and that were wrong, as a table that MLflow shows."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np

from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso

EXAMPLES_FILE = "error_examples.json"
MOST_EXAMPLES = 25
LONGEST_EXAMPLE = 300  # signs of a text


def error_examples(
    stream: StreamSettings, judged: Rows, classes: tuple[str, ...], mask: Callable[[str], str] = str
) -> bytes | None:
    """The wrong answers to n labelled rows, the surest first (regression: the largest error first); None without one.

    The form is that of MLflow's tables: {"columns": […], "data": [[…], …]}. No CSV, which a spreadsheet would take a
    text that begins with "=" for a formula in.

    Args:
        mask: takes personal data out of a text of the features.
    """
    meta = judged.meta
    if stream.is_regression:
        size = np.abs(meta["label"].astype(float).to_numpy() - meta["predicted"].astype(float).to_numpy())
        measure, wrong = "error", size > 0
    else:
        score = meta["score"].to_numpy(dtype=float)
        size = np.maximum(score, 1 - score) if len(classes) == 2 else score  # of two the score is about the last
        measure, wrong = "probability", (meta["predicted"].astype(str) != meta["label"].astype(str)).to_numpy()
    order = [k for k in np.argsort(-size, kind="stable") if wrong[k]][:MOST_EXAMPLES]
    if not order:
        return None
    data = []
    for k in order:
        row = meta.iloc[k]
        known = (row["label"], row["predicted"], float(size[k]))
        told = (judged.features[column].iloc[k] for column in stream.columns)
        told = (mask(value) if isinstance(value, str) else value for value in told)
        data.append([row["id"], iso(row["time"].to_pydatetime()), *map(_plain, (*known, *told))])
    columns = ["id", "time", "label", "answered", measure, *stream.columns]
    return json.dumps({"columns": columns, "data": data}, ensure_ascii=False).encode(errors="replace")


def _plain(value: object) -> object:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, float | int):
        return float(value)
    return str(value)[:LONGEST_EXAMPLE]
