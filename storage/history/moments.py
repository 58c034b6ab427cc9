"""When records, labels and batches came, for the whole of a stream: read in columns, since a history has millions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.history.integer_columns import integer_columns
from trueup.storage.instants import microseconds
from trueup.storage.stream import StreamSettings
from trueup.storage.stream_numbers import numbered

_INSTANT = np.dtype("datetime64[us]")
_NEVER = np.iinfo(np.int64).max


def record_times(database: Database, stream: StreamSettings, as_of: datetime) -> np.ndarray:
    """Event times of all records known at as_of, ascending (datetime64[us])."""
    r = t.records.c
    return _instants(database, r.time, r.stream == numbered(stream.name), r.time <= as_of)


def first_labels(
    database: Database, stream: StreamSettings, *, after: datetime, as_of: datetime
) -> tuple[np.ndarray, np.ndarray]:
    """Of the records with after < time ≤ as_of their times, ascending, and when the first label of each was known
    (datetime64[us]; NaT: none was by as_of)."""
    r, c, s, own = t.records.c, t.labels.c, t.segments.c, numbered(stream.name)
    first = sa.func.min(sa.type_coerce(c.known_at, sa.BigInteger))
    told = sa.select(c.seq, first).where(
        c.stream == own, c.time > after, c.time <= as_of, c.known_at <= as_of
    )
    oldest = sa.select(sa.func.min(s.first_seq)).where(s.stream == stream.name, s.last_time > after)
    time = sa.type_coerce(r.time, sa.BigInteger) + 0  # by place and not by the index of times, which is slower
    came = sa.case((r.label_known_at <= as_of, sa.type_coerce(r.label_known_at, sa.BigInteger)), else_=_NEVER)
    query = sa.select(r.seq, time.label("time"), came.label("came")).where(
        r.stream == own, r.seq >= oldest.scalar_subquery(), time > microseconds(after), time <= microseconds(as_of)
    )
    with database.snapshot() as connection:
        seq, times, known = integer_columns(connection, query)
        owner, given = integer_columns(connection, told.group_by(c.seq))
    if len(owner):
        order = np.argsort(seq)
        place = order[np.searchsorted(seq[order], owner)]
        known[place] = np.minimum(known[place], given)
    known_at = np.where(known == _NEVER, np.datetime64("NaT", "us"), known.view(_INSTANT))
    by_time = np.lexsort((seq, times))
    return times[by_time].view(_INSTANT), known_at[by_time]


def receipts(database: Database, stream: StreamSettings, as_of: datetime) -> tuple[np.ndarray, np.ndarray]:
    """When records were accepted and when rows were refused, none after as_of, ascending (datetime64[us]).

    What came in later and happened by then counts with the beginning of the day on which it happened.
    """
    s, q = t.segments.c, t.quarantine.c
    batches = sa.select(sa.type_coerce(s.received_at, sa.BigInteger), s.rows)
    with database.read() as connection:
        at, count = integer_columns(connection, batches.where(s.stream == stream.name, s.received_at <= as_of))
    refused_later = (q.stream == stream.name, q.received_at > as_of, q.happened_at <= as_of)
    refused = _instants(database, q.received_at, q.stream == stream.name, q.received_at <= as_of)
    late, late_refused = _received_later(database, stream, as_of), _instants(database, q.happened_at, *refused_later)
    return (
        np.sort(np.concatenate([np.repeat(at, count).view(_INSTANT), _days(late)])),
        np.sort(np.concatenate([refused, _days(late_refused)])),
    )


def _received_later(database: Database, stream: StreamSettings, as_of: datetime) -> np.ndarray:
    """Times of the records with time ≤ as_of that were received after it: batches that follow each other at once."""
    s, r = t.segments.c, t.records.c
    query = sa.select(s.first_seq, s.rows).where(
        s.stream == stream.name, s.received_at > as_of, s.first_time <= as_of
    )
    spans: list[list[int]] = []
    with database.read() as connection:
        for first, rows in connection.execute(query.order_by(s.first_seq)):
            if spans and spans[-1][1] == first:
                spans[-1][1] = first + rows
            else:
                spans.append([first, first + rows])
    own = numbered(stream.name)
    parts = [
        _instants(database, r.time, r.stream == own, r.seq >= first, r.seq < end, r.time <= as_of)
        for first, end in spans
    ]
    return np.concatenate([np.empty(0, _INSTANT), *parts])


def batch_times(database: Database, stream: StreamSettings, as_of: datetime) -> np.ndarray:
    """When batches of records were received, none after as_of, ascending (datetime64[us])."""
    s = t.segments.c
    return _instants(database, s.received_at, s.stream == stream.name, s.received_at <= as_of)


def _instants(database: Database, column: Any, *where: Any) -> np.ndarray:
    query = sa.select(sa.type_coerce(column, sa.BigInteger).label("moment")).where(*where)
    with database.read() as connection:
        return np.sort(integer_columns(connection, query)[0]).view(_INSTANT)


def _days(moments: np.ndarray) -> np.ndarray:
    """The beginning of each moment's day."""
    return moments.astype("datetime64[D]").astype(_INSTANT)
