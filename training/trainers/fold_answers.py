"""Answers out of fold: each of a trainer's further trainings answers the fold whose labels it did not see."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from trueup.storage.rows import Rows, stack
from trueup.storage.stream import StreamSettings
from trueup.training.evaluation.head_to_head import fold_of
from trueup.training.trainers.returned import PLACE, returned_answers


def returned_by_fold(
    stream: StreamSettings, jobs: Mapping[int, Path], rows: Rows, classes: tuple[str, ...]
) -> Rows:
    """The rows of the training side, each answered by the training without the labels of its fold.

    Rows whose content stands in another fold are left out: that training learnt from it.

    Args:
        jobs: by fold, the folder of its training.
        rows: the snapshot, both sides.

    Raises:
        ModelUnusable: as `returned_answers`.
    """
    training = ~rows.meta["evaluation"].to_numpy(dtype=bool)
    folds, content = fold_of(rows.meta["group"].to_numpy()), rows.meta["content"].to_numpy()
    answered = []
    for fold, job in jobs.items():
        asked = training & (folds == fold)
        given = returned_answers(stream, job, rows, asked, classes, whose=f"in fold {fold} of the training side")
        answered.append(given.take(~np.isin(content[asked], content[training & (folds != fold)])))
    return stack(answered, stream.columns)


def fold_answers_file(answered: Rows, rows: Rows) -> bytes:
    """Answers as they are kept beside a version: `row` (the place in the snapshot `rows`), `prediction`, `score`.

    `__seq`, the record's place in intake order, tells which row it is where others of the snapshot were erased since.
    """
    meta, file = answered.meta, io.BytesIO()
    kept = {
        "row": pd.Index(rows.meta["seq"]).get_indexer(meta["seq"]),
        PLACE: meta["seq"].to_numpy(dtype=np.int64),
        "prediction": pa.array(meta["predicted"].tolist()),
        "score": meta["score"].to_numpy(dtype=float),
    }
    pq.write_table(pa.table(kept), file)
    return file.getvalue()


def read_fold_answers(kept: bytes, rows: Rows, *, whole: bool = True) -> Rows | None:
    """What `fold_answers_file` kept, as rows of the snapshot, those that were erased left out.

    whole: nothing was erased of the snapshot; else None where the answers do not say whose they are.

    Raises:
        OSError, pyarrow.ArrowException, KeyError: it is not what was kept.
    """
    table = pq.read_table(io.BytesIO(kept)).to_pandas()
    if PLACE in table:
        table = table.assign(row=pd.Index(rows.meta["seq"]).get_indexer(table[PLACE]))
        table = table[table["row"] >= 0]
    elif not whole:
        return None
    answered = rows.take(table["row"].to_numpy())
    return answered.with_meta(predicted=table["prediction"].to_numpy(dtype=object), score=table["score"].to_numpy())
