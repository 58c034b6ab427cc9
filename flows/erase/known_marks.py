"""Keyed hashes of what was erased: in the store and beside it, so that neither a restored store nor home forgets."""

from __future__ import annotations

import uuid

from trueup.flows.app import App
from trueup.storage.actors import SCHEDULE
from trueup.storage.erasure.erased_rows import ErasedRows
from trueup.storage.erasure.erasure_log import Erasure, ErasureLog
from trueup.storage.erasure.tombstones import RECORD, USER, Tombstones
from trueup.storage.stream import StreamSettings


def keep_marks(app: App, stream: str) -> None:
    """Write the store's hashes of a stream into the file beside it."""
    erasures = ErasureLog(app.database)
    kinds = {erasure.mark: erasure.kind for erasure in erasures.of(stream)}
    Tombstones(app.home).keep(stream, {mark: kinds.get(mark, RECORD) for mark in erasures.marks(stream)})


def bring_back(app: App, stream: StreamSettings) -> None:
    """Begin anew each erasure that the file knows and the store does not: the store is one from before it."""
    erasures, tombstones = ErasureLog(app.database), Tombstones(app.home)
    standing = set(erasures.marks(stream.name))
    missing = {mark: kind for mark, kind in tombstones.kept(stream.name).items() if mark not in standing}
    if not missing:
        return
    rows = ErasedRows(app.database, app.archive, stream, tombstones)
    for mark in (*rows.stored_marks(missing), *(mark for mark, kind in missing.items() if kind == USER)):
        erasures.begin(
            Erasure(
                id=uuid.uuid4().hex[:12], stream=stream.name, kind=missing[mark], mark=mark, at=app.now(),
                who=SCHEDULE, why="erased before; the store was one from before that",
            )
        )  # fmt: skip
    erasures.entomb(stream.name, list(missing))
