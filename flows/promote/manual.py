"""What a person does to the champion: promote a version, go back to an earlier one, and resume promotion after that."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from trueup.flows.alert.acknowledgements import tell_acknowledged
from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.alert.notices import add_notice
from trueup.flows.app import App
from trueup.flows.check.champion import champion_version
from trueup.flows.promote.answerable import need_answer
from trueup.flows.promote.approvals import approval_deadline
from trueup.flows.promote.commit import commit_and_announce
from trueup.flows.promote.notifications import open_rollback, refusal_reason
from trueup.flows.promote.out_of_band import latest_as_of, record_out_of_band_move
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.errors import InputError, NoChampion, StaleEvidence
from trueup.storage.incidents import Incident
from trueup.storage.leases import Lease, hold
from trueup.storage.promotions import NOT_BY_TRUEUP, ROLLBACKS, PromotionAttempt, PromotionKind, PromotionState
from trueup.storage.stream import StreamSettings


def promote_by_hand(app: App, stream: StreamSettings, version: int, why: str, *, force: bool) -> PromotionAttempt:
    """Make a version champion that passed its gate against the present one and waits, or with `force` any version.

    Raises:
        InputError: without `force` something stands against the version; with it or not: it is unknown, or is
            champion already, or there is no reason.
        ModelUnusable: it cannot be loaded; nothing has moved.
        LeaseHeld: another process works on the stream.
    """
    _need_reason(why)
    with hold(app.database, stream.name, clock=app.clock) as lease:
        _need_other(app, stream, version, app.registry.alias(stream.name, "champion"))
        need_answer(app, stream, version)
        _give_way(app, lease, stream)
        champion = app.registry.alias(stream.name, "champion")
        _need_other(app, stream, version, champion)
        judged = next((p for p in app.promotions.history(stream.name) if p.to_version == version), None)
        against = _against(stream, judged, champion, latest_as_of(app, stream))
        if against and not force:
            raise InputError(
                f"v{version} of '{stream.name}' was not promoted, and nothing was changed: {against}. If it is to "
                "answer all the same, add --force; the history and the mail will say that it was forced."
            )
        kind = PromotionKind.FORCED if force else PromotionKind.APPROVED
        planned = _planned(app, stream, kind, champion, version, why)
        if judged is not None:
            planned = replace(planned, gate=judged.gate, labels=judged.labels)
        done = _carry_out(app, lease, stream, planned)
    deliver_now(app)
    return done


def roll_back(app: App, stream: StreamSettings, version: int | None, why: str) -> PromotionAttempt:
    """Make an earlier version champion again: the one named, or the one with the alias `previous`.

    It opens an incident; until somebody resumes promotion nothing is promoted by itself.

    Raises:
        NoChampion: there is none to go back from.
        InputError: there is nothing to go back to, the version is unknown, champion already or was never champion, or
            there is no reason.
        ModelUnusable: the version cannot be loaded, or the registry lost its champion; nothing has moved.
        LeaseHeld: another process works on the stream.
    """
    _need_reason(why)
    with hold(app.database, stream.name, clock=app.clock) as lease:
        _give_way(app, lease, stream)
        champion = champion_version(app, stream)
        if champion is None:
            raise NoChampion(stream.name)
        target = _previous(app, stream, champion) if version is None else version
        _need_other(app, stream, target, champion)
        _need_past_champion(app, stream, target)
        done = _carry_out(app, lease, stream, _planned(app, stream, PromotionKind.ROLLBACK, champion, target, why))
    deliver_now(app)
    return done


def acknowledge(app: App, incident_id: str) -> Incident:
    """Say that somebody has seen an open incident; nothing else changes by it.

    Raises:
        InputError: no incident of this id is open.
    """
    found = next((i for i in app.incidents.open_ones() if i.id == incident_id), None)
    if found is None:
        raise InputError(f"There is no open incident '{incident_id}'. `trueup alerts list` names them.")
    with app.database.write() as connection:
        if not app.incidents.acknowledge(connection, found.id, app.who, app.now()):
            raise InputError(f"Incident '{incident_id}' was resolved this moment; nothing is left to acknowledge.")
        if found.acknowledged_at is None:
            tell_acknowledged(app, connection, found, app.who)
    deliver_now(app)
    return next(i for i in app.incidents.newest(found.stream, limit=None) if i.id == found.id)


def acknowledge_all(app: App, stream: str | None) -> list[Incident]:
    """Say so of every open incident of a stream, or of all, that nobody has yet; those, newest first."""
    waiting = [i for i in app.incidents.open_ones(stream) if i.acknowledged_by is None]
    return [acknowledge(app, incident.id) for incident in waiting]


def resume_promotion(app: App, stream: StreamSettings, why: str) -> Incident:
    """End the incident of a rollback: from here on promotion follows the policy again, and a mail says so.

    Raises:
        InputError: no rollback holds promotion, or there is no reason.
    """
    _need_reason(why)
    found = open_rollback(app, stream)
    if found is None:
        raise InputError(
            f"No rollback holds the promotion of '{stream.name}', so there is nothing to resume. It follows "
            f"policy.promotion = \"{stream.policy.promotion}\"."
        )
    ended = AlertFacts(
        kind=AlertKind.INCIDENT_RESOLVED,
        stream=stream.name,
        as_of=latest_as_of(app, stream),
        codes=found.codes,
        incident_id=found.id,
        why=f"{app.who} resumed automatic promotion: {why}",
        home=str(app.home),
    )
    with app.database.write() as connection:
        app.incidents.end(connection, found.id, app.now(), app.who, why)
        add_notice(app, connection, stream, ended, found)
    deliver_now(app)
    return next(i for i in app.incidents.newest(stream.name, limit=None) if i.id == found.id)


def _give_way(app: App, lease: Lease, stream: StreamSettings) -> None:
    """What a crash left undone: finished where the alias moved or a person asked for it, else set aside for the person.

    A cycle or `train` that only decided must not change the champion under somebody who has just looked at it.
    """
    for left in app.promotions.undone(stream.name):
        if left.kind in NOT_BY_TRUEUP or left.to_version == app.registry.alias(stream.name, "champion"):
            try:
                commit_and_announce(app, lease, stream, left)
            except StaleEvidence:
                continue  # written down as abandoned, which is all there is to do
        else:
            with lease.transaction(app.database) as connection:
                app.promotions.move(connection, left.id, PromotionState.ABANDONED, app.now())
    record_out_of_band_move(app, lease, stream)


def _carry_out(app: App, lease: Lease, stream: StreamSettings, planned: PromotionAttempt) -> PromotionAttempt:
    """Through the same commit path as every promotion: loadable, written down, moved, told of."""
    assert planned.to_version is not None
    need_answer(app, stream, planned.to_version)
    with lease.transaction(app.database) as connection:
        planned = app.promotions.add(connection, planned)
    return commit_and_announce(app, lease, stream, planned)


def _planned(
    app: App, stream: StreamSettings, kind: PromotionKind, champion: int | None, version: int, why: str
) -> PromotionAttempt:
    return PromotionAttempt(
        stream=stream.name,
        kind=kind,
        state=PromotionState.DECIDED,
        from_version=champion,
        to_version=version,
        as_of=latest_as_of(app, stream),
        at=app.now(),
        who=app.who,
        why=why.strip(),
        codes=(),
        labels=0,
        gate={"passed": None, "tests": []},
    )


def _against(stream: StreamSettings, judged: PromotionAttempt | None, champion: int | None, as_of: datetime) -> str:
    """What stands against promoting a version without force, after the newest attempt to promote it; empty: nothing."""
    if judged is None:
        return "it was never judged by the gate"
    if judged.state is PromotionState.REFUSED:
        return f"its gate refused it ({refusal_reason(judged)})"
    if judged.state is PromotionState.COMMITTED:
        return "it is a former champion; its gate did not compare it with the present one"
    if judged.state is PromotionState.ABANDONED:
        return "its promotion was abandoned, since the champion changed or a person acted before it was done"
    if judged.state is PromotionState.EXPIRED or as_of > approval_deadline(stream, judged):
        return (
            f"it passed its gate as of {judged.as_of:%Y-%m-%d %H:%M} UTC, and nobody approved it within the "
            f"{stream.policy.approval} of policy.approval, so it expired; train one on what has come since"
        )
    if judged.from_version != champion:
        now = "there is none now" if champion is None else f"v{champion} is champion now"
        return f"it passed its gate against v{judged.from_version}, and {now}"
    return ""


def _previous(app: App, stream: StreamSettings, champion: int) -> int:
    """The version that the alias `previous` points to, unless going there would undo the last rollback."""
    previous = app.registry.alias(stream.name, "previous")
    if previous is None:
        raise InputError(
            f"v{champion} of '{stream.name}' has no version before it, so there is nothing to go back to, and it still "
            f"answers. Name one with --to; see what there is: trueup models list --stream {stream.name}"
        )
    done = (p for p in app.promotions.history(stream.name) if p.state is PromotionState.COMMITTED)
    last = next(done, None)
    if last is not None and last.kind in ROLLBACKS and last.from_version == previous:
        raise InputError(
            f"'{stream.name}' was rolled back from v{previous} to v{champion} already ({last.at:%Y-%m-%d %H:%M} UTC, "
            f"{last.who}: {last.why}); going to `previous` would undo that, so nothing was changed. To go to another "
            "version, name it with --to."
        )
    return previous


def _need_other(app: App, stream: StreamSettings, version: int, champion: int | None) -> None:
    if app.promotions.version(stream.name, version) is None:
        raise InputError(
            f"'{stream.name}' has no version {version}, so nothing was changed. See what there is: "
            f"trueup models list --stream {stream.name}"
        )
    app.prunings.refuse_pruned(stream.name, version)
    if version == champion:
        raise InputError(
            f"v{version} of '{stream.name}' is the champion already, so nothing was changed. To let another version "
            f"answer, name it with --to; see: trueup models list --stream {stream.name}"
        )


def _need_past_champion(app: App, stream: StreamSettings, version: int) -> None:
    history = app.promotions.history(stream.name)
    if not any(p.to_version == version and p.state is PromotionState.COMMITTED for p in history):
        raise InputError(
            f"v{version} of '{stream.name}' was never champion, so going to it is no rollback; nothing was changed. "
            f"To promote it: trueup models promote --to {version} --stream {stream.name} --why '...'"
        )


def _need_reason(why: str) -> None:
    if not why.strip():
        raise InputError("--why is empty, so the audit trail would not say why. Nothing was changed; give a reason.")
