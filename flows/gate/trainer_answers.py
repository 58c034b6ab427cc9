"""A trainer's model asked for the evaluation rows, and held against the answers that came with it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd

from trueup.flows.app import App
from trueup.storage.errors import ModelUnusable
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings


def difference_from_trainer(app: App, stream: StreamSettings, record: VersionRecord, model: Any, rows: Rows) -> str:
    """Why a trainer's model does not answer the evaluation side of its snapshot as its trainer says; empty: it does.

    Args:
        rows: of its snapshot, both sides.

    Raises:
        ModelUnusable: it does not answer.
        TrueupError: the registry fails.
    """
    from trueup.training.gate.sent_answers import ROW, difference_from_sent
    from trueup.training.registry.foreign import returned_file
    from trueup.training.trainers.returned import PLACE, TRAINER_ANSWERS

    try:
        sent = pd.read_parquet(io.BytesIO(returned_file(app.registry, record.run_id, TRAINER_ANSWERS)))
    except (ValueError, OSError) as error:
        raise _unreadable(stream, record, error) from error
    asked = np.flatnonzero(rows.meta["evaluation"].to_numpy(dtype=bool))
    features = rows.features.iloc[asked][list(stream.features)]
    predicted, chances = model.predict_with_chances(features)
    if PLACE in sent:
        sent, asked = sent.assign(**{ROW: sent[PLACE]}), rows.meta["seq"].to_numpy()[asked]
    return difference_from_sent(sent, asked, predicted, chances, tuple(model.classes_))


def answers_out_of_fold(app: App, stream: StreamSettings, record: VersionRecord, rows: Rows) -> Rows | None:
    """The training side as a trainer answered it fold by fold; None where folds do not judge its models.

    Neither do they where rows were erased of a snapshot whose answers name no record.

    Args:
        rows: of the version's snapshot, both sides.

    Raises:
        ModelUnusable: the answers cannot be read.
        TrueupError: the registry fails.
    """
    from trueup.training.registry.foreign import returned_file
    from trueup.training.trainers.fold_answers import read_fold_answers
    from trueup.training.trainers.returned import TRAINER_FOLDS

    if (record.document["lineage"].get("trainer") or {}).get("judged_by") != "folds":
        return None
    try:
        return read_fold_answers(
            returned_file(app.registry, record.run_id, TRAINER_FOLDS), rows, whole=len(rows) == record.document["rows"]
        )
    except (ValueError, OSError, KeyError, IndexError) as error:
        raise _unreadable(stream, record, error) from error


def _unreadable(stream: StreamSettings, record: VersionRecord, error: Exception) -> ModelUnusable:
    return ModelUnusable(
        f"the answers that came with v{record.version} of '{stream.name}' cannot be read ({error}), so nothing shows "
        "that it answers here as it did where it was trained"
    )
