"""Versions that serve refitted on both sides of the split: which fit the gate judges, and by which of its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.flows.app import App
from trueup.flows.train.lineage import stream_when_trained
from trueup.storage import snapshots
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    from trueup.training.evaluation.head_to_head import Predictor
    from trueup.training.gate.result import GateTest
    from trueup.training.models.fitting import Fitted


def fit_to_judge(
    app: App, stream: StreamSettings, record: VersionRecord, stored: Fitted, rows: Rows
) -> tuple[Fitted, tuple[GateTest, ...]]:
    """The fit that the gate compares: the stored model, or the fit on the training side of which it is the refit.

    That one is made again from the snapshot, and GATE-REFIT holds it against the answers that it gave then.

    Args:
        rows: the version's snapshot, both sides.

    Raises:
        NotTrainable: it cannot be made again.
    """
    if not record.refit_labels:
        return stored, ()
    from trueup.training.gate.fresh_process import difference
    from trueup.training.gate.refit_test import refit_test
    from trueup.training.models.fitting import fit
    from trueup.training.models.recency import recent_row_count

    then = stream_when_trained(record) or stream
    learning = rows.take(~rows.meta["evaluation"].to_numpy(dtype=bool))
    made = fit(stored.recipe, then, learning, record.document["seed"], recent_row_count(then, rows))
    reference = snapshots.load(app.archive, record.reference, regression=stream.is_regression)
    failure = difference(then, reference, made.model)
    return made, (refit_test(record.version, record.refit_labels, len(made.used), failure),)


def judged_answers(app: App, stream: StreamSettings, record: VersionRecord, serving: Predictor) -> Predictor:
    """The answers of a version by which a gate may judge it: of a refitted one none to a row that it learnt."""
    if not record.refit_labels:
        return serving
    from trueup.training.evaluation.out_of_sample import out_of_sample

    judged = snapshots.load(app.archive, record.reference, regression=stream.is_regression)
    return out_of_sample(stream, serving, judged, record.cut_off)
