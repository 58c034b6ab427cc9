"""`trueup train`: the first champion, or a challenger on demand, through the same gate and commit path as a cycle."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flows.alerting import deliver_now
from flows.app import App
from flows.looking import champion_of, refuse_rewind
from flows.promoting import attempt, commit, held_because, judge_version, name_challenger, settle
from flows.promotion_alerts import telling
from flows.training_run import train_version
from storage.errors import NoChampion
from storage.leases import hold
from storage.promotions import PromotionState
from storage.stream import Stream


def train_now(
    app: App, stream: Stream, as_of: datetime, *, on_candidate: Callable[[Any], None] = lambda trial: None
) -> dict[str, Any]:
    """Train, judge and, if the gate lets it through, promote; what came of it, in the contract's keys.

    `held` says what keeps a version waiting that passed its gate; null where nothing does.

    Raises:
        LeaseHeld: another process works on the stream.
        TimeRefused: the time would rewind a model.
        ModelUnusable: the champion cannot be loaded or scored; nothing is promoted over it.
    """
    with hold(app.database, stream.name, clock=app.clock) as lease:
        settle(app, lease, stream)
        try:
            refuse_rewind(app, stream, as_of, champion_of(app, stream))
        except NoChampion:
            refuse_rewind(app, stream, as_of, None)
        trained = train_version(
            app, lease, stream, as_of, cycle_id=f"train-{uuid.uuid4().hex}", on_candidate=on_candidate
        )
        name_challenger(app, lease, stream, trained)
        judged = judge_version(app, stream, trained, as_of)
        held = held_because(app, stream)
        planned = attempt(
            app, stream, as_of, judged, trained, why="A person asked for it with `trueup train`.", held=held
        )
        with app.database.write() as connection:
            lease.assert_held(connection)
            planned = app.promotions.add(connection, planned)
        promotion = None
        if planned.state is PromotionState.DECIDED:
            commit(app, lease, planned, telling(app, stream, planned))
            promotion = {"from_version": planned.from_version, "to_version": planned.to_version}
    deliver_now(app)
    waits = held if planned.state is PromotionState.HELD else None
    return {**asdict(trained), "gate": judged.gate, "promotion": promotion, "held": waits}
