"""`trueup train`: the first champion, or a challenger on demand, through the same gate and commit path as a cycle."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.app import App
from trueup.flows.check.champion import champion_of, champion_version, refuse_rewind
from trueup.flows.check.labels import snapshot_rows
from trueup.flows.gate.evaluate import GateOutcome, read_gate_files, run_gate
from trueup.flows.promote.commit import commit_and_announce, finish_undone, gated_attempt, hold_reason, name_challenger
from trueup.flows.promote.external_releases import follow_service, need_service_champion
from trueup.flows.promote.reference_only import new_reference
from trueup.flows.train.lineage import asked_by_person
from trueup.flows.train.run import Trained, train_version
from trueup.storage import snapshots
from trueup.storage.errors import NoChampion, NotTrainable
from trueup.storage.leases import Lease, hold
from trueup.storage.promotions import PromotionAttempt, PromotionState
from trueup.storage.stream import StreamSettings
from trueup_model.kept_vectors import vectors_kept

TRAINING = "train-"  # begins the name of a training that belongs to no cycle


@vectors_kept()
def train_now(
    app: App, stream: StreamSettings, as_of: datetime, *, on_candidate: Callable[[Any], None] = lambda progress: None
) -> dict[str, Any]:
    """Train, judge and, if the gate lets it through, promote; what came of it, in the contract's keys.

    One that was killed after its version was registered, on the same rows and labels, is gone on with.

    Where a service answers, and another version of it than the champion, that one is made champion and none is trained.
    Of a stream that predicts nothing, what is known becomes its reference.

    `held` says what keeps a version waiting that passed its gate; null where nothing does.

    Raises:
        LeaseHeld: another process works on the stream.
        TimeRefused: the time would rewind a model.
        ModelUnusable: the champion cannot be loaded or scored; nothing is promoted over it.
        ConfigError: a file that the gate asks by cannot be read.
        NotTrainable: the rows cannot be learnt from; which of their tests refused them is kept in the history.
    """
    with hold(app.database, stream.name, clock=app.clock) as lease:
        followed = followed_instead(app, lease, stream, as_of)
        if followed is not None:
            deliver_now(app)
            return of_service(app, stream, followed)
        name, moment = _left_behind(app, stream, as_of) or (f"{TRAINING}{uuid.uuid4().hex}", as_of)
        try:
            trained = train_version(
                app, lease, stream, moment, cycle_id=name, asked=asked_by_person(app.who), on_candidate=on_candidate
            )
        except NotTrainable as error:
            if error.tests:
                _keep_refusal(app, lease, stream, as_of, error)
            raise
        done = judge_now(app, lease, stream, trained, as_of)
    deliver_now(app)
    return done


def followed_instead(app: App, lease: Lease, stream: StreamSettings, as_of: datetime) -> PromotionAttempt | None:
    """What stands before a training on demand: a service's release or a new reference, which takes its place.

    Raises:
        TimeRefused, ModelUnusable, ConfigError: as `train_now`.
    """
    finish_undone(app, lease, stream)
    try:
        refuse_rewind(app, stream, as_of, champion_of(app, stream))
    except NoChampion:
        refuse_rewind(app, stream, as_of, None)
    if stream.predicts:
        followed = follow_service(app, lease, stream, as_of)
    else:
        followed = new_reference(app, lease, stream, as_of, who=app.who)
    if followed is None:
        need_service_champion(app, stream, as_of)
        read_gate_files(app, stream)
    return followed


def judge_now(
    app: App,
    lease: Lease,
    stream: StreamSettings,
    trained: Trained,
    as_of: datetime,
    write: Callable[[Connection], None] = lambda connection: None,
) -> dict[str, Any]:
    """Judge a version trained on demand, and promote it if the gate lets it through, in the contract's keys.

    write: into the transaction that keeps the attempt.
    """
    name_challenger(app, lease, stream, trained)
    judged = run_gate(app, stream, trained, as_of)
    held = hold_reason(app, stream, judged.doubts)
    planned = gated_attempt(
        app, stream, as_of, judged, trained, why="A person started it with `trueup train`.", held=held, who=app.who
    )
    with lease.transaction(app.database) as connection:
        planned = app.promotions.add(connection, planned)
        write(connection)
    promotion = None
    if planned.state is PromotionState.DECIDED:
        commit_and_announce(app, lease, stream, planned)
        promotion = {"from_version": planned.from_version, "to_version": planned.to_version}
    waits = held if planned.state is PromotionState.HELD else None
    return {**asdict(trained), "gate": judged.gate, "promotion": promotion, "held": waits}


def _keep_refusal(app: App, lease: Lease, stream: StreamSettings, as_of: datetime, error: NotTrainable) -> None:
    judged = GateOutcome({"passed": False, "tests": error.tests}, champion_version(app, stream), 0)
    refused = gated_attempt(app, stream, as_of, judged, None, why=str(error), held="", who=app.who)
    with lease.transaction(app.database) as connection:
        app.promotions.add(connection, refused)


def of_service(app: App, stream: StreamSettings, followed: PromotionAttempt) -> dict[str, Any]:
    """What took the place of a training, in the contract's keys."""
    assert followed.to_version is not None
    record = app.promotions.version(stream.name, followed.to_version)
    assert record is not None
    return {
        "version": record.version,
        "run_id": record.run_id,
        "snapshot": Path(record.snapshot).stem,
        "candidates": [],
        "recipe": record.document["recipe"],
        "gate": followed.gate,
        "promotion": {"from_version": followed.from_version, "to_version": followed.to_version},
        "held": None,
        "why": followed.why,
    }


def _left_behind(app: App, stream: StreamSettings, as_of: datetime) -> tuple[str, datetime] | None:
    """Name and time of a training on just what is known at `as_of`, whose version nobody judged; None: there is none.

    The time is its own, since the seed hangs on it: so the search comes to the model that was registered.
    """
    from trueup.training.registry.run_tags import lineage_tag

    judged = {p.to_version for p in app.promotions.history(stream.name)}
    left = [
        version
        for version in app.registry.versions(stream.name)
        if version.number not in judged and (lineage_tag(version.tags, "cycle") or "").startswith(TRAINING)
    ]
    if not left:
        return None
    rows = snapshots.keep(app.archive, stream.name, snapshot_rows(app, stream, as_of))
    for same in (version.tags for version in left if lineage_tag(version.tags, "snapshot") == Path(rows).stem):
        name, as_of_then = lineage_tag(same, "cycle"), lineage_tag(same, "as_of")
        if name and as_of_then:
            return name, datetime.fromisoformat(as_of_then)
    return None
