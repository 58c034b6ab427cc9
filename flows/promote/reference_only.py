"""A stream that predicts nothing: its champion is a reference for newer records, without a model."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath

import numpy as np

from trueup.flows.app import App
from trueup.flows.check.champion import champion_version
from trueup.flows.check.labels import snapshot_rows
from trueup.flows.promote.commit import commit_and_announce
from trueup.storage import snapshots
from trueup.storage.actors import SCHEDULE
from trueup.storage.content import seed_of
from trueup.storage.errors import NotTrainable
from trueup.storage.leases import Lease
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState, VersionRecord
from trueup.storage.rows import Rows, fills_window
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso, to_minute, utc


def first_reference(app: App, lease: Lease, stream: StreamSettings, as_of: datetime) -> PromotionAttempt | None:
    """Make what is known at a time the reference of a stream that has none; None: it has one, or too few records.

    Raises:
        LeaseHeld: the lease was lost.
        TrueupError: the registry fails; nothing has moved.
    """
    if champion_version(app, stream) is not None:
        return None
    try:
        return new_reference(app, lease, stream, as_of, who=SCHEDULE)
    except NotTrainable:
        return None


def new_reference(
    app: App, lease: Lease, stream: StreamSettings, as_of: datetime, *, who: str
) -> PromotionAttempt:
    """Make what is known at a time the stream's reference, in place of the one before.

    Raises:
        NotTrainable: the records do not fill one window yet.
        LeaseHeld: the lease was lost.
        TrueupError: the registry fails; nothing has moved.
    """
    standing = champion_version(app, stream)
    rows = snapshot_rows(app, stream, as_of)
    need_a_window(stream, rows, as_of)
    record = _registered(app, lease, stream, rows, as_of)
    planned = PromotionAttempt(
        stream=stream.name,
        kind=PromotionKind.REFERENCE,
        state=PromotionState.DECIDED,
        from_version=standing,
        to_version=record.version,
        as_of=as_of,
        at=app.now(),
        who=who,
        why=f"Newer records are compared with the {len(rows)} that were known at {to_minute(as_of)}; nothing is "
        "predicted.",
        codes=(),
        labels=0,
        gate={"passed": None, "tests": []},
    )
    with lease.transaction(app.database) as connection:
        planned = app.promotions.add(connection, planned)
    return commit_and_announce(app, lease, stream, planned)


def refuse_to_train(app: App, stream: StreamSettings, as_of: datetime) -> None:
    """Refuse to train for a stream that predicts nothing; a stream that does passes.

    Raises:
        NotTrainable: what its reference lacks.
    """
    if not stream.predicts:
        need_a_window(stream, snapshot_rows(app, stream, as_of), as_of)
        raise NotTrainable(f"'{stream.name}' predicts nothing (task = \"drift\"), so nothing is trained.")


def need_a_window(stream: StreamSettings, rows: Rows, as_of: datetime) -> None:
    """Refuse a reference of less than one window.

    Raises:
        NotTrainable: how many records there are, and how many it takes.
    """
    full, wanted = fills_window(stream.policy, rows)
    if not full:
        raise NotTrainable(
            f"'{stream.name}' predicts nothing, and the reference for newer records is too small yet: "
            f"{len(rows)} records are known at {to_minute(as_of)}, and a window ({wanted}) is needed. Ingest more."
        )


def _registered(app: App, lease: Lease, stream: StreamSettings, rows: Rows, as_of: datetime) -> VersionRecord:
    from trueup.training.registry.external import register

    kept = snapshots.keep(app.archive, stream.name, rows)
    none = rows.take(slice(0, 0))
    name = f"reference {PurePosixPath(kept).stem[:12]}"
    known = next((record for record in app.promotions.versions(stream.name) if record.service == name), None)
    if known is not None:
        return known  # the same rows, or a killed process came so far
    cut_off = utc(rows.meta["time"].iloc[-1].to_pydatetime())
    lineage = {
        "snapshot": PurePosixPath(kept).stem,
        "cut_off": iso(cut_off) or "",
        "as_of": iso(as_of) or "",
    }
    lease.confirm(app.database)
    version = register(
        app.registry, stream, name, who=app.who, lineage=lineage, metrics={},
        snapshot_file=str(app.archive.local_path(kept) or kept),
    )  # fmt: skip
    record = VersionRecord(
        stream=stream.name,
        version=version.number,
        run_id=version.run_id,
        cut_off=cut_off,
        trained_as_of=as_of,
        snapshot=kept,
        reference=snapshots.keep(app.archive, stream.name, none),
        quality=snapshots.keep(app.archive, stream.name, none, block=np.empty(0, dtype=np.int64)),
        document={
            "elsewhere": name, "recipe": {"model": "none"}, "candidates": [], "metrics": {}, "rows": len(rows),
            "labels": 0, "seed": seed_of(stream, as_of),
        },
    )  # fmt: skip
    app.promotions.add_version(lease, record)
    return record
