"""The rows on which the gate lets a challenger meet the champion: newer than the champion, or held out by both."""

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
    """On the rows of the challenger's snapshot that are newer than the champion; its recipe is cross-fitted there.

    A trainer's model may meet a champion that knows the same rows, since our own candidate was promoted while it was
    trained: then on those that both held out.
    """
    from trueup.training.evaluation.head_to_head import compare_on_new_rows

    if who.challenger.recipe.is_foreign and who.standing.cut_off >= who.record.cut_off:
        return _on_held_out_rows(app, who)
    known = snapshots.extra(app.archive, who.standing.snapshot, "content")
    paired = compare_on_new_rows(
        who.stream, who.challenger, who.champion, who.rows, cut_off=who.standing.cut_off, known_contents=known,
        seed=who.seed,
    )  # fmt: skip
    return paired, who.rows


def _on_held_out_rows(app: App, who: Meeting) -> tuple[Paired, Rows]:
    """On the evaluation side of what came since the version before this champion was trained."""
    from trueup.training.evaluation.head_to_head import compare_on_held_out_rows

    made = (p for p in app.promotions.history(who.stream.name) if p.to_version == who.standing.version)
    former = next((p.from_version for p in made if p.from_version is not None), None)
    before = None if former is None else app.promotions.version(who.stream.name, former)
    paired = compare_on_held_out_rows(
        who.stream, who.challenger, who.champion, who.rows, since=before.cut_off if before else None
    )
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
