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

TRAINER_ANSWERS = "trainer/answers.parquet"  # among the files of the version's run


def difference_from_trainer(app: App, stream: StreamSettings, record: VersionRecord, model: Any, rows: Rows) -> str:
    """Why a trainer's model does not answer the evaluation side of its snapshot as its trainer says; empty: it does.

    Args:
        rows: of its snapshot, both sides.

    Raises:
        ModelUnusable: it does not answer.
        TrueupError: the registry fails.
    """
    from trueup.training.gate.sent_answers import difference_from_sent
    from trueup.training.registry.foreign import returned_file

    try:
        sent = pd.read_parquet(io.BytesIO(returned_file(app.registry, record.run_id, TRAINER_ANSWERS)))
    except (ValueError, OSError) as error:
        raise ModelUnusable(
            f"the answers that came with v{record.version} of '{stream.name}' cannot be read ({error}), so nothing "
            "shows that it answers here as it did where it was trained"
        ) from error
    asked = np.flatnonzero(rows.meta["evaluation"].to_numpy(dtype=bool))
    features = rows.features.iloc[asked][list(stream.features)]
    predicted, chances = model.predict_with_chances(features)
    return difference_from_sent(sent, asked, predicted, chances, tuple(model.classes_))
