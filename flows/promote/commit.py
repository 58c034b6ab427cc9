"""The promotion, in the order of invariant 4: the decision is durable before an alias moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from trueup.flows.alert.failures import resolve_incident
from trueup.flows.app import App
from trueup.flows.check.champion import champion_version
from trueup.flows.gate.evaluate import GateOutcome
from trueup.flows.promote.mlflow_tags import tag_of
from trueup.flows.promote.notifications import announcement_of, open_rollback
from trueup.flows.promote.out_of_band import record_out_of_band_move
from trueup.flows.train.run import Trained
from trueup.monitoring.causes import Cause
from trueup.storage.errors import StaleEvidence
from trueup.storage.leases import Lease
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState
from trueup.storage.stream import Stream


def name_challenger(app: App, lease: Lease, stream: Stream, trained: Trained) -> None:
    """Point the alias `challenger` to a version that is to be held against a champion; the first is held against none.

    Done again it changes nothing.

    Raises:
        LeaseHeld: the lease was lost.
        ModelUnusable: the registry lost its champion.
    """
    with app.database.write() as connection:
        lease.assert_held(connection)
        if champion_version(app, stream) is not None:
            app.registry.set_alias(stream.name, "challenger", trained.version)


def hold_reason(app: App, stream: Stream) -> str:
    """Why a challenger that passes its gate is not promoted by itself now; empty where nothing holds it."""
    rollback = open_rollback(app, stream)
    if rollback is not None:
        return (
            "after the rollback nothing is promoted by itself until somebody acknowledges it "
            f"(trueup alerts ack {rollback.id})"
        )
    if stream.policy.promotion != "auto":
        return f'promotion = "{stream.policy.promotion}" under policy, so a person decides'
    return ""


def gated_attempt(
    app: App,
    stream: Stream,
    as_of: datetime,
    judged: GateOutcome,
    trained: Trained | None,
    *,
    why: str,
    held: str,
    codes: tuple[str, ...] = (),
    cycle_id: str | None = None,
) -> PromotionAttempt:
    """The attempt as it is written down before anything moves; `held` says what keeps a passing challenger waiting.

    A first champion waits for nobody: until it stands, nothing answers.
    """
    if not judged.passed:
        state = PromotionState.REFUSED
    elif held and judged.from_version is not None:
        state = PromotionState.HELD
    else:
        state = PromotionState.DECIDED
    return PromotionAttempt(
        stream=stream.name,
        cycle_id=cycle_id,
        kind=PromotionKind.FIRST if judged.from_version is None else PromotionKind.CHALLENGER,
        state=state,
        from_version=judged.from_version,
        to_version=trained.version if trained else None,
        as_of=as_of,
        at=app.now(),
        who=app.who,
        why=why,
        codes=codes,
        labels=judged.labels,
        gate=judged.gate,
    )


def commit(
    app: App, lease: Lease, promotion: PromotionAttempt, also: Callable[[Connection], None] = lambda _: None
) -> PromotionAttempt:
    """Move the alias: `previous` first, `champion` last, and only over the champion the decision was made about.

    A champion is no challenger any more, so that alias is taken from it. The lease's row is held from the comparison
    to the commit, so that no other worker can come between. Done again after a crash it finds the alias moved, and
    only writes that down.

    Raises:
        StaleEvidence: the champion changed since; the attempt is written down as abandoned.
        LeaseHeld: the lease was lost.
    """
    assert promotion.to_version is not None
    stale = None
    stands = resolve_incident(app, app.stream(promotion.stream), Cause.NO_CHAMPION, promotion.as_of, promotion.cycle_id)
    with app.database.write() as connection:
        lease.assert_held(connection)
        present = app.registry.alias(promotion.stream, "champion")
        if present not in (promotion.from_version, promotion.to_version):
            stale = present
            app.promotions.move(connection, promotion.id, PromotionState.ABANDONED, app.now())
        else:
            if present != promotion.to_version:
                if promotion.from_version is not None:
                    app.registry.set_alias(promotion.stream, "previous", promotion.from_version)
                app.registry.set_alias(promotion.stream, "champion", promotion.to_version)
            if app.registry.alias(promotion.stream, "challenger") == promotion.to_version:
                app.registry.drop_alias(promotion.stream, "challenger")
            moved = app.now()
            _mark(app, promotion, moved)
            app.promotions.move(connection, promotion.id, PromotionState.COMMITTED, moved)
            stands(connection)
            also(connection)
    if stale is not None:
        raise StaleEvidence(
            f"v{promotion.to_version} of '{promotion.stream}' was judged against v{promotion.from_version}, and the "
            f"champion is v{stale} by now, so it was not promoted. Train a challenger against the present champion."
        )
    return replace(promotion, state=PromotionState.COMMITTED)


def _mark(app: App, promotion: PromotionAttempt, moved: datetime) -> None:
    """Have the version itself say in MLflow how it became champion; done again after a crash it says the same."""
    assert promotion.to_version is not None
    app.registry.set_tag(promotion.stream, promotion.to_version, *tag_of(promotion, moved))
    app.registry.set_tag(promotion.stream, promotion.to_version, "stage", "champion")
    if promotion.from_version is not None:
        app.registry.set_tag(promotion.stream, promotion.from_version, "stage", "previous")


def finish_undone(app: App, lease: Lease, stream: Stream) -> None:
    """Finish or abandon what a person or a `train` decided and a crash left undone; cycles finish their own.

    Runs that a killed training left open are closed. A champion that was set in MLflow by nobody of ours is written
    down.
    """
    from trueup.training.registry.tracking import close_stray_runs

    close_stray_runs(app.registry, stream.name)
    for promotion in app.promotions.undone(stream.name):
        if promotion.cycle_id is None:
            try:
                commit(app, lease, promotion, announcement_of(app, stream, promotion))
            except StaleEvidence:
                continue  # written down as abandoned, which is all there is to do
    record_out_of_band_move(app, lease, stream)
