"""A champion that somebody set in MLflow behind trueup's back: found, and written into the history."""

from __future__ import annotations

import logging
from datetime import datetime

from trueup.flows.app import App
from trueup.storage.leases import Lease
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState
from trueup.storage.stream import StreamSettings

log = logging.getLogger("trueup")


def out_of_band_move(app: App, stream: StreamSettings) -> PromotionAttempt | None:
    """The change of the champion that MLflow shows and no promotion of ours made, not yet written down; else None.

    A version that the store does not know is no such change: nothing can be done with it.
    """
    present = app.registry.alias(stream.name, "champion")
    last = app.promotions.last_committed(stream.name)
    ours = {p.to_version for p in app.promotions.undone(stream.name)} | ({last.to_version} if last else set())
    if present is None or present in ours or app.promotions.version(stream.name, present) is None:
        return None
    return PromotionAttempt(
        stream=stream.name,
        kind=PromotionKind.OUTSIDE,
        state=PromotionState.COMMITTED,
        from_version=last.to_version if last else None,
        to_version=present,
        as_of=latest_as_of(app, stream),
        at=app.now(),
        who="unknown",
        why="The alias `champion` was set in MLflow, not by trueup, so it passed no gate and has no reason.",
        codes=(),
        labels=0,
        gate={"passed": None, "tests": []},
    )


def record_out_of_band_move(app: App, lease: Lease, stream: StreamSettings) -> None:
    """Write a champion that was set in MLflow into the history, so that it says who answers since when."""
    moved = out_of_band_move(app, stream)
    if moved is None:
        return
    log.warning("the champion of %s was set to v%s in MLflow, not by trueup", stream.name, moved.to_version)
    with lease.transaction(app.database) as connection:
        app.promotions.add(connection, moved)


def latest_as_of(app: App, stream: StreamSettings) -> datetime:
    """The time that the stream's cycles and attempts have come to: a person acts after them, in as-of time as well."""
    last = app.cycles.last_checked(stream.name)
    times = [p.as_of for p in app.promotions.history(stream.name, limit=1)]
    return max(times + ([last] if last else []), default=app.now())
