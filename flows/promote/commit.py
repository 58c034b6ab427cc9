"""The attempt, in the order of invariant 4: the decision is durable before an alias moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from trueup.flows.alert.failures import resolve_incident
from trueup.flows.alert.moved_baselines import answer_changes
from trueup.flows.app import App
from trueup.flows.check.champion import champion_version, need_own_name
from trueup.flows.gate.evaluate import GateOutcome
from trueup.flows.promote.mlflow_tags import tag_of
from trueup.flows.promote.notifications import announcement_of, open_rollback
from trueup.flows.promote.out_of_band import record_out_of_band_move
from trueup.flows.train.run import Trained
from trueup.monitoring.causes import Cause
from trueup.storage.errors import StaleEvidence
from trueup.storage.leases import Lease
from trueup.storage.promotions import ROLLBACKS, PromotionAttempt, PromotionKind, PromotionState
from trueup.storage.stream import StreamSettings


def name_challenger(app: App, lease: Lease, stream: StreamSettings, trained: Trained) -> None:
    """Point the alias `challenger` to a version that a gate will compare with a champion; the first has none.

    Done again it changes nothing.

    Raises:
        LeaseHeld: the lease was lost.
        ModelUnusable: the registry lost its champion.
    """
    with lease.transaction(app.database):
        if champion_version(app, stream) is not None:
            app.registry.set_alias(stream.name, "challenger", trained.version)


def hold_reason(app: App, stream: StreamSettings, doubts: Sequence[str] = ()) -> str:
    """Why a challenger that passes its gate is not promoted by itself now; empty where nothing holds it.

    doubts: of its gate (`GateOutcome.doubts`).
    """
    if doubts:
        return "; ".join(doubts)
    if open_rollback(app, stream) is not None:
        return (
            "after the rollback there is no automatic promotion until a person resumes it "
            f"(trueup models resume --stream {stream.name} --why '...')"
        )
    if stream.policy.promotion != "auto":
        return f'promotion = "{stream.policy.promotion}" under policy, so a person decides'
    return ""


def gated_attempt(
    app: App,
    stream: StreamSettings,
    as_of: datetime,
    judged: GateOutcome,
    trained: Trained | None,
    *,
    why: str,
    held: str,
    who: str,
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
        who=who,
        why=why,
        codes=codes,
        labels=judged.labels,
        gate=judged.gate,
    )


@contextmanager
def commit(app: App, lease: Lease, attempt: PromotionAttempt) -> Iterator[Connection]:
    """Move the alias: `previous` first, `champion` last, and only over the champion the decision was made about.

    A champion is no challenger any more, so that alias is taken from it. The lease's row is held from the comparison
    to the commit, so that no other worker can come between; what the block writes is committed with it. Done again
    after a crash it finds the alias moved, and only writes that down.

    Raises:
        StaleEvidence: the champion changed since; the attempt is written down as abandoned, the block does not run.
        LeaseHeld: the lease was lost.
    """
    assert attempt.to_version is not None
    over = [
        resolve_incident(
            app, app.stream(attempt.stream), cause, attempt.as_of, attempt.cycle_id,
            why=f"{attempt.who} promoted v{attempt.to_version}" if cause is Cause.LABEL_FEED else "",
        )
        for cause in (Cause.NO_CHAMPION, *((Cause.LABEL_FEED,) if attempt.kind not in ROLLBACKS else ()))
    ]  # fmt: skip
    answered = answer_changes(app, attempt)
    with lease.transaction(app.database) as connection:
        present = app.registry.alias(attempt.stream, "champion")
        stale = present not in (attempt.from_version, attempt.to_version)
        if stale:
            app.promotions.move(connection, attempt.id, PromotionState.ABANDONED, app.now())
        else:
            _move_aliases(app, attempt, present)
            moved = app.now()
            _mark(app, attempt, moved)
            app.promotions.move(connection, attempt.id, PromotionState.COMMITTED, moved)
            for resolve in over:
                resolve(connection)
            yield connection
            answered(connection)
    if stale:
        raise StaleEvidence(
            f"v{attempt.to_version} of '{attempt.stream}' was judged against v{attempt.from_version}, and the "
            f"champion is v{present} by now, so it was not promoted. Train a challenger against the present champion."
        )


def commit_and_announce(app: App, lease: Lease, stream: StreamSettings, attempt: PromotionAttempt) -> PromotionAttempt:
    """Commit an attempt that no cycle tells of itself, with its mail; the attempt as it stands then.

    Raises:
        StaleEvidence, LeaseHeld: as `commit`.
    """
    announcement = announcement_of(app, stream, attempt)
    with commit(app, lease, attempt) as connection:
        announcement(connection)
    return replace(attempt, state=PromotionState.COMMITTED)


def _move_aliases(app: App, attempt: PromotionAttempt, present: int | None) -> None:
    """Set them as the attempt says; `present` is the champion, which a crash may have moved already."""
    assert attempt.to_version is not None
    if present != attempt.to_version:
        if attempt.from_version is not None:
            app.registry.set_alias(attempt.stream, "previous", attempt.from_version)
        app.registry.set_alias(attempt.stream, "champion", attempt.to_version)
    if app.registry.alias(attempt.stream, "challenger") == attempt.to_version:
        app.registry.drop_alias(attempt.stream, "challenger")


def _mark(app: App, attempt: PromotionAttempt, moved: datetime) -> None:
    """Have the version itself say in MLflow how it became champion; done again after a crash it says the same."""
    assert attempt.to_version is not None
    app.registry.set_tag(attempt.stream, attempt.to_version, *tag_of(attempt, moved))
    app.registry.set_tag(attempt.stream, attempt.to_version, "stage", "champion")
    if attempt.from_version is not None:
        app.registry.set_tag(attempt.stream, attempt.from_version, "stage", "previous")


def finish_undone(app: App, lease: Lease, stream: StreamSettings) -> None:
    """Finish or abandon what a person or a `train` decided and a crash left undone; cycles finish their own.

    Runs that a killed training left open are closed. A champion that was set in MLflow by nobody of ours is written
    down.
    """
    from trueup.training.registry.tracking import close_stray_runs

    need_own_name(app, stream)  # before another deployment's runs are closed as killed ones of ours
    close_stray_runs(app.registry, stream.name)
    for attempt in app.promotions.undone(stream.name):
        if attempt.cycle_id is None:
            try:
                commit_and_announce(app, lease, stream, attempt)
            except StaleEvidence:
                continue  # written down as abandoned, which is all there is to do
    record_out_of_band_move(app, lease, stream)
