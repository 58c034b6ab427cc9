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
    database: Database, stream: StreamSettings, arrived: np.ndarray, *, after: datetime, as_of: datetime
) -> tuple[np.ndarray, np.ndarray]:
    """Of the records with after < time ≤ as_of their times, ascending, and when the first label of each was known
    (datetime64[us]; NaT: none was by as_of). Of records of one time it is not told which of them has which label.

    arrived: event times of all records known at as_of, as `record_times` gives them.
    """
    times = arrived.view(np.int64)
    times = times[np.searchsorted(times, microseconds(after), side="right") :]
    c, r, own = t.labels.c, t.records.c, numbered(stream.name)
    mine, time = records_by_place(stream, after, as_of)
    came = sa.select(r.seq, time, sa.type_coerce(r.label_known_at, sa.BigInteger).label("came"))
    when, told = (sa.func.min(sa.type_coerce(moment, sa.BigInteger)) for moment in (c.time, c.known_at))
    given = sa.select(c.seq, when, told).where(
        c.stream == own, c.time > after, c.time <= as_of, c.known_at <= as_of
    )
    with database.scan() as connection:
        parts = (
            integer_columns(connection, came.where(*mine, r.label_known_at <= as_of)),
            integer_columns(connection, given.group_by(c.seq)),
        )
    seq, labelled, first = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((first, seq))
    seq, labelled, first = seq[order], labelled[order], first[order]
    new = np.append(True, seq[1:] != seq[:-1])[: len(seq)]
    known_at = np.full(len(times), np.datetime64("NaT", "us"))
    place, there = _places(times, labelled[new])
    known_at[place] = first[new][there].view(_INSTANT)
    return times.view(_INSTANT), known_at


def _places(times: np.ndarray, some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A place of its own among ascending times for each of `some` that stands there, and which of them do.

    What came in after the times were read does not.
    """
    order = np.argsort(some, kind="stable")
    among_equals = np.empty(len(some), np.int64)
    among_equals[order] = np.arange(len(some)) - np.searchsorted(some[order], some[order])
    place = np.searchsorted(times, some) + among_equals
    there = np.append(times, _NEVER)[np.minimum(place, len(times))] == some
    return place[there], there


def records_by_place(stream: StreamSettings, after: datetime, until: datetime) -> tuple[tuple[Any, ...], Any]:
    """What says that a row of `records` has after < time ≤ until, and its time in microseconds.

    SQLite then reads one stretch of the table and not the index of times, from which each record takes a look-up: five
    times as long where records are many.
    """
    r, s = t.records.c, t.segments.c
    time = sa.type_coerce(r.time, sa.BigInteger) + 0  # no index answers a sum
    oldest = sa.select(sa.func.min(s.first_seq)).where(s.stream == stream.name, s.last_time > after)
    mine = (r.stream == numbered(stream.name), r.seq >= oldest.scalar_subquery())
    return (*mine, time > microseconds(after), time <= microseconds(until)), time.label("time")


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
    with database.scan() as connection:
        return np.sort(integer_columns(connection, query)[0]).view(_INSTANT)


def _days(moments: np.ndarray) -> np.ndarray:
    """The beginning of each moment's day."""
    return moments.astype("datetime64[D]").astype(_INSTANT)
