"""What a version fitted on both sides of the split may be judged by: never an answer to a row that it learnt."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from trueup.storage.rows import Rows, stack
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import utc
from trueup.training.evaluation.head_to_head import Predictor


def out_of_sample(stream: StreamSettings, serving: Predictor, judged: Rows, cut_off: datetime) -> Predictor:
    """The answers of a refitted version to rows that the fit behind each answer did not know.

    Rows after the cut-off are answered by what serves. Of those up to it, only the rows of `judged` are answered, as
    the fit on the training side answered them; all others are left out, learnt or not.

    Args:
        judged: evaluation rows of the version's snapshot with the answers of the fit on the training side.
        cut_off: of the version.
    """
    places = pd.Index(judged.meta["seq"])

    def answers(rows: Rows) -> Rows:
        after = rows.meta["time"].to_numpy() > np.datetime64(utc(cut_off).replace(tzinfo=None), "us")
        before = rows.take(~after)
        at = places.get_indexer(before.meta["seq"])
        its = judged.meta.take(at[at >= 0])
        known = before.take(at >= 0).with_meta(
            predicted=its["predicted"].to_numpy(), score=its["score"].to_numpy(dtype=float)
        )
        return stack([known, serving(rows.take(after))], stream.columns)

    return answers
