"""What a trainer is given: job.json, and rows.parquet with the labels of the evaluation side withheld."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from trueup.storage.policy import Frozen
from trueup.storage.rows import Rows
from trueup.storage.stream import OWN_PREFIX, StreamSettings
from trueup.storage.timepoints import iso
from trueup.training.evaluation.head_to_head import fold_of
from trueup.training.models.fitting import ordered_classes
from trueup.training.trainers.watchdog import JOB_FOLDER

FORMAT = 1  # of job.json; another only where a program that reads this one would go wrong
JOB_FILE, ROWS_FILE = "job.json", "rows.parquet"
MODEL_FOLDER, ANSWERS_FILE, RESULT_FILE = "model", "answers.parquet", "result.json"  # what comes back
JOB_COLUMNS = ("row", "time", "group", "fold", "side", "label")  # of rows.parquet, beside the features
JOB_SIDES = ("training", "evaluation")


def folds_to_withhold(rows: Rows) -> tuple[int, ...]:
    """The folds that rows of the training side fall on: each is answered by a training without its labels."""
    training = rows.meta["group"].to_numpy()[~rows.meta["evaluation"].to_numpy(dtype=bool)]
    return tuple(int(fold) for fold in np.unique(fold_of(training)))


def part_of(withheld: int | None) -> str:
    """The folder, in that of a try, of one of its trainings: of the model, or of that without a fold's labels."""
    return JOB_FOLDER if withheld is None else f"{JOB_FOLDER}-fold-{withheld}"


def job_parts(folds: tuple[int, ...]) -> tuple[str, ...]:
    """The folders of all trainings of a try, in their order."""
    return tuple(part_of(withheld) for withheld in (None, *folds))


def withheld_in(part: str) -> int | None:
    """The fold that a folder of `part_of` is about; None: the model."""
    return None if part in ("", JOB_FOLDER) else int(part.rpartition("-")[2])


class JobIdentity(Frozen):
    """What tells one try of a training from all others, and by when it counts."""

    run: str
    attempt: int
    as_of: datetime
    deadline: datetime
    seed: int
    snapshot: str


def names_in_rows(stream: StreamSettings) -> dict[str, str]:
    """The names of our columns in rows.parquet; one that a feature bears already begins with two underscores.

    No column of a stream begins so.
    """
    return {name: OWN_PREFIX + name if name in stream.features else name for name in JOB_COLUMNS}


def job_document(stream: StreamSettings, identity: JobIdentity, rows: Rows, withheld: int | None) -> dict[str, Any]:
    """job.json: what is to be learnt, of what, by when, and where to write it.

    Args:
        rows: the snapshot, both sides.
        withheld: the fold whose labels are withheld as well; None: none.
    """
    kinds = {**dict.fromkeys(stream.text, "text"), **dict.fromkeys(stream.numeric, "number")}
    return {
        "format": FORMAT,
        "run": identity.run,
        "try": identity.attempt,
        "stream": stream.name,
        "task": stream.task,
        "classes": list(classes_to_answer(stream, rows)),
        "features": [{"name": name, "type": kinds.get(name, "category")} for name in stream.features],
        "columns": names_in_rows(stream),
        "metric": stream.metric,
        "lower_is_better": stream.lower_is_better,
        "as_of": iso(identity.as_of),
        "deadline": iso(identity.deadline),
        "seed": identity.seed,
        "snapshot": identity.snapshot,
        "withheld": withheld,
        "write": {"model": MODEL_FOLDER, "answers": ANSWERS_FILE, "result": RESULT_FILE},
    }


def classes_to_answer(stream: StreamSettings, rows: Rows) -> tuple[str, ...]:
    """The classes that a model is asked for a probability of: as declared, else those of the training side."""
    training = rows.take(~rows.meta["evaluation"].to_numpy(dtype=bool))
    return ordered_classes(stream, training.take(training.labelled).meta["label"].to_numpy())


def rows_table(stream: StreamSettings, rows: Rows, withheld: int | None) -> pa.Table:
    """rows.parquet: every row of the snapshot in its order, `row` being its place there.

    Labels of the evaluation side and of the fold `withheld` are null; numbers are doubles, everything else is text.
    """
    meta, named = rows.meta, names_in_rows(stream)
    evaluation, folds = meta["evaluation"].to_numpy(dtype=bool), fold_of(meta["group"].to_numpy())
    hidden = evaluation | (folds == withheld if withheld is not None else False)
    label = meta["label"].to_numpy(dtype=object, copy=True)
    label[hidden] = None
    own = {
        "row": pa.array(np.arange(len(rows)), pa.int64()),
        "time": pa.array(meta["time"], pa.timestamp("us", tz="UTC")),
        "group": pa.array(meta["group"], pa.int64()),
        "fold": pa.array(folds.astype(np.int64)),
        "side": pa.array(np.take(JOB_SIDES, evaluation.astype(int)), pa.string()),
        "label": _numbers(label) if stream.is_regression else _texts(label),
    }
    features = {c: (_numbers if c in stream.numeric else _texts)(rows.features[c].to_numpy()) for c in stream.features}
    return pa.table({named[name]: column for name, column in own.items()} | features)


def write_job(folder: Path, document: dict[str, Any], table: pa.Table) -> None:
    """Write what a trainer is given to a folder, job.json last: where it stands, all is there."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / ROWS_FILE)
    beginning = folder / f".{JOB_FILE}"
    beginning.write_text(json.dumps(document, indent=2, ensure_ascii=False), encoding="utf-8")
    beginning.rename(folder / JOB_FILE)


def _numbers(values: np.ndarray) -> pa.Array:
    return pa.array(pd.to_numeric(pd.Series(values), errors="coerce"), pa.float64(), from_pandas=True)


def _texts(values: np.ndarray) -> pa.Array:
    return pa.array([None if pd.isna(value) else str(value) for value in values], pa.string())
