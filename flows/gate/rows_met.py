"""The rows on which the gate lets a challenger meet the champion: newer than the champion, or newer than both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from trueup.flows.app import App
from trueup.flows.check.labels import snapshot_rows
from trueup.storage import snapshots
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    from trueup.training.evaluation.head_to_head import Predictor
    from trueup.training.evaluation.paired import Paired
    from trueup.training.models.fitting import Fitted


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """Who meets: a challenger, as it was fitted on its snapshot's rows, and the champion by its answers."""

    stream: StreamSettings
    challenger: Fitted
    record: VersionRecord
    rows: Rows
    champion: Predictor
    standing: VersionRecord
    as_of: datetime
    seed: int


Meet = Callable[[App, Meeting], tuple["Paired", Rows]]  # what both answered, and the rows that those are among


def on_new_rows(app: App, who: Meeting) -> tuple[Paired, Rows]:
    """On the rows of the challenger's snapshot that are newer than the champion; its recipe is cross-fitted there."""
    from trueup.training.evaluation.head_to_head import compare_on_new_rows

    known = snapshots.extra(app.archive, who.standing.snapshot, "content")
    paired = compare_on_new_rows(
        who.stream, who.challenger, who.champion, who.rows, cut_off=who.standing.cut_off, known_contents=known,
        seed=who.seed,
    )  # fmt: skip
    return paired, who.rows


def on_later_rows(app: App, who: Meeting) -> tuple[Paired, Rows]:
    """On the rows that came since either was trained, known by now: nothing is fitted."""
    from trueup.training.evaluation.head_to_head import compare_on_later_rows

    known = [snapshots.extra(app.archive, version.snapshot, "content") for version in (who.standing, who.record)]
    rows = snapshot_rows(app, who.stream, who.as_of)
    paired = compare_on_later_rows(
        who.stream, who.challenger, who.champion, rows, since=max(who.standing.cut_off, who.record.cut_off),
        known_contents=np.concatenate(known),
    )  # fmt: skip
    return paired, rows
