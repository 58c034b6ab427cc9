"""The models of a service as versions of a stream: registered once they answer, and followed when they change."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

import numpy as np

from trueup.flows.app import App
from trueup.flows.check.champion import champion_of
from trueup.flows.check.external_predictions import (
    display_name,
    handover_pending,
    newest_predictions,
    versions_by_service_name,
)
from trueup.flows.check.labels import snapshot_rows
from trueup.flows.check.predictions import sent_predictions, service_version_name
from trueup.flows.promote.commit import commit_and_announce
from trueup.storage import snapshots
from trueup.storage.content import seed_of
from trueup.storage.errors import ModelUnusable, NoChampion, NotTrainable
from trueup.storage.leases import Lease
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState, VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso, to_minute, utc

LEAST = 30  # answers of the newest window, below which nothing follows from who gave them
log = logging.getLogger("trueup")


@dataclass(frozen=True)
class ServiceRelease:
    """A version of the service that answers, and whose place it takes; `record`: where it is registered already."""

    name: str
    record: VersionRecord | None
    champion: VersionRecord | None


def follow_service(app: App, lease: Lease, stream: StreamSettings, as_of: datetime) -> PromotionAttempt | None:
    """Make the version champion by which the service answers now, where it took the champion's place; else None.

    A stream without a champion, on which nothing is known enough of the service's model, is left without.

    Raises:
        LeaseHeld: the lease was lost.
        TrueupError: the registry fails; nothing has moved.
    """
    try:
        release = _release(app, stream, as_of)
        if release is None:
            return None
        rows = snapshot_rows(app, stream, as_of)
        own = _answers(app, stream, rows, release.name)
        record = release.record or _registered(app, lease, stream, release.name, rows, own, as_of)
    except NotTrainable:
        return None
    planned = PromotionAttempt(
        stream=stream.name,
        kind=PromotionKind.ELSEWHERE,
        state=PromotionState.DECIDED,
        from_version=release.champion.version if release.champion else None,
        to_version=record.version,
        as_of=as_of,
        at=app.now(),
        who="the service",
        why=_why(app, stream, release, rows, own),
        codes=(),
        labels=int(own.labelled.sum()),
        gate={"passed": None, "tests": []},
    )
    log.info("%s: %s", stream.name, planned.why)
    with lease.transaction(app.database) as connection:
        planned = app.promotions.add(connection, planned)
    return commit_and_announce(app, lease, stream, planned)


def need_service_champion(app: App, stream: StreamSettings, as_of: datetime) -> None:
    """Refuse to train a first champion for a stream whose service answers already.

    Raises:
        NotTrainable: the service's model is not registered yet; what it lacks.
    """
    if not stream.prediction.column or app.registry.alias(stream.name, "champion") is not None:
        return
    counts = newest_predictions(app, stream, as_of).counts
    lacking = f"none of its newest records came with an answer in column '{stream.prediction.column}'"
    if counts:
        name = next(iter(counts))
        try:
            _need_enough(stream, name, _answers(app, stream, snapshot_rows(app, stream, as_of), name))
        except NotTrainable as error:
            lacking = str(error)
    raise NotTrainable(
        f"The first champion of '{stream.name}' is the model of the service that answers its records, and it cannot be "
        f"taken for that yet at {to_minute(as_of)}: {lacking}. Ingest more answered records, or take [prediction] out "
        "of the "
        "settings if trueup shall answer."
    )


def _release(app: App, stream: StreamSettings, as_of: datetime) -> ServiceRelease | None:
    """The version that took the champion's place in the newest window of answers, if one did."""
    counts = newest_predictions(app, stream, as_of).counts
    if not counts:
        return None
    try:
        champion = champion_of(app, stream)
    except NoChampion:
        return ServiceRelease(next(iter(counts)), None, None)
    except ModelUnusable:
        return None  # the step that scores meets it again, and tells the person on call
    if counts[service_version_name(champion)] or counts.total() < LEAST or not stream.prediction.version:
        return None
    name = next(iter(counts))
    record = versions_by_service_name(app, stream).get(name)
    if (record is not None or champion.service is None) and handover_pending(app, stream, champion, as_of):
        return None
    return ServiceRelease(name, record, champion)


def _answers(app: App, stream: StreamSettings, rows: Rows, name: str) -> Rows:
    given, by = sent_predictions(app, stream, rows)
    return given.take(by == name)


def _need_enough(stream: StreamSettings, name: str, own: Rows) -> None:
    """Refuse a version that cannot be registered.

    Raises:
        NotTrainable: it answered too little, or its name is a number that belongs to our own versions.
    """
    from trueup.training.registry.external import missing_for_reference

    if name.isdigit():
        raise NotTrainable(
            f"the service calls its version {display_name(name)}, and bare numbers are those of registered versions; "
            f"let it send another name, such as 'svc-{name}'"
        )
    lacking = missing_for_reference(stream, own)
    if lacking:
        raise NotTrainable(lacking)


def _registered(
    app: App, lease: Lease, stream: StreamSettings, name: str, rows: Rows, own: Rows, as_of: datetime
) -> VersionRecord:
    """Register a version of the service on what was known at a time.

    Raises:
        NotTrainable: as `_need_enough`.
    """
    from trueup.training.registry.external import labelled_metrics, model_reference, quality_reference, register

    known = versions_by_service_name(app, stream).get(name)
    if known is not None:
        return known  # a killed process came so far
    _need_enough(stream, name, own)
    kept = snapshots.keep(app.archive, stream.name, rows)
    past = quality_reference(stream, own, rows)
    cut_off = utc(rows.meta["time"].iloc[-1].to_pydatetime())
    metrics = labelled_metrics(stream, past.rows)
    lease.confirm(app.database)
    lineage = {
        "snapshot": PurePosixPath(kept).stem,
        "cut_off": iso(cut_off) or "",
        "as_of": iso(as_of) or "",
    }
    version = register(
        app.registry, stream, name, who=app.who, lineage=lineage, metrics=metrics,
        snapshot_file=str(app.archive.local_path(kept) or kept),
    )  # fmt: skip
    record = VersionRecord(
        stream=stream.name,
        version=version.number,
        run_id=version.run_id,
        cut_off=cut_off,
        trained_as_of=as_of,
        snapshot=kept,
        reference=snapshots.keep(app.archive, stream.name, model_reference(stream, own, rows)),
        quality=snapshots.keep(app.archive, stream.name, past.rows, block=past.blocks),
        document={
            "elsewhere": name,
            "recipe": {"model": "elsewhere", "service": name},
            "candidates": [],
            "metrics": {name: value for name, value in metrics.items() if value == value},  # NaN is no JSON
            "rows": len(rows),
            "labels": int(own.labelled.sum()),
            "seed": seed_of(stream, as_of),
        },
    )
    app.promotions.add_version(lease, record)
    return record


def _why(app: App, stream: StreamSettings, release: ServiceRelease, rows: Rows, own: Rows) -> str:
    """Who answers, and how well by the labels that have come; the figures are each version's on its own records."""
    said = f"The service answers by {display_name(release.name)}{_how_well(stream, own)}"
    if release.champion is None:
        return f"{said}."
    name = service_version_name(release.champion)
    before = _answers(app, stream, rows, name)
    before = before.take(before.meta["time"].to_numpy() > np.datetime64(release.champion.cut_off.replace(tzinfo=None)))
    return (
        f"{said}, in place of {display_name(name)}{_how_well(stream, before)}. It passed no gate of trueup; from "
        "now on it is compared with its own answers."
    )


def _how_well(stream: StreamSettings, answered: Rows) -> str:
    from trueup.training.registry.external import labelled_metrics

    labels = int(answered.labelled.sum())
    if not labels:
        return ""
    return f" ({stream.metric} {labelled_metrics(stream, answered)[stream.metric]:.3g} on {labels} labels)"
