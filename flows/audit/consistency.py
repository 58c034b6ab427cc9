"""What does not agree between the store, MLflow and the archive about a stream's models: a comparison of views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from trueup.flows.promote.mlflow_tags import TAG, WHY_LENGTH, attempts_of
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState, VersionRecord

if TYPE_CHECKING:
    from trueup.training.registry.registry import Version


@dataclass(frozen=True)
class StoreView:
    """What the store says of a stream: its versions, and every attempt to change the champion, oldest first.

    pruned: versions whose files were removed by policy, or are being removed. erased: by the name of a file that held
    erased rows the one that stands for it.
    lost: why it cannot be read; empty where it can.
    """

    versions: tuple[VersionRecord, ...] = ()
    attempts: tuple[PromotionAttempt, ...] = ()
    pruned: frozenset[int] = frozenset()
    erased: Mapping[str, str] = field(default_factory=dict)
    lost: str = ""

    @property
    def standing(self) -> tuple[VersionRecord, ...]:
        """The versions that were not pruned."""
        return tuple(record for record in self.versions if record.version not in self.pruned)

    @property
    def committed(self) -> tuple[PromotionAttempt, ...]:
        return tuple(p for p in self.attempts if p.state is PromotionState.COMMITTED)

    @property
    def undone(self) -> tuple[PromotionAttempt, ...]:
        return tuple(p for p in self.attempts if p.state is PromotionState.DECIDED)


@dataclass(frozen=True)
class RegistryView:
    """What MLflow says of it: its versions, and the version of each alias that is set. `lost` as in `StoreView`."""

    versions: tuple[Version, ...] = ()
    aliases: Mapping[str, int] = field(default_factory=dict)
    lost: str = ""


def problems(
    stream: str, store: StoreView, registry: RegistryView, faults: Mapping[str, str]
) -> tuple[str, ...]:
    """What does not agree between two views; `faults` says of each file that cannot be relied on why."""
    lost = tuple(_lost(stream, store, registry))
    comparisons = (_versions, _champion, _others, _told)
    compared = () if lost else tuple(said for compare in comparisons for said in compare(store, registry))
    return (*lost, *compared, *_attempts(store), *_files(store, faults))


def _lost(stream: str, store: StoreView, registry: RegistryView) -> Iterator[str]:
    """A side that is gone is one sentence, not one for each thing that it held."""
    if store.lost:
        yield f"The store cannot be read, so its side of the audit trail is lost until it is restored: {store.lost}"
    if registry.lost:
        yield f"MLflow cannot be read, so its side of the audit trail is lost until it is restored: {registry.lost}"
    if store.lost or registry.lost:
        return
    if registry.versions and not store.versions and not store.attempts:
        yield (
            f"The store knows no version of '{stream}', and MLflow holds {_list(v.number for v in registry.versions)}: "
            "the store was lost or replaced. Restore trueup.db, or the database, from a backup."
        )
    if store.standing and not registry.versions:
        yield (
            f"MLflow holds no version of '{stream}', and the store knows {_list(v.version for v in store.versions)}: "
            "the tracking store was lost or replaced. Restore mlflow.db and mlflow/, or the MLflow server."
        )


def _versions(store: StoreView, registry: RegistryView) -> Iterator[str]:
    from trueup.training.registry.run_tags import lineage_tag

    registered = {version.number: version for version in registry.versions}
    known = {record.version for record in store.versions}
    for record in store.standing:
        version = registered.get(record.version)
        if version is None:
            yield (
                f"MLflow no longer holds v{record.version}, which the store knows of run {record.run_id}: it was "
                "deleted, so it can neither answer nor be gone back to. Restore the tracking store."
            )
            continue
        if version.run_id != record.run_id:
            yield (
                f"v{record.version} is of run {version.run_id} in MLflow and of run {record.run_id} in the store, so "
                "the figures of one are told of the other. Restore the side that was replaced."
            )
        said = lineage_tag(version.tags, "snapshot")
        former = {PurePosixPath(name).stem for name, now in store.erased.items() if now == record.snapshot}
        if said != (stored := PurePosixPath(record.snapshot).stem) and said not in former:
            yield (
                f"v{record.version} was made of snapshot {said or '(no tag)'} by MLflow and of {stored} by the store, "
                "so it is not certain on which rows it was trained. Restore the side that was changed."
            )
    for number in sorted(registered.keys() - known):
        yield (
            f"MLflow holds v{number}, which the store does not know: a training that is under way writes it down yet, "
            "a killed one left it, or the store lost it. Nothing is known of its rows and its gate; do not promote it."
        )


def _champion(store: StoreView, registry: RegistryView) -> Iterator[str]:
    last = store.committed[-1] if store.committed else None
    expected = last.to_version if last else None
    present = registry.aliases.get("champion")
    if present == expected or present in {attempt.to_version for attempt in store.undone}:
        return
    told = f"the history ends with v{expected} ({_line(last)})" if last else "the history knows of no champion"
    if last and present is None:
        yield (
            f"MLflow names no champion, and {told}: its alias was deleted, so nothing answers. Restore the tracking "
            f"store, or name it again: trueup models promote --to {expected} --force --stream {last.stream} --why '...'"
        )
    else:
        yield (
            f"MLflow's alias `champion` points to v{present}, and {told}: it was set in MLflow itself, or the history "
            "lost a change. The next cycle writes it down as `outside`, where the store knows the version."
        )


def _others(store: StoreView, registry: RegistryView) -> Iterator[str]:
    """The aliases that nothing is answered by."""
    ours = [p for p in store.committed if p.kind != PromotionKind.OUTSIDE and p.from_version is not None]
    before = ours[-1].from_version if ours else None
    present = registry.aliases.get("previous")
    if present != before and present not in {attempt.from_version for attempt in store.undone}:
        yield (
            f"MLflow's alias `previous` points to {_v(present)}, and by the history {_v(before)} answered before: a "
            "rollback without --to would go wrong. Name the version with --to."
        )
    challengers = (p.to_version for p in store.attempts if p.kind is PromotionKind.CHALLENGER)
    judged = max(filter(None, challengers), default=None)
    present = registry.aliases.get("challenger")
    won = any(p.to_version == judged for p in (*store.committed, *store.undone))
    later = present is not None and present > (judged or 0)  # trained, and not yet judged
    if not later and present != judged and not (won and present is None):
        yield (
            f"MLflow's alias `challenger` points to {_v(present)}, and by the history {_v(judged)} was judged last: it "
            "was set or deleted in MLflow itself. The next training sets it anew."
        )
    last = store.committed[-1] if store.committed else None
    if last and present == last.to_version and last.kind != PromotionKind.OUTSIDE:
        yield (
            f"MLflow's alias `challenger` points to v{present}, which is champion ({_line(last)}): it was set in "
            "MLflow itself. The next training sets it anew."
        )


def _told(store: StoreView, registry: RegistryView) -> Iterator[str]:
    """What versions say in MLflow of how they became champion; those from before they did say nothing."""
    known = {attempt.id: attempt for attempt in store.committed}
    pending = {attempt.id for attempt in store.undone}
    told: dict[str, PromotionAttempt] = {}
    for version in registry.versions:
        attempts, unreadable = attempts_of("", version.tags)
        told |= {attempt.id: attempt for attempt in attempts}
        for name in unreadable:
            yield f"The tag {name} of v{version.number} cannot be read, so it was changed in MLflow."
    for attempt in told.values():
        ours = known.get(attempt.id)
        if ours is None and attempt.id not in pending:
            yield (
                f"MLflow tells of {_line(attempt)}, by {attempt.who}: {attempt.why} The store lost that change. "
                "Restore it."
            )
        elif ours is not None and _essence(ours) != _essence(attempt):
            yield (
                f"The history has {_line(ours)}, by {ours.who}: {ours.why} MLflow tells of the same change as "
                f"{_line(attempt)}, by {attempt.who}: {attempt.why} One side was changed. Restore it."
            )
    first = min((attempt.at for attempt in told.values()), default=None)
    standing = {version.number for version in registry.versions}
    for attempt in store.committed:
        silent = first is not None and attempt.at > first and attempt.id not in told
        if silent and attempt.kind != PromotionKind.OUTSIDE and attempt.to_version in standing:
            yield (
                f"The history has {_line(attempt)}, and v{attempt.to_version} says nothing of it in MLflow: its tag "
                f"{TAG}{attempt.id} was deleted."
            )


def _essence(attempt: PromotionAttempt) -> tuple[object, ...]:
    return attempt.kind, attempt.from_version, attempt.to_version, attempt.who, attempt.as_of, attempt.why[:WHY_LENGTH]


def _attempts(store: StoreView) -> Iterator[str]:
    """Every change of the champion begins where the one before it ended, and speaks of versions that are known."""
    known = {record.version for record in store.versions}
    for attempt in store.committed:
        for number in sorted({attempt.from_version, attempt.to_version} - known - {None}, key=str):
            yield f"The history has {_line(attempt)}, and the store lost v{number}. Restore the store."
    if store.committed and (first := store.committed[0]).from_version is not None:
        yield (
            f"The history begins with {_line(first)}, and nothing says how v{first.from_version} became champion: the "
            "store lost earlier changes. Restore it."
        )
    for one, other in pairwise(store.committed):
        # by hand, after the registry lost its champion
        put_back = other.from_version is None and other.kind is PromotionKind.FORCED
        if other.from_version != one.to_version and not put_back:
            yield (
                f"The history has {_line(one)} and next {_line(other)}: between them the store lost a change, or the "
                "champion was set in MLflow unseen. Restore the store."
            )


def _files(store: StoreView, faults: Mapping[str, str]) -> Iterator[str]:
    for record in store.standing:
        for kind, name in version_files(record).items():
            if name in faults:
                yield f"The {kind} of v{record.version} cannot be relied on: {faults[name]}"


def version_files(record: VersionRecord) -> dict[str, str]:
    """The names of a version's files in the archive, by what they are."""
    return {"snapshot": record.snapshot, "reference": record.reference, "quality reference": record.quality}


def _line(attempt: PromotionAttempt) -> str:
    return f"{_v(attempt.from_version)} → {_v(attempt.to_version)}, {attempt.kind}, {attempt.at:%Y-%m-%d %H:%M} UTC"


def _v(number: int | None) -> str:
    return "none" if number is None else f"v{number}"


def _list(numbers: Iterator[int]) -> str:
    return ", ".join(f"v{number}" for number in sorted(numbers))
