"""`trueup erase`: an intent first, then what was made of the rows, then the rows, then the bytes they leave behind.

Each step can be done again, and how far an erasure came is durable, so one that was cut short goes on from there: by
the same command, by another erasure of the stream, or by its next cycle.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from trueup.flows.alert.dispatch import DELIVERY
from trueup.flows.app import App
from trueup.flows.erase.derived_files import (
    MODELS,
    CleanedFiles,
    clean_home,
    clean_reports,
    emptied_databases,
)
from trueup.flows.erase.derived_rows import clean_documents
from trueup.flows.erase.known_marks import bring_back, keep_marks
from trueup.flows.erase.needed_words import without_needed
from trueup.flows.erase.trainer_files import ask_again, handed_out, jobs_apart, kept_by_trainers, take_back
from trueup.flows.erase.unreachable import out_of_reach
from trueup.storage.erasure.erased_rows import ErasedRows, FoundRows
from trueup.storage.erasure.erasure_log import BEGUN, DONE, TAKEN_OUT, Erasure, ErasureLog
from trueup.storage.erasure.leftover_files import forgotten_files
from trueup.storage.erasure.needles import Needles
from trueup.storage.erasure.refused_rows import clean_quarantine
from trueup.storage.erasure.sqlite_files import emptied_log
from trueup.storage.erasure.tombstones import RECORD, USER, Tombstones
from trueup.storage.errors import InputError, StoreUnusable, TrueupError
from trueup.storage.leases import Lease, hold, without_readers
from trueup.storage.promotions import VersionRecord
from trueup.storage.prunings import VERSION
from trueup.storage.stream import StreamSettings
from trueup.storage.trainers.training_requests import TrainerRequest, TrainerRequests

log = logging.getLogger("trueup")
OnStep = Callable[[str, int, int], None]

_PATIENCE = timedelta(seconds=30)  # with programs that read rows or the store's file


def _silent(step: str, done: int, total: int) -> None:
    pass


def erase(
    app: App,
    stream: StreamSettings,
    *,
    user: str | None = None,
    record: str | None = None,
    why: str,
    on_step: OnStep = _silent,
    patience: timedelta = _PATIENCE,
) -> dict[str, Any]:
    """Take a user's or one record's data away for good; what remains is a keyed hash, who did it and why.

    on_step: told what is being done, and how much of it is. patience: how long programs that read are waited for.

    Raises:
        InputError: neither or both are named, or there is no reason.
        LeaseHeld: another process works on the stream, or reads its rows.
        StoreUnusable: the key of earlier erasures is missing.
        TrueupError: a step failed; the erasure stands as begun, and is finished by the same command or the next cycle.
    """
    if (user is None) == (record is None) or not (user or record or "").strip():
        raise InputError("Name either --user or --record. Nothing was erased.")
    if not why.strip():
        raise InputError("--why is empty. Nothing was erased; give a reason for the audit trail.")
    kind, value = (USER, user) if user is not None else (RECORD, record)
    erasures, tombstones = ErasureLog(app.database), Tombstones(app.home)
    if not erasures.any() and not tombstones.kept(stream.name):
        tombstones.make_key()
    (mark,) = tombstones.marks(stream.name, kind, [str(value).strip()])  # as intake reads a cell
    with hold(app.database, stream.name, clock=app.clock) as lease:
        begun = _begun(app, stream, kind, mark, why.strip())
        for erasure in erasures.unfinished(stream.name):
            finished = _finish(app, lease, stream, erasure, on_step, patience)
            if erasure.id == begun:
                return erasure_document(finished)
    raise AssertionError("an erasure that was begun is unfinished")


def _begun(app: App, stream: StreamSettings, kind: str, mark: str, why: str) -> str:
    """The id of an erasure of this that is not finished; begun now where there is none."""
    erasures = ErasureLog(app.database)
    for erasure in erasures.unfinished(stream.name):
        if erasure.mark == mark:
            return erasure.id
    begun = Erasure(
        id=uuid.uuid4().hex[:12], stream=stream.name, kind=kind, mark=mark, at=app.now(), who=app.who, why=why,
    )  # fmt: skip
    erasures.begin(begun)
    return begun.id


def finish_erasures(
    app: App, lease: Lease, stream: StreamSettings, *, patience: timedelta = timedelta(seconds=2)
) -> None:
    """At the start of a cycle: go on with what was cut short, and erase again what a restored backup brought back."""
    try:
        bring_back(app, stream)
        for erasure in ErasureLog(app.database).unfinished(stream.name):
            _finish(app, lease, stream, erasure, _silent, patience)
    except TrueupError as error:
        log.warning("an erasure of %s is not finished yet: %s", stream.name, error)


def erasure_document(erasure: Erasure) -> dict[str, Any]:
    """An erasure as its command and the history tell it."""
    return {
        "id": erasure.id, "stream": erasure.stream, "kind": erasure.kind, "at": erasure.at, "who": erasure.who,
        "why": erasure.why, "records": erasure.records, "versions": list(erasure.versions),
        "erased": erasure.state == DONE, "state": erasure.state, "left": list(erasure.left),
    }  # fmt: skip


def _finish(
    app: App, lease: Lease, stream: StreamSettings, erasure: Erasure, on_step: OnStep, patience: timedelta
) -> Erasure:
    """Do what is not done yet of an erasure."""
    keep_marks(app, stream.name)
    if erasure.state == BEGUN:
        with (
            without_readers(app.database, stream.name, clock=app.clock, wait=patience),
            hold(app.database, DELIVERY, clock=app.clock, wait=patience),
        ):
            erasure = _take_out(app, lease, stream, erasure, on_step)
    return _wipe(app, lease, stream, erasure, on_step, patience)


def _take_out(app: App, lease: Lease, stream: StreamSettings, erasure: Erasure, on_step: OnStep) -> Erasure:
    """Take out of all that was made of the rows what only they held, and then the rows themselves.

    The rows go last, in one transaction: until then they say what is looked for, and all of it can be done again.
    """

    def looked_through(done: int, total: int) -> None:
        on_step("looking for the rows", done, total)

    rows = ErasedRows(app.database, app.archive, stream, Tombstones(app.home), looked_through)
    found = rows.find(erasure.kind, erasure.mark)
    ErasureLog(app.database).entomb(stream.name, Tombstones(app.home).marks(stream.name, RECORD, found.ids))
    keep_marks(app, stream.name)
    records = _versions(app, stream)
    needles = without_needed(rows.needles(found), app.settings, app.promotions.versions(stream.name))
    job = TrainerRequests(app.database).open_one(stream.name)
    given = handed_out(app, job)
    trained = rows.holding(found, sorted(given.union(*map(_files_of, records))))
    taken_back = tuple(take_back(app, stream, job, holds=bool(given & trained)))
    left = _clean(app, stream, found, needles, sorted(trained), job, on_step)
    on_step("taking the rows out", 0, 1)
    made = rows.rewritten(found, sorted(trained))
    versions = tuple(sorted(v.version for v in records if trained & _files_of(v)))
    with lease.transaction(app.database) as connection:
        clean_quarantine(connection, stream, found.ids, found.users, needles)
        former_answers = rows.take_out(connection, found, made)
        forgotten = forgotten_files(connection, app.archive, stream, found.ids, found.users)
        erasure = replace(
            erasure, state=TAKEN_OUT, records=len(found.seqs), versions=versions,
            files=tuple(dict.fromkeys((*made, *former_answers, *forgotten))),
            left=(*left, *taken_back, *kept_by_trainers(records, versions), *out_of_reach(app, stream, versions)),
        )  # fmt: skip
        if job is not None and given & trained:
            ask_again(app, connection, job, made)
        for former, name in made.items():
            ErasureLog(app.database).replace_file(connection, stream.name, former, name)
        ErasureLog(app.database).went(connection, erasure)
    on_step("taking the rows out", 1, 1)
    return erasure


def _clean(
    app: App, stream: StreamSettings, found: FoundRows, needles: Needles, trained: Sequence[str],
    job: TrainerRequest | None, on_step: OnStep,
) -> tuple[str, ...]:  # fmt: skip
    """Clean what was made of the rows; what could not be, in words.

    trained: files of models that hold some of them. job: of a trainer that may be at work.
    """
    from trueup.flows.erase.model_words import learnt_only_from

    cleaned = CleanedFiles()
    if needles or trained:
        on_step("cleaning what was made of them", 0, 3)
        clean_documents(app.database, stream.name, needles)
        clean_reports(app, stream.name, needles, cleaned)
        on_step("cleaning what was made of them", 1, 3)
        terms = learnt_only_from(app.archive, stream, trained, found.seqs)
        on_step("cleaning what was made of them", 2, 3)
        clean_home(app.home, [*_apart(app, stream), *jobs_apart(app, stream, job)], needles, terms, cleaned)
        on_step("cleaning what was made of them", 3, 3)
    return tuple(cleaned.left)


def _wipe(
    app: App, lease: Lease, stream: StreamSettings, erasure: Erasure, on_step: OnStep, patience: timedelta
) -> Erasure:
    """Remove the former files, and have no database hold a byte of what was deleted."""
    on_step("removing former files", 0, 1)
    lease.confirm(app.database)
    kept = []
    for name in erasure.files:
        try:
            app.archive.remove(name)
        except StoreUnusable as error:
            log.warning("%s", error)
            kept.append(name)
    erasure = _went(app, lease, replace(erasure, files=tuple(kept)))
    first = not any(other.state == DONE for other in ErasureLog(app.database).of(stream.name))
    others = emptied_databases(app.home, _apart(app, stream), patience.total_seconds())
    if not _log_emptied(app, patience, whole=first) or not others or kept:
        return erasure
    erasure = _went(app, lease, replace(erasure, state=DONE, done_at=app.now()))
    on_step("removing former files", 1, 1)
    return erasure


def _log_emptied(app: App, patience: timedelta, *, whole: bool) -> bool:
    """Whether no reader keeps deleted bytes in SQLite's log; PostgreSQL's is out of reach, which is told."""
    engine = app.database.engine
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return True
    engine.dispose()  # a connection that idles in the pool is a reader
    return emptied_log(Path(engine.url.database), whole=whole, patience=patience.total_seconds())


def _went(app: App, lease: Lease, erasure: Erasure) -> Erasure:
    with lease.transaction(app.database) as connection:
        ErasureLog(app.database).went(connection, erasure)
    return erasure


def _versions(app: App, stream: StreamSettings) -> list[VersionRecord]:
    """The versions whose files were not removed by policy."""
    pruned = {p.name for p in app.prunings.of(stream.name, VERSION)}
    return [v for v in app.promotions.versions(stream.name) if str(v.version) not in pruned]


def _files_of(version: VersionRecord) -> set[str]:
    return {name for name in (version.snapshot, version.reference, version.quality) if name}


def _apart(app: App, stream: StreamSettings) -> list[Path]:
    """What of the home is cleaned otherwise, or holds only what other streams made."""
    local = app.archive.local_path("")
    store = app.database.engine.url.database if app.database.engine.dialect.name == "sqlite" else None
    others = [app.home / MODELS / name for name in app.settings.streams if name != stream.name]
    return [path for path in (local, Path(store) if store else None, *others) if path is not None]
