"""Whose a refused row is, by its raw content, and refused rows that go with what is erased."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.erasure.needles import Needles
from trueup.storage.stream import StreamSettings

_SURE = 4  # characters of a name that is looked for in a line that is no row


def said_of(stream: StreamSettings, kind: str, raw: str) -> tuple[str, str]:
    """The record id and the user that a refused row names; "" where it names none. kind: record or feedback."""
    try:
        row = json.loads(raw)
    except ValueError:
        return "", ""
    if not isinstance(row, dict):
        return "", ""
    record, user = (stream.feedback.record, stream.feedback.user) if kind == "feedback" else (stream.id, stream.user)
    return _cell(row, record), _cell(row, user)


def _cell(row: dict[str, Any], column: str) -> str:
    value = row.get(column) if column else None
    return "" if value is None else str(value).strip()


def refused_names(connection: Connection, stream: StreamSettings) -> set[tuple[str, str]]:
    """The record ids and users that the stream's refused rows name, each pair once; "" where one names none."""
    q = t.quarantine.c
    query = sa.select(q.kind, q.raw).where(q.stream == stream.name)
    return {said_of(stream, row.kind, row.raw) for row in connection.execute(query)}


def refused_values(
    connection: Connection, stream: StreamSettings, ids: Collection[str], users: Collection[str]
) -> set[str]:
    """What the refused rows of these ids and users hold, as text."""
    q, found = t.quarantine.c, set[str]()
    for row in connection.execute(sa.select(q.kind, q.raw).where(q.stream == stream.name)):
        record, user = said_of(stream, row.kind, row.raw)
        if record in ids or user in users:
            found |= {str(value) for value in json.loads(row.raw).values() if isinstance(value, str | int)}
    return found


def clean_quarantine(
    connection: Connection, stream: StreamSettings, ids: Collection[str], users: Collection[str], needles: Needles
) -> int:
    """Delete the refused rows of these ids and users, and what others quote of them; how many went."""
    q, went = t.quarantine.c, 0
    named = Needles((), [name for name in {*ids, *users} if len(name) >= _SURE])
    rows = sa.select(q.id, q.kind, q.raw, q.detail, q.source).where(q.stream == stream.name)
    for row in connection.execute(rows).all():
        here = sa.and_(q.stream == stream.name, q.id == row.id)
        record, user = said_of(stream, row.kind, row.raw)
        theirs = record in ids or user in users
        if theirs or (not record and named.scrub(row.raw) is not row.raw):
            connection.execute(sa.delete(t.quarantine).where(here))
            went += 1
            continue
        made = {name: needles.scrub(getattr(row, name)) for name in ("raw", "detail", "source")}
        if any(value is not getattr(row, name) for name, value in made.items()):
            connection.execute(sa.update(t.quarantine).where(here).values(**made))
    return went
