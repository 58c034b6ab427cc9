"""`trueup prune`: what the retention policy lets go, marked before its files are removed.

Records are never removed, nor what is known of a version or a check: their rows, attempts, figures and signals stay.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trueup.flows.app import App
from trueup.flows.audit.consistency import version_files
from trueup.flows.audit.retention import reasons_to_keep
from trueup.flows.promote.commit import finish_undone
from trueup.storage.actors import SCHEDULE
from trueup.storage.comparison_reports import ComparisonLog
from trueup.storage.errors import StoreUnusable, TrueupError
from trueup.storage.leases import Lease, hold
from trueup.storage.promotions import VersionRecord
from trueup.storage.prunings import REPORT, VERSION, Pruning
from trueup.storage.report_kind import ReportKind
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso

log = logging.getLogger("trueup")


@dataclass(frozen=True)
class Plan:
    """What may go, and why each version stays that does."""

    versions: tuple[VersionRecord, ...]
    reports: tuple[str, ...]
    kept: dict[int, str]


def prune(app: App, stream: StreamSettings, *, dry_run: bool = False, who: str = "") -> dict[str, Any]:
    """Remove the files of what the policy lets go; with `dry_run` only say what they are.

    who: who asks for it; left out, the person's account.

    A removal that was cut short is finished first. Models that a crash or `mlflow gc` left behind go in any case.

    Raises:
        LeaseHeld: another process works on the stream.
        TrueupError: the registry or the archive fails; what was marked is finished by the next call.
    """
    if dry_run:
        return _document(stream, _plan(app, stream), list(_foretold(app, stream)), dry_run=True)
    with hold(app.database, stream.name, clock=app.clock) as lease:
        finish_undone(app, lease, stream)
        plan = _plan(app, stream)
        _mark(app, lease, stream, plan, who or app.who)
        return _document(stream, plan, list(_removed(app, lease, stream)), dry_run=False)


def prune_after_cycle(app: App, stream: StreamSettings) -> None:
    """The schedule's: where a policy is set, and nobody paused the stream; a failure is told, and fails no cycle."""
    if not stream.retention.is_set or app.pauses.current(stream.name) is not None:
        return
    try:
        prune(app, stream, who=SCHEDULE)
    except TrueupError as error:
        log.warning("nothing more of %s is pruned this time: %s", stream.name, error)


def _plan(app: App, stream: StreamSettings) -> Plan:
    gone = {p.name for p in app.prunings.of(stream.name, VERSION)}
    records = [r for r in app.promotions.versions(stream.name) if str(r.version) not in gone]
    unfinished = [cycle.steps.get("train") or {} for cycle in app.cycles.unfinished(stream.name)]
    kept = dict(
        reasons_to_keep(
            stream.retention.versions,
            records,
            app.registry.versions(stream.name),
            app.promotions.history(stream.name),
            open_codes={code for incident in app.incidents.open_ones(stream.name) for code in incident.codes},
            under_way={left["version"] for left in unfinished if "version" in left},
        )
    )
    versions = []
    for record in records:
        if record.version in kept:
            continue
        if user := _used_by(app, stream, record):
            kept[record.version] = f"{user} stands on its files"
        else:
            versions.append(record)
    return Plan(tuple(versions), tuple(_old_reports(app, stream)), kept)


def _old_reports(app: App, stream: StreamSettings) -> list[str]:
    """The reports whose time is over: quiet ones and periods compared soon, those of incidents and gates later."""
    quiet, longer = stream.retention.reports_span, stream.retention.incident_reports_span
    found = app.prunings.quiet_reports(stream.name, app.now() - quiet) if quiet else []
    past = app.prunings.reports_of_past_incidents(stream.name, app.now() - longer) if longer else []
    comparisons = ComparisonLog(app.database)
    for kind, span in ((ReportKind.PERIODS, quiet), (ReportKind.MODELS, longer)):
        found += comparisons.unpruned(stream.name, kind, app.now() - span) if span else []
    return list(dict.fromkeys([*found, *past]))


def _used_by(app: App, stream: StreamSettings, record: VersionRecord) -> str:
    from trueup.training.registry.prune import used_elsewhere

    return used_elsewhere(app.registry, stream.name, record.version, record.run_id)


def _mark(app: App, lease: Lease, stream: StreamSettings, plan: Plan, who: str) -> None:
    """Write down what goes; from here on no command promotes it, and no crash leaves in doubt what became of it."""
    named = [(VERSION, str(r.version)) for r in plan.versions] + [(REPORT, name) for name in plan.reports]
    with lease.transaction(app.database) as connection:
        app.prunings.decide(
            connection,
            [
                Pruning(stream=stream.name, kind=kind, name=name, decided_at=app.now(), who=who)
                for kind, name in named
            ],
        )


def _removed(app: App, lease: Lease, stream: StreamSettings) -> Iterator[dict[str, Any]]:
    """Remove the files of all that is marked, one thing at a time."""
    from trueup.training.registry.prune import leftovers, remove_leftover

    for pruning in app.prunings.of(stream.name, VERSION):
        if pruning.done_at is None and not _stays_after_all(app, lease, stream, pruning):
            yield _remove_version(app, lease, stream, pruning)
    for pruning in app.prunings.of(stream.name, REPORT):
        if pruning.done_at is None:
            yield _remove_report(app, lease, stream, pruning)
    for leftover in leftovers(app.registry, stream.name):
        lease.confirm(app.database)
        freed = remove_leftover(app.registry, leftover)
        yield {"kind": "model", "name": leftover.model_id, "bytes": freed.bytes, "left": list(freed.left)}


def _remove_report(app: App, lease: Lease, stream: StreamSettings, pruning: Pruning) -> dict[str, Any]:
    """Take a report's files away; one that cannot be removed keeps no other, and is tried again by the next call."""
    names = app.report_files.names(stream.name, pruning.name)
    try:
        return _finished(app, lease, pruning, sum(map(app.archive.remove, names)), ())
    except StoreUnusable as error:
        log.warning("report %s of %s stays for now: %s", pruning.name, stream.name, error)
        return {"kind": REPORT, "name": pruning.name, "bytes": 0, "left": list(names)}


def _stays_after_all(app: App, lease: Lease, stream: StreamSettings, pruning: Pruning) -> bool:
    """Whether somebody pointed an alias to a marked version meanwhile, in MLflow itself; its mark is taken back."""
    aliases = {v.number: v.aliases for v in app.registry.versions(stream.name)}
    if not aliases.get(int(pruning.name)):
        return False
    with lease.transaction(app.database) as connection:
        app.prunings.withdraw(connection, pruning)
    return True


def _remove_version(app: App, lease: Lease, stream: StreamSettings, pruning: Pruning) -> dict[str, Any]:
    from trueup.training.registry.prune import remove_version

    number = int(pruning.name)
    record = app.promotions.version(stream.name, number)
    assert record is not None  # marks are made of records, and records stay
    lease.confirm(app.database)
    freed = remove_version(app.registry, stream.name, number, record.run_id, on=iso(pruning.decided_at) or "")
    size = sum(app.archive.remove(name) for name in _own_files(app, stream, record))
    return _finished(app, lease, pruning, freed.bytes + size, freed.left)


def _own_files(app: App, stream: StreamSettings, record: VersionRecord) -> list[str]:
    """The files of a version in the archive that no other version names whose files are to stay."""
    gone = {p.name for p in app.prunings.of(stream.name, VERSION)} | {str(record.version)}
    standing = [r for r in app.promotions.versions(stream.name) if str(r.version) not in gone]
    needed = {name for other in standing for name in version_files(other).values()}
    return sorted(set(version_files(record).values()) - needed)


def _finished(app: App, lease: Lease, pruning: Pruning, freed: int, left: tuple[str, ...]) -> dict[str, Any]:
    with lease.transaction(app.database) as connection:
        app.prunings.finish(connection, pruning, freed=freed, left=left, now=app.now())
    return {"kind": pruning.kind, "name": pruning.name, "bytes": freed, "left": list(left)}


def _foretold(app: App, stream: StreamSettings) -> Iterator[dict[str, Any]]:
    """What a call without `dry_run` would remove."""
    from trueup.training.registry.prune import leftovers, size_of_version

    plan = _plan(app, stream)
    undone = {
        kind: [p.name for p in app.prunings.of(stream.name, kind) if p.done_at is None] for kind in (VERSION, REPORT)
    }
    cut_short = [r for r in app.promotions.versions(stream.name) if str(r.version) in undone[VERSION]]
    going = [*cut_short, *plan.versions]
    staying = [r for r in app.promotions.versions(stream.name) if r.version in plan.kept]
    needed = {name for record in staying for name in version_files(record).values()}
    for record in going:
        files = set(version_files(record).values()) - needed
        size = size_of_version(app.registry, stream.name, record.run_id) + sum(map(app.archive.size, files))
        yield {"kind": VERSION, "name": str(record.version), "bytes": size, "left": []}
        needed |= files
    for report in [*undone[REPORT], *plan.reports]:
        size = sum(map(app.archive.size, app.report_files.names(stream.name, report)))
        yield {"kind": REPORT, "name": report, "bytes": size, "left": []}
    for leftover in leftovers(app.registry, stream.name):
        yield {"kind": "model", "name": leftover.model_id, "bytes": leftover.bytes, "left": []}


def _document(stream: StreamSettings, plan: Plan, removed: list[dict[str, Any]], *, dry_run: bool) -> dict[str, Any]:
    return {
        "stream": stream.name,
        "dry_run": dry_run,
        "removed": removed,
        "kept": [{"version": number, "why": why} for number, why in sorted(plan.kept.items(), reverse=True)],
        "bytes": sum(one["bytes"] for one in removed),
    }
