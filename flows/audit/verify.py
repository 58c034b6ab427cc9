"""`trueup models verify`: what the store says of a stream's models, compared with MLflow and the archive."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy.exc import DatabaseError

from trueup.flows.app import App
from trueup.flows.audit.consistency import RegistryView, StoreView, problems, version_files
from trueup.flows.audit.history import error_line
from trueup.flows.gate.registered_answers import difference_in_process
from trueup.storage.erasure.erasure_log import ErasureLog
from trueup.storage.errors import ModelUnusable, StoreUnusable, TrueupError
from trueup.storage.promotions import PromotionAttempt, VersionRecord
from trueup.storage.prunings import VERSION
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import to_minute

READINGS = 3  # of the store, at most, until two running agree: then no change fell between them


def verify(app: App, stream: StreamSettings) -> tuple[str, ...]:
    """What does not agree between store, archive and MLflow, a sentence each; empty where all is in order."""
    store, registry = _views(app, stream)
    faults = _faults(app, store)
    models = _model_faults(app, stream, store, registry, faults)
    return (*problems(stream.name, store, registry, faults), *models)


def trained_on_erased(app: App, stream: StreamSettings) -> tuple[str, ...]:
    """What is no fault and yet to be known: versions whose rows are not all there any more, a sentence each."""
    found: dict[int, datetime] = {}
    try:
        erasures = ErasureLog(app.database).of(stream.name)
    except (StoreUnusable, DatabaseError, OSError):  # `verify` says that the store cannot be read
        return ()
    for erasure in erasures[::-1]:
        found |= dict.fromkeys(erasure.versions, erasure.at)
    return tuple(
        f"Rows that v{number} was trained on were erased, last on {to_minute(at)}. It answers as before, and cannot be "
        "made again exactly."
        for number, at in sorted(found.items(), reverse=True)
    )


def _views(app: App, stream: StreamSettings) -> tuple[StoreView, RegistryView]:
    """Both sides, MLflow read between two readings of the store that agree where a cycle does not keep changing it."""
    store = _store_view(app, stream)
    for _ in range(READINGS):
        registry = _registry_view(app, stream)
        again = _store_view(app, stream)
        if again == store:
            break
        store = again
    return store, registry


def _store_view(app: App, stream: StreamSettings) -> StoreView:
    def acted(attempt: PromotionAttempt) -> tuple[datetime, datetime]:
        return attempt.at, attempt.as_of

    try:
        attempts = app.promotions.history(stream.name)
        return StoreView(
            tuple(app.promotions.versions(stream.name)),
            tuple(sorted(attempts, key=acted)),
            frozenset(int(p.name) for p in app.prunings.of(stream.name, VERSION)),
            ErasureLog(app.database).replaced(stream.name),
        )
    except (StoreUnusable, DatabaseError, OSError) as error:
        return StoreView(lost=error_line(error))


def _registry_view(app: App, stream: StreamSettings) -> RegistryView:
    from trueup.training.registry.registry import CHALLENGER, CHAMPION, PREVIOUS

    try:
        versions = app.registry.versions(stream.name)
        found = {alias: app.registry.alias(stream.name, alias) for alias in (CHAMPION, CHALLENGER, PREVIOUS)}
    except (TrueupError, DatabaseError, sqlite3.DatabaseError, OSError) as error:
        return RegistryView(lost=error_line(error))
    return RegistryView(versions, {alias: number for alias, number in found.items() if number is not None})


def _faults(app: App, store: StoreView) -> dict[str, str]:
    """Each file that a version names and that is missing, or holds other bytes than were written."""
    found = {}
    for name in sorted({name for record in store.standing for name in version_files(record).values()}):
        try:
            app.archive.read_table(name, [])
        except StoreUnusable as error:
            found[name] = str(error)
    return found


def _model_faults(
    app: App, stream: StreamSettings, store: StoreView, registry: RegistryView, faults: Collection[str]
) -> Iterator[str]:
    """Of every version that is kept, why it does not answer as it did when it was trained; a sentence each.

    A champion that the store does not know is read all the same, since it answers.
    """
    records = {record.version: record for record in store.standing}
    champion = registry.aliases.get("champion")
    for number in sorted(version.number for version in registry.versions):
        record = records.get(number)
        if record is None and number != champion:
            continue  # pruned, or not known: which is said elsewhere
        if record is not None and record.service is not None:
            continue  # a service's model is not here; what it answers comes with the records
        name = f"Champion v{number}" if number == champion else f"v{number}"
        said = _model_fault(app, stream, number, name, record, faults)
        if said:
            yield said


def _model_fault(
    app: App, stream: StreamSettings, number: int, name: str, record: VersionRecord | None, faults: Collection[str]
) -> str:
    try:
        model = app.registry.load(stream.name, number)
        if record is None or record.reference in faults:
            return ""  # which is said already; there is nothing to try it on
        otherwise = difference_in_process(app, stream, record, model)
    except ModelUnusable as error:
        return str(error)
    return otherwise and (
        f"{name} is not the model that was trained: {otherwise}. Restore its files, or let another version "
        f"answer: trueup models rollback --to VERSION --stream {stream.name} --why '...'"
    )
