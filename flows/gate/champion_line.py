"""The line of a champion: back to the version that proved better, over those that only proved no worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from trueup.flows.app import App
from trueup.flows.check.predictions import predictor_of
from trueup.flows.gate.refitted import judged_answers
from trueup.storage.promotions import GATED, ROLLBACKS, PromotionAttempt, PromotionKind, PromotionState
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    from trueup.training.evaluation.paired import Paired
    from trueup.training.gate.not_worse import Ancestor

_BY_EVIDENCE = (GATED | {PromotionKind.APPROVED}) - {PromotionKind.FIRST}


def beginning_of_line(history: Sequence[PromotionAttempt], champion: int) -> tuple[int, int]:
    """The version that a champion's line began with, and in how many steps that only proved no worse it came about.

    history: of the stream, newest first.
    """
    made = {
        attempt.to_version: attempt
        for attempt in reversed(history)
        if attempt.state is PromotionState.COMMITTED and attempt.kind not in ROLLBACKS
    }
    steps = 0
    while steps < len(history):
        attempt = made.get(champion)
        if attempt is None or attempt.from_version is None or attempt.kind not in _BY_EVIDENCE:
            break
        if attempt.gate.get("begins_line", True):
            break
        champion, steps = attempt.from_version, steps + 1
    return champion, steps


def ancestor_of(app: App, stream: StreamSettings, champion: int, rows: Rows, met: Paired) -> Ancestor | None:
    """The version that the champion's line began with, in the champion's place on the same rows; None: the champion.

    Args:
        rows: that hold those of `met`.

    Raises:
        ModelUnusable: it cannot answer any more.
    """

    from trueup.training.gate.not_worse import Ancestor

    version, steps = beginning_of_line(app.promotions.history(stream.name), champion)
    record = app.promotions.version(stream.name, version)
    if version == champion or record is None:
        return None
    answers = judged_answers(app, stream, record, predictor_of(app, stream, record))
    its = answers(rows.take(pd.Index(rows.meta["id"]).get_indexer(met.ids))).meta
    shared = pd.Series(met.ids).isin(its["id"]).to_numpy()  # a service answered only what it was asked
    kind = met.opponent_predicted.dtype
    return Ancestor(
        version,
        replace(
            met.take(shared),
            opponent_predicted=its["predicted"].to_numpy().astype(kind),
            opponent_score=its["score"].to_numpy(dtype=float),
        ),
        steps + 1,
    )
