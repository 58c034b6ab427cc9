"""`trueup train`: the first champion, or a challenger on demand, through the same gate and commit path as a cycle."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flows.alerting import deliver_now, item
from flows.app import App
from flows.looking import champion_of, refuse_rewind
from flows.promoting import attempt, commit, judge_version, settle
from flows.training_run import train_version
from reports.alert_facts import AlertFacts, AlertKind
from storage.errors import NoChampion
from storage.leases import hold
from storage.promotions import Promotion, PromotionState
from storage.stream import Stream


def train_now(
    app: App, stream: Stream, as_of: datetime, *, on_candidate: Callable[[Any], None] = lambda trial: None
) -> dict[str, Any]:
    """Train, judge and, if the gate lets it through, promote; what came of it, in the contract's keys.

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
            app, stream, as_of, cycle_id=f"train-{uuid.uuid4().hex}", on_candidate=on_candidate
        )
        judged = judge_version(app, stream, trained, as_of)
        planned = attempt(app, stream, as_of, judged, trained, why="asked for by `trueup train`")
        with app.database.write() as connection:
            lease.assert_held(connection)
            planned = app.promotions.add(connection, planned)
        promotion = None
        if planned.state is PromotionState.DECIDED:
            alert = item(app, stream, _facts(app, stream, planned, trained.run_id), None)
            commit(app, lease, planned, lambda connection: app.alerts.add(connection, alert))
            promotion = {"from_version": planned.from_version, "to_version": planned.to_version}
    deliver_now(app)
    return {**asdict(trained), "gate": judged.gate, "promotion": promotion}


def _facts(app: App, stream: Stream, planned: Promotion, run_id: str) -> AlertFacts:
    from training.gate import GateTest

    return AlertFacts(
        kind=AlertKind.PROMOTION,
        stream=stream.name,
        as_of=planned.as_of,
        gate=tuple(GateTest(**test) for test in planned.gate["tests"]),
        from_version=planned.from_version,
        to_version=planned.to_version,
        run_id=run_id,
        reasons=("A person asked for this training with `trueup train`.",),
        home=str(app.home),
    )
