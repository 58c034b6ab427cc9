"""Where rows come in, those of an erased record or user are left out and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy.engine import Connection

from trueup.storage.arrow_columns import as_text
from trueup.storage.erasure.refused_rows import said_of
from trueup.storage.erasure.tombstones import RECORD, USER, Tombstones
from trueup.storage.incoming import FeedbackItem, Incoming, Refused
from trueup.storage.stream import StreamSettings


class WaysIn:
    """What a batch may bring, by the tombstones of its stream; read in the transaction that stores it."""

    def __init__(self, tombstones: Tombstones) -> None:
        self._tombstones = tombstones

    def count(self, connection: Connection, stream: StreamSettings) -> int:
        """How many records and users of the stream are left out where they come."""
        return self._tombstones.count(connection, stream.name)

    def erased_records(self, connection: Connection, stream: StreamSettings, incoming: Incoming) -> np.ndarray:
        """Boolean (n,): rows of an erased record or user."""
        if not self._tombstones.any(connection, stream.name):
            return np.zeros(len(incoming.ids), bool)
        out = np.array(self._tombstones.erased(connection, stream.name, RECORD, list(incoming.ids)), bool)
        if stream.user in incoming.table.column_names:
            users = as_text(incoming.table.column(stream.user)).to_pylist()
            out |= np.array(self._tombstones.erased(connection, stream.name, USER, users), bool)
        return out

    def feedback(
        self, connection: Connection, stream: StreamSettings, items: Sequence[FeedbackItem]
    ) -> list[FeedbackItem]:
        """The items that are neither of an erased user nor on an erased record."""
        if not self._tombstones.any(connection, stream.name):
            return list(items)
        records = self._tombstones.erased(connection, stream.name, RECORD, [item.record_id for item in items])
        users = self._tombstones.erased(connection, stream.name, USER, [item.user for item in items])
        return [item for item, *gone in zip(items, records, users, strict=True) if not any(gone)]

    def refused(
        self, connection: Connection, stream: StreamSettings, kind: str, rows: Sequence[Refused]
    ) -> list[Refused]:
        """The refused rows that name no erased record or user. kind: record or feedback."""
        if not rows or not self._tombstones.any(connection, stream.name):
            return list(rows)
        said = [said_of(stream, kind, row.raw) for row in rows]
        records = self._tombstones.erased(connection, stream.name, RECORD, [record for record, _ in said])
        users = self._tombstones.erased(connection, stream.name, USER, [user for _, user in said])
        return [row for row, *gone in zip(rows, records, users, strict=True) if not any(gone)]


def kept_of(incoming: Incoming, kept: np.ndarray) -> Incoming:
    """The rows at these positions."""
    arrays = {name: getattr(incoming, name)[kept] for name in ("ids", "labels", "labelled", "lines")}
    times = {name: held[kept] if len(held := getattr(incoming, name)) else held for name in ("times", "known_at")}
    raw = [incoming.raw[int(k)] for k in kept]
    return replace(incoming, **arrays, **times, table=incoming.table.take(kept), raw=raw)
