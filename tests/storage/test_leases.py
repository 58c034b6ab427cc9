"""One worker a stream: leases that no crash outlives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from trueup.storage import tables as t
from trueup.storage.database import Database, open_database
from trueup.storage.errors import LeaseHeld
from trueup.storage.leases import hold, holder_of

NONE = timedelta(0)


def test_two_streams_do_not_wait_for_each_other(database: Database) -> None:
    """Leases are by stream."""
    with hold(database, "a", wait=NONE), hold(database, "b", wait=NONE):
        now = datetime.now(UTC)
        assert holder_of(database, "a", now) is not None
    assert holder_of(database, "a", now) is None


def test_a_living_holder_is_named(database: Database) -> None:
    """Who waits in vain is told which process has the stream, and since when."""
    with hold(database, "a", wait=NONE), pytest.raises(LeaseHeld, match=f"process {os.getpid()} on"), hold(
        database, "a", wait=NONE
    ):
        pass


def test_a_dead_holder_on_this_machine_is_superseded_at_once(tmp_path: Path) -> None:
    """A killed process leaves its lease behind; the next one takes it without waiting."""
    open_database("", tmp_path).close()
    code = (
        "import sys, time; from pathlib import Path\n"
        "from trueup.storage.database import open_database; from trueup.storage.leases import hold\n"
        "with hold(open_database('', Path(sys.argv[1])), 'a'):\n"
        "    print('held', flush=True); time.sleep(600)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "held"
    database = open_database("", tmp_path)
    with pytest.raises(LeaseHeld, match=f"process {child.pid}"), hold(database, "a", wait=NONE):
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with hold(database, "a", wait=NONE):
        pass
    database.close()


def test_a_remote_holder_is_superseded_when_its_lease_runs_out(database: Database) -> None:
    """Of a process elsewhere nobody can tell whether it lives; its lease ends after 60 s without a heartbeat."""
    now = datetime.now(UTC)
    with database.write() as connection:
        connection.execute(
            sa.insert(t.leases),
            {
                "stream": "a", "token": "x", "host": "elsewhere", "pid": 1, "process_started": 0.0,
                "acquired_at": now, "expires_at": now + timedelta(seconds=60),
            },
        )
    with pytest.raises(LeaseHeld, match="elsewhere"), hold(database, "a", wait=NONE, clock=lambda: now):
        pass
    with hold(database, "a", wait=NONE, clock=lambda: now + timedelta(seconds=61)):
        pass


def test_the_waiting_ends_when_the_lease_is_given_back(database: Database) -> None:
    """A second worker takes over as soon as the first is done."""
    first = hold(database, "a", wait=NONE)
    first.__enter__()
    paused: list[float] = []

    def pause(seconds: float) -> None:
        paused.append(seconds)
        first.__exit__(None, None, None)

    with hold(database, "a", pause=pause):
        assert len(paused) == 1


def test_who_lost_the_lease_commits_nothing(database: Database) -> None:
    """A worker that was superseded is told so within its own transaction."""
    with hold(database, "a", wait=NONE) as lease:
        with database.write() as connection:
            connection.execute(sa.update(t.leases).values(token="another"))
        with pytest.raises(LeaseHeld, match="lost its lease"), database.write() as connection:
            lease.assert_held(connection)


def test_a_lease_given_back_this_moment_is_taken(
    postgres_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder's row goes after it was in the way and before it is looked at: whoever waits for it has it."""
    database, other = open_database(postgres_store, tmp_path), open_database(postgres_store, tmp_path)
    true_insert, calls = Database.insert_new, 0

    def insert_new(database: Database, *args: Any) -> None:
        nonlocal calls
        true_insert(database, *args)
        calls += 1
        if calls == 2:
            with other.write() as connection:
                connection.execute(sa.delete(t.leases))

    monkeypatch.setattr(Database, "insert_new", insert_new)
    with hold(other, "made"), hold(database, "made") as lease:
        lease.confirm(database)
    assert calls == 3
    database.close()
    other.close()
