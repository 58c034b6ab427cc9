"""The champion's snapshot as a check looks at it: whole, or only what is compared and what was learnt of it."""

from __future__ import annotations

from dataclasses import dataclass

from trueup.flows.app import App
from trueup.monitoring.signals.sides import newest_learnt
from trueup.storage import snapshots
from trueup.storage.promotions import VersionRecord
from trueup.storage.row_values import release_memory
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings


@dataclass(frozen=True)
class ChampionRows:
    """past: all rows, without features where no signal looks at those of all. reference: the newest of them.

    learnt: the newest that the champion was trained on.
    """

    past: Rows
    reference: Rows
    learnt: Rows


def champion_rows(app: App, stream: StreamSettings, champion: VersionRecord) -> ChampionRows:
    """Rows without ids; of a snapshot that is much longer than the reference most features are never looked at."""
    held = snapshots.open_snapshot(app.archive, champion.snapshot, regression=stream.is_regression, ids=False)
    count = stream.policy.reference
    whole = stream.series or len(held) <= count
    past = held.rows(features=whole)
    learnt = newest_learnt(past)
    reference = past if whole else held.rows(slice(len(held) - count, None))
    found = ChampionRows(past, reference.newest(count), past.take(learnt) if whole else held.rows(learnt))
    del held
    release_memory()
    return found
