"""An erasure killed at any place leaves all rows or none, and the next cycle ends it; on each store and archive."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.faults.test_killed_cycle import in_a_process
from tests.found_bytes import places_in_bucket
from tests.made_bucket import serving_bucket
from tests.made_person import (
    ALL,
    CANARY,
    LEFT,
    PERSON,
    ROWS,
    THEIRS,
    copied,
    go_on,
    ids,
    nothing_is_left,
    opened,
    settings,
    with_a_person,
)
from trueup.flows.app import App
from trueup.flows.erase import derived_files
from trueup.flows.erase import run as erasing
from trueup.flows.erase.run import erase
from trueup.storage import snapshots
from trueup.storage.archive import Archive
from trueup.storage.database import Database
from trueup.storage.erasure.erasure_log import ErasureLog
from trueup.storage.erasure.tombstones import Tombstones
from trueup.storage.leases import hold
from trueup.storage.promotions import VersionRecord

pytestmark = pytest.mark.timeout(3600)  # a hundred steps, each a process of its own, on a machine that does other work
STEPS = (
    (Archive, "write"), (Archive, "remove"), (Tombstones, "keep"), (Tombstones, "make_key"), (Path, "replace"),
    (derived_files, "scrub_sqlite"), (derived_files, "emptied_log"), (erasing, "emptied_log"),
)  # fmt: skip


def killing(at: int) -> Callable[[], None]:
    """Have this process die without a chance to clean up at the durable step of this number; what counts one more."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(owner: Any, name: str) -> None:
        work: Callable[..., Any] = getattr(owner, name)

        def counted(*given: Any, **named: Any) -> Any:
            step()
            done = work(*given, **named)
            step()
            return done

        setattr(owner, name, counted)

    transaction = Database.write_unasked

    @contextmanager
    def counted_transaction(self: Database) -> Iterator[Any]:
        with transaction(self) as connection:
            yield connection
            step()
        step()

    Database.write_unasked = counted_transaction  # type: ignore[method-assign]
    for owner, name in STEPS:
        around(owner, name)
    return step


def _nothing_more(app: App, step: Callable[[], None]) -> None:
    pass


def killed_at(at: int, folder: Path, also: Callable[[App, Callable[[], None]], None] = _nothing_more) -> bool:
    """Erase in a process that is killed at a step, then look, and go on; whether there was such a step.

    also: has the deployment's other parts count steps.
    """

    def work() -> None:
        app = opened(folder)
        also(app, killing(at))
        erase(app, app.stream("reviews"), user=PERSON, why="request")

    status = in_a_process(work)
    app = opened(folder)
    assert ids(app) in (ALL, LEFT)
    if status == 0:
        nothing_is_left(app)
        return False
    assert status == -signal.SIGKILL
    begun = ErasureLog(app.database).unfinished("reviews")
    if not begun and ids(app) == ALL:
        erase(app, app.stream("reviews"), user=PERSON, why="request")
    go_on(app)
    assert len(ErasureLog(app.database).of("reviews")) == 1
    nothing_is_left(app)
    return True


# ---- SQLite and a folder ----


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "one"
    with_a_person(folder).close()
    return folder


def killed_on_sqlite(at: int, made: Path, folder: Path) -> bool:
    copied(made, folder).close()
    return killed_at(at, folder)


def test_killed_in_the_middle_it_goes_on(made: Path, tmp_path: Path) -> None:
    """Some of the steps; the test below tries them all."""
    assert killed_on_sqlite(20, made, tmp_path / "early")
    assert killed_on_sqlite(40, made, tmp_path / "late")


@pytest.mark.slow
def test_killed_at_each_step_it_goes_on(made: Path, tmp_path: Path) -> None:
    """Before and after each commit, file and removal: all rows are there or all are out, and the next cycle ends it."""
    at = 1
    while killed_on_sqlite(at, made, tmp_path / f"{at}"):
        shutil.rmtree(tmp_path / f"{at}")
        at += 1
    assert at > 40


# ---- PostgreSQL ----


class OnPostgres:
    """A deployment on PostgreSQL, and copies of both its folder and its database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, sa.make_url(url)
        with_a_person(folder, url).close()
        server = self.url.set(drivername="postgresql+psycopg", database="postgres")
        self._server = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def killed_at(self, at: int, folder: Path) -> bool:
        name = f"killed_{at}"
        with self._server.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {self.url.database}")
        shutil.copytree(self.folder, folder)
        (folder / ".trueup" / "deployment.json").unlink(missing_ok=True)
        copy = self.url.set(database=name).render_as_string(hide_password=False)
        (folder / "trueup.toml").write_text(settings(copy))
        went_on = killed_at(at, folder)
        app = opened(folder)
        held = rows_with(app.database, CANARY)
        app.close()
        assert held == 0
        with self._server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        shutil.rmtree(folder)
        return went_on


def rows_with(database: Database, word: str) -> int:
    """How many rows of all tables hold a word."""
    with database.read() as connection:
        names = sa.inspect(connection).get_table_names()
        tables = [connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names]
        return sum(word in str(tuple(row)) for rows in tables for row in rows)


@pytest.fixture
def on_postgres(empty_postgres: str, tmp_path: Path) -> OnPostgres:
    return OnPostgres(tmp_path / "made", empty_postgres)


def test_on_postgresql_killed_in_the_middle_it_goes_on(on_postgres: OnPostgres, tmp_path: Path) -> None:
    """Some of the steps; the test below tries them all."""
    assert all(on_postgres.killed_at(at, tmp_path / f"{at}") for at in (12, 24, 36))


@pytest.mark.slow
def test_on_postgresql_killed_at_each_step_it_goes_on(on_postgres: OnPostgres, tmp_path: Path) -> None:
    """Before and after each commit, file and removal; the search is over every table of the server's database."""
    at = 1
    while on_postgres.killed_at(at, tmp_path / f"{at}"):
        at += 1
    assert at > 40


# ---- an archive in a bucket ----


BUCKET = "archive"


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """A real S3 protocol on loopback."""
    with serving_bucket(BUCKET) as client:
        yield client


class InBucket:
    """A deployment whose archive is a folder of a bucket, and copies of both."""

    def __init__(self, folder: Path, bucket: Any) -> None:
        self.folder, self.bucket = folder, bucket
        app = with_a_person(folder, archive=f"s3://{BUCKET}/made")
        rows = app.reader.read(app.stream("reviews"), as_of=app.now())
        record = VersionRecord(
            stream="reviews", version=1, run_id="none", cut_off=app.now(), trained_as_of=app.now(),
            document={"rows": ROWS},
            **{name: snapshots.keep(app.archive, "reviews", rows) for name in ("snapshot", "reference", "quality")},
        )  # fmt: skip
        with hold(app.database, "reviews") as lease:
            app.promotions.add_version(lease, record)
        app.close()

    def copied(self, folder: Path) -> None:
        for key in self.names("made"):
            copy = key.replace("made/", f"{folder.name}/", 1)
            self.bucket.copy_object(Bucket=BUCKET, Key=copy, CopySource={"Bucket": BUCKET, "Key": key})
        shutil.copytree(self.folder, folder)
        (folder / ".trueup" / "deployment.json").unlink(missing_ok=True)
        (folder / "trueup.toml").write_text(settings(archive=f"s3://{BUCKET}/{folder.name}"))

    def names(self, below: str) -> list[str]:
        found = self.bucket.list_objects_v2(Bucket=BUCKET, Prefix=f"{below}/").get("Contents", ())
        return [one["Key"] for one in found]

    def killed_at(self, at: int, folder: Path) -> bool:
        self.copied(folder)
        went_on = killed_at(at, folder, _each_call)
        assert places_in_bucket(CANARY, self.bucket, BUCKET, f"{folder.name}/") == []
        shutil.rmtree(folder)
        return went_on


def _each_call(app: App, step: Callable[[], None]) -> None:
    """Count before and after each call that changes an object."""
    app.archive.exists("any")  # connects
    for when in ("before-call", "after-call"):
        for call in ("PutObject", "CopyObject", "DeleteObject", "DeleteObjects"):
            app.archive._remote.s3.meta.events.register(f"{when}.s3.{call}", lambda **_: step())


@pytest.fixture(scope="module")
def in_bucket(bucket: Any, tmp_path_factory: pytest.TempPathFactory) -> InBucket:
    return InBucket(tmp_path_factory.mktemp("made") / "made", bucket)


def test_in_a_bucket_nothing_is_left(in_bucket: InBucket, tmp_path: Path) -> None:
    """Segments, changes, a version's snapshot and a report held the word; what else the bucket may keep is named."""
    folder = tmp_path / "whole"
    in_bucket.copied(folder)
    before = {place.split("/")[1] for place in places_in_bucket(CANARY, in_bucket.bucket, BUCKET, "whole/")}
    assert before == {"records", "revisions", "snapshots", "reports"}
    app = opened(folder)
    done = erase(app, app.stream("reviews"), user=PERSON, why="request")
    assert (done["erased"], done["records"], done["versions"]) == (True, THEIRS, [1])
    assert any("buckets with versioning" in place for place in done["left"])
    record = app.promotions.version("reviews", 1)
    assert record is not None
    assert len(snapshots.load(app.archive, record.snapshot, regression=False)) == ROWS - THEIRS
    nothing_is_left(app)
    assert places_in_bucket(CANARY, in_bucket.bucket, BUCKET, "whole/") == []
    assert {name.split("/")[1] for name in in_bucket.names("whole")} == before


def test_in_a_bucket_killed_in_the_middle_it_goes_on(in_bucket: InBucket, tmp_path: Path) -> None:
    """At one of the steps; the test below tries them all."""
    assert in_bucket.killed_at(40, tmp_path / "some")


@pytest.mark.slow
def test_in_a_bucket_killed_at_each_step_it_goes_on(in_bucket: InBucket, tmp_path: Path) -> None:
    """Before and after each commit, object that is put, copied or removed, and file."""
    at = 1
    while in_bucket.killed_at(at, tmp_path / f"each-{at}"):
        at += 1
    assert at > 60
