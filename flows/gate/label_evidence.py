"""What the gate's doubts about labels are judged by: how they were before, which records have one, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from trueup.flows.app import App
from trueup.storage import snapshots
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import utc

if TYPE_CHECKING:
    from trueup.training.evaluation.head_to_head import Predictor
    from trueup.training.evaluation.label_feed import AnsweredLabels
    from trueup.training.evaluation.labelling import Labelling


def doubts_of(gate: Mapping[str, Any]) -> tuple[str, ...]:
    """The failed tests of a stored gate that hold a challenger for a person, and refuse none."""
    from trueup.training.gate.result import HOLDING

    failed = (test for test in gate["tests"] if test["code"] in HOLDING and not test["passed"])
    return tuple(f"{test['code']}: {test['said']}" for test in failed)


def labels_before(app: App, stream: StreamSettings, champion: VersionRecord) -> AnsweredLabels:
    """The champion's recipe on the last blocks of its own history, each answered by a fit on what came before it."""
    from trueup.training.evaluation.label_feed import AnsweredLabels

    rows = snapshots.load(app.archive, champion.quality, regression=stream.is_regression)
    meta = rows.take(rows.labelled & rows.meta["predicted"].notna().to_numpy()).meta
    kind = float if stream.is_regression else object
    return AnsweredLabels(
        truth=meta["label"].to_numpy().astype(kind),
        predicted=meta["predicted"].to_numpy().astype(kind),
        score=meta["score"].to_numpy(dtype=float),
    )


def labelling_of(
    stream: StreamSettings, rows: Rows, champion: Predictor, *, cut_off: datetime, as_of: datetime
) -> Labelling | None:
    """Which records of the newest window are labelled, and by whom, beside those before; None where all are, by one.

    Records younger than the maturity are left out. Those up to the champion's cut-off are of the evaluation side, which
    it was not fitted on.
    """
    from trueup.training.evaluation.labelling import Labelling
    from trueup.training.models.recency import window_row_count

    times = rows.meta["time"].to_numpy()
    old_enough = times <= np.datetime64(utc(as_of - stream.label.maturity_span).replace(tzinfo=None), "us")
    after = times > np.datetime64(utc(cut_off).replace(tzinfo=None), "us")
    known = rows.take(old_enough & (after | rows.meta["evaluation"].to_numpy(dtype=bool)))
    window = min(window_row_count(stream, rows), int((old_enough & after).sum()))
    met = known.newest(window + stream.policy.reference)
    newest = met.meta.iloc[len(met) - window :]
    if newest["label"].notna().all() and newest["provenance"].nunique() <= 1:
        return None
    edge = newest["seq"].to_numpy()
    answered = champion(met).meta
    label, predicted = answered["label"], answered["predicted"]
    return Labelling(
        predicted=predicted.to_numpy().astype(float if stream.is_regression else object),
        labelled=label.notna().to_numpy(),
        wrong=_wrong(stream, label.to_numpy(), predicted.to_numpy()),
        source=answered["provenance"].fillna("").astype(str).to_numpy(),
        recent=np.isin(answered["seq"].to_numpy(), edge),
    )


def _wrong(stream: StreamSettings, label: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Which answers are not the label; of numbers those further off than half of the labelled ones are."""
    if not stream.is_regression:
        return np.asarray(label != predicted)
    off = np.abs(label.astype(float) - predicted.astype(float))
    return np.asarray(off > np.nanmedian(off)) if np.isfinite(off).any() else np.zeros(len(off), dtype=bool)
