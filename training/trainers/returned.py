"""What a trainer gives back: its answers to the evaluation side, its model, and what it says of its run."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, ValidationError

from trueup.storage.errors import ModelUnusable
from trueup.storage.policy import Frozen
from trueup.storage.rows import Rows
from trueup.storage.stream import OWN_PREFIX, StreamSettings
from trueup.storage.trainers.trainer_settings import Trainer
from trueup.training.candidates.recipes import TRAINER, Recipe
from trueup.training.models.fitting import score_of
from trueup.training.trainers.handover import ANSWERS_FILE, MODEL_FOLDER, RESULT_FILE

TRAINER_ANSWERS, TRAINER_FOLDS = "trainer/answers.parquet", "trainer/folds.parquet"  # among the files of a run
PLACE = f"{OWN_PREFIX}seq"  # in these files: the record's place in intake order, which no erasure changes
SUM_WITHIN = 1e-3  # of 1, which the probabilities of a row add up to
_LONGEST_RESULT = 1_000_000  # bytes of result.json


class TrainerResult(Frozen):
    """result.json: what a trainer says of its run; without the file nothing is said.

    run: as in job.json. model_uri: of the model in MLflow, instead of `model/`. tracking_uri: of that MLflow.
    status: of a flow of Prefect, which has no exit status. external_run: the trainer's own name of its run. commit: of
    its code. rows: how many it used.
    """

    run: str = ""
    model_uri: str = ""
    tracking_uri: str = ""
    status: int = 0
    external_run: str = ""
    commit: str = ""
    parameters: dict[str, str | float | int | bool | None] = Field(default_factory=dict)
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class ReturnedTraining:
    """A training of a trainer, on its way to become a version.

    cycle: by which a restart finds the version again. occasion, who, snapshot, snapshot_file, cut_off, commit,
    metrics, description, lineage, files: as of `trueup.training.registry.tracking.TrainingRecord`.
    trainer: its settings when it was asked. folder: the model's; None where the result names it in MLflow.
    result: as `TrainerResult`. classes: in the order of the columns of its probabilities; none for regression.
    """

    cycle: str
    as_of: datetime
    occasion: str
    who: str
    snapshot: str
    snapshot_file: str
    cut_off: datetime
    commit: str
    trainer: Trainer
    recipe: Recipe
    folder: Path | None
    result: Mapping[str, Any]
    classes: tuple[str, ...]
    metrics: Mapping[str, float]
    description: str = ""
    lineage: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


def recipe_of(trainer: Trainer) -> Recipe:
    """How a model of the trainer is made, as far as that is known here."""
    return Recipe(trainer.name, TRAINER, None, "all")


def read_result(job: Path, run: str) -> TrainerResult:
    """What result.json says.

    Raises:
        ModelUnusable: it is of another run, or cannot be read, or there is no model.
    """
    file = job / RESULT_FILE
    result = TrainerResult()
    if file.exists():
        try:
            if file.stat().st_size > _LONGEST_RESULT:
                raise ValueError(f"it is larger than {_LONGEST_RESULT:,} bytes")
            result = TrainerResult(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, ValidationError) as error:
            raise ModelUnusable(
                f"The trainer's {RESULT_FILE} cannot be read ({error}), so its model was not used."
            ) from error
        if result.run != run:
            raise ModelUnusable(
                f"The trainer's {RESULT_FILE} is of run '{result.run}', and this job is run '{run}', so it was not "
                f"used. Copy `run` from job.json into {RESULT_FILE}."
            )
    if not result.model_uri and not (job / MODEL_FOLDER).is_dir():
        raise ModelUnusable(
            f"The trainer ended with status 0 and left no model: there is neither the folder {MODEL_FOLDER}/ nor a "
            f"{RESULT_FILE} that names one."
        )
    return result


def returned_answers(
    stream: StreamSettings, job: Path, rows: Rows, asked: np.ndarray, classes: tuple[str, ...],
    *, whose: str = "on the evaluation side",
) -> Rows:  # fmt: skip
    """The `asked` rows (a mask) of the snapshot, with the trainer's own answers to them.

    Args:
        whose: says which rows were asked, for people.

    Raises:
        ModelUnusable: the answers are not to exactly these rows, or no classes and probabilities, or no numbers.
    """
    table = _table(job / ANSWERS_FILE, int(asked.sum()), whose)
    places = np.flatnonzero(asked)
    row = _column(table, "row")
    if row.null_count or not pa.types.is_integer(row.type) or not np.array_equal(np.sort(row.to_numpy()), places):
        raise _refused(f"its column 'row' does not hold each of the {len(places):,} rows {whose} once")
    table = table.take(pa.array(np.argsort(row.to_numpy(), kind="stable")))
    held = rows.take(asked)
    if stream.is_regression:
        predicted = _doubles(table, "prediction")
        return held.with_meta(predicted=predicted.astype(object), score=np.full(len(held), np.nan))
    said = _column(table, "prediction").cast(pa.string()).to_pandas().to_numpy(dtype=object)
    unknown = sorted({str(value) for value in said if value not in classes})
    if unknown:
        raise _refused(f"it predicts '{unknown[0]}', which is none of the classes {', '.join(classes)}")
    chances = np.stack([_doubles(table, f"p_{name}") for name in classes], axis=1)
    if (chances < 0).any() or (chances > 1).any() or (np.abs(chances.sum(axis=1) - 1) > SUM_WITHIN).any():
        raise _refused("the probabilities of a row are not between 0 and 1, or do not add up to 1")
    return held.with_meta(predicted=said, score=score_of(stream, np.asarray(classes), chances))


def answers_to_keep(job: Path, rows: Rows) -> bytes:
    """answers.parquet as it is kept beside a version: `PLACE` says whose answer each is, whatever is erased later.

    Args:
        rows: the snapshot, both sides; `returned_answers` has taken the answers already.
    """
    file = io.BytesIO()
    with pq.ParquetFile(job / ANSWERS_FILE) as found:
        table = found.read()
    places = rows.meta["seq"].to_numpy(dtype=np.int64)[table.column("row").to_numpy()]
    table = table.drop_columns([name for name in table.column_names if name == PLACE])
    pq.write_table(table.append_column(PLACE, pa.array(places)), file)
    return file.getvalue()


def _table(file: Path, count: int, whose: str) -> pa.Table:
    try:
        with pq.ParquetFile(file) as found:
            if found.metadata.num_rows != count:
                raise _refused(f"it has {found.metadata.num_rows:,} rows, and {count:,} are {whose}")
            return found.read()
    except FileNotFoundError as error:
        raise _refused("it is missing") from error
    except (OSError, pa.ArrowException) as error:
        raise _refused(f"it cannot be read ({error})") from error


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if table.column_names.count(name) != 1:
        raise _refused(f"it has no column '{name}'")
    return table.column(name)


def _doubles(table: pa.Table, name: str) -> np.ndarray:
    column = _column(table, name)
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise _refused(f"its column '{name}' holds no numbers")
    values = pd.to_numeric(column.to_pandas()).to_numpy(dtype=float)
    if not np.isfinite(values).all():
        raise _refused(f"its column '{name}' holds values that are no finite numbers")
    return values


def _refused(why: str) -> ModelUnusable:
    return ModelUnusable(
        f"The trainer's {ANSWERS_FILE} cannot be used: {why}. So its model was not used. docs/trainers.md says what "
        "stands in it."
    )
