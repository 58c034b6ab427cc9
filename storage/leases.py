"""One worker a stream: a lease in the store, renewed by heartbeat, that no crash outlives (invariant 5)."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.errors import LeaseHeld

LENGTH = timedelta(seconds=60)
_HEARTBEAT_SECONDS = 15.0
_WAIT = timedelta(seconds=120)
_POLL_SECONDS = 1.0
_READS, _TAKES = " read ", " taken from"  # behind a stream's name, which has no space in it


@dataclass(frozen=True)
class Lease:
    """The right to act on a stream, as long as its token stands in the store."""

    stream: str
    token: str
    lost: threading.Event

    def assert_held(self, connection: Connection) -> None:
        """Hold the lease's row for the rest of this transaction.

        Raises:
            LeaseHeld: somebody else took the lease, so this worker was too slow; nothing of it may be committed.
        """
        held = sa.select(t.leases.c.token).where(t.leases.c.stream == self.stream).with_for_update()
        if self.lost.is_set() or connection.execute(held).scalar() != self.token:
            raise LeaseHeld(
                f"This process lost its lease on stream '{self.stream}' (it was stopped for longer than "
                f"{LENGTH.seconds} s and another took over). Nothing more is committed by it; the other one goes on."
            )

    @contextmanager
    def transaction(self, database: Database) -> Iterator[Connection]:
        """A transaction that holds the lease's row: all of it is durable when the block ends, or nothing of it.

        Raises:
            LeaseHeld: somebody else took the lease.
        """
        with database.write() as connection:
            self.assert_held(connection)
            yield connection

    def confirm(self, database: Database) -> None:
        """Look once more, before work outside the store that cannot be taken back.

        Raises:
            LeaseHeld: somebody else took the lease.
        """
        with self.transaction(database):
            pass


@contextmanager
def hold(
    database: Database,
    stream: str,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    pause: Callable[[float], None] | None = None,
    wait: timedelta = _WAIT,
) -> Iterator[Lease]:
    """Take the stream's lease, keep it by heartbeat, and give it back at the end.

    A dead holder on this machine is superseded at once; a living or remote one is waited for.

    Raises:
        LeaseHeld: another holder still has it after `wait`.
    """
    lease = Lease(stream, uuid.uuid4().hex, threading.Event())
    stopped = threading.Event()
    deadline = clock() + wait
    while (holder := _take(database, lease, clock())) is not None:
        if clock() >= deadline:
            raise LeaseHeld(
                f"Stream '{stream}' is being worked on by process {holder.pid} on {holder.host} since "
                f"{holder.acquired_at:%Y-%m-%d %H:%M:%S} UTC. Nothing was done here; wait for it or stop it."
            )
        (pause or stopped.wait)(_POLL_SECONDS)
    beat = threading.Thread(target=_renew, args=(database, lease, clock, stopped), name=f"lease {stream}", daemon=True)
    beat.start()
    try:
        yield lease
    finally:
        stopped.set()
        beat.join()
        with database.write() as connection:
            connection.execute(sa.delete(t.leases).where(t.leases.c.token == lease.token))


@contextmanager
def reading(
    database: Database,
    stream: str,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    pause: Callable[[float], None] = time.sleep,
    wait: timedelta = _WAIT,
) -> Iterator[None]:
    """Keep rows and files of a stream from being taken away until what is made of them is written.

    Readers hinder nobody but `without_readers`. Both announce themselves first and look for the other then.

    Raises:
        LeaseHeld: rows are still being taken away after `wait`.
    """
    deadline = clock() + wait
    while True:
        with hold(database, f"{stream}{_READS}{uuid.uuid4().hex}", clock=clock):
            taker = holder_of(database, f"{stream}{_TAKES}", clock())
            if taker is None:
                yield
                return
        if clock() >= deadline:
            raise LeaseHeld(f"Rows of stream '{stream}' are being erased by {taker}. Nothing was done; try again then.")
        pause(_POLL_SECONDS)


@contextmanager
def without_readers(
    database: Database,
    stream: str,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    pause: Callable[[float], None] = time.sleep,
    wait: timedelta = _WAIT,
) -> Iterator[None]:
    """Take rows and files of a stream away while nobody is `reading` them; a dead reader counts for nothing.

    Raises:
        LeaseHeld: somebody still reads after `wait`, or takes rows away as well.
    """
    deadline = clock() + wait
    with hold(database, f"{stream}{_TAKES}", clock=clock, wait=wait):
        while (reader := _reader_of(database, stream, clock())) is not None:
            if clock() >= deadline:
                raise LeaseHeld(f"Stream '{stream}' is being read by {reader}. Try again when it is done.")
            pause(_POLL_SECONDS)
        yield


def _reader_of(database: Database, stream: str, now: datetime) -> str | None:
    with database.read() as connection:
        named = t.leases.c.stream.startswith(f"{stream}{_READS}", autoescape=True)
        rows = connection.execute(sa.select(t.leases).where(named))
        return next((f"process {row.pid} on {row.host}" for row in rows if not _free(row, now)), None)


def holder_of(database: Database, stream: str, now: datetime) -> str | None:
    """Who holds the stream's lease now, in words, or None."""
    with database.read() as connection:
        row = connection.execute(sa.select(t.leases).where(t.leases.c.stream == stream)).first()
    return None if row is None or _free(row, now) else f"process {row.pid} on {row.host}"


def held_elsewhere(database: Database, stream: str, now: datetime) -> bool:
    """Whether another process than this one holds the stream's lease now."""
    with database.read() as connection:
        row = connection.execute(sa.select(t.leases).where(t.leases.c.stream == stream)).first()
    if row is None or _free(row, now):
        return False
    return row.host != socket.gethostname() or row.pid != os.getpid()


def _take(database: Database, lease: Lease, now: datetime) -> sa.Row[tuple[object, ...]] | None:
    """Take the lease if it is free; otherwise the row of its holder."""
    import psutil

    mine = {
        "stream": lease.stream, "token": lease.token, "host": socket.gethostname(), "pid": os.getpid(),
        "process_started": psutil.Process().create_time(), "acquired_at": now, "expires_at": now + LENGTH,
    }
    with database.write() as connection:
        row = None
        while row is None:  # on PostgreSQL its holder may give it back between the two
            database.insert_new(connection, t.leases, [mine])
            row = connection.execute(
                sa.select(t.leases).where(t.leases.c.stream == lease.stream).with_for_update()
            ).first()
        if row.token == lease.token:
            return None
        if not _free(row, now):
            return row
        connection.execute(sa.update(t.leases).where(t.leases.c.stream == lease.stream).values(mine))
        return None


def _free(row: sa.Row[tuple[object, ...]], now: datetime) -> bool:
    here = row.host == socket.gethostname()
    return bool(row.expires_at <= now) or (here and not _lives(row.pid, row.process_started))


def _lives(pid: int, started: float) -> bool:
    """Whether that very process runs: a process id is used again, its start time with it is not."""
    import psutil

    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _renew(database: Database, lease: Lease, clock: Callable[[], datetime], stopped: threading.Event) -> None:
    while not stopped.wait(_HEARTBEAT_SECONDS):
        try:
            with database.write() as connection:
                renewed = connection.execute(
                    sa.update(t.leases).where(t.leases.c.token == lease.token).values(expires_at=clock() + LENGTH)
                )
        except sa.exc.OperationalError:
            continue  # the database may be back before the lease expires; assert_held decides in the end
        if renewed.rowcount == 0:
            lease.lost.set()
            return
