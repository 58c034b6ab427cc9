"""What MLflow says of places follows the home, and leads nowhere else."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from trueup.storage.errors import ModelUnusable
from trueup.training.registry.artifact_paths import MODEL_FILE, follow_move
from trueup.training.registry.prune import remove_version
from trueup.training.registry.registry import Registry
from trueup.training.registry.tracking import experiment_id


def with_model(home: Path, stream: str = "reviews") -> tuple[Registry, str]:
    """A registry with one version of a stream, whose model is a file of some bytes; and its run."""
    made = Registry("", home / "mlflow")
    client = made.client()
    run = client.create_run(experiment_id(made, client, stream))
    folder = Path(run.info.artifact_uri.removeprefix("file://").replace("%20", " "), "model")
    folder.mkdir(parents=True)
    (folder / MODEL_FILE).write_bytes(b"a model")
    client.create_registered_model(stream)
    client.create_model_version(stream, f"{run.info.artifact_uri}/model", run.info.run_id)
    return made, run.info.run_id


def places(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / "mlflow.db")) as connection:
        queries = (
            "SELECT artifact_location FROM experiments WHERE name <> 'Default'", "SELECT artifact_uri FROM runs",
            "SELECT source FROM model_versions",
        )  # fmt: skip
        return [place for query in queries for (place,) in connection.execute(query)]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("a home") / ".trueup"
    with_model(home)
    return home


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "an other" / ".trueup")


def test_a_copied_home_reads_its_own_files(original: Path, copy: Path) -> None:
    """Every place is rewritten, told once, and the original's database stays as it was."""
    before = places(original)
    assert Registry("", copy / "mlflow").size("reviews", 1) == len(b"a model")
    assert all(str(copy).replace(" ", "%20") in place for place in places(copy))
    assert follow_move(copy / "mlflow.db", copy / "mlflow") == {}
    assert places(original) == before


def test_a_renamed_home_answers(copy: Path) -> None:
    """Also under a name that begins as the former one does."""
    assert Registry("", copy / "mlflow").size("reviews", 1)
    longer = copy.rename(copy.with_name(".trueup-2026"))
    assert Registry("", longer / "mlflow").size("reviews", 1) == len(b"a model")


def test_a_kill_leaves_all_or_nothing(copy: Path) -> None:
    """The places of the tables change in one transaction."""
    before = places(copy)
    with closing(sqlite3.connect(copy / "mlflow.db")) as connection, connection:
        connection.create_function("die", 0, lambda: None)
        connection.execute("CREATE TRIGGER stop BEFORE UPDATE ON model_versions BEGIN SELECT die(); END")
    child = os.fork()
    if child == 0:
        connect = sqlite3.connect

        def deadly(*args: object, **more: object) -> sqlite3.Connection:
            made: sqlite3.Connection = connect(*args, **more)  # type: ignore[call-overload]
            made.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
            return made

        sqlite3.connect = deadly  # type: ignore[assignment]
        try:
            follow_move(copy / "mlflow.db", copy / "mlflow")
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert places(copy) == before
    with closing(sqlite3.connect(copy / "mlflow.db")) as connection, connection:
        connection.execute("DROP TRIGGER stop")
    assert Registry("", copy / "mlflow").size("reviews", 1)


def test_where_others_share_the_database_only_own_places_follow(copy: Path, original: Path) -> None:
    """In a file outside of the home the places of a deployment that did not move are not touched."""
    shared = copy.rename(copy.with_name("not-the-home")) / "mlflow.db"
    root = copy / "mlflow"
    assert follow_move(shared, root, former=[]) == {}
    assert follow_move(shared, root, former=[original / "mlflow"]) == {original / "mlflow": 4}


def led_out(home: Path, outside: Path) -> None:
    """Let the database of a home, once followed, say that everything lies outside."""
    Registry("", home / "mlflow").client()
    with closing(sqlite3.connect(home / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE runs SET artifact_uri = ?", [outside.as_uri()])
        connection.execute("UPDATE model_versions SET source = ?, storage_location = NULL", [outside.as_uri()])


@pytest.mark.parametrize("way", ["a path", "dots", "a link"])
def test_nothing_outside_is_read_or_removed(copy: Path, tmp_path: Path, way: str) -> None:
    """Whatever the database says, and by whatever way the path leads out of the artifact root."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / MODEL_FILE).write_bytes(b"of somebody else")
    named = {"a path": outside, "dots": copy / "mlflow" / "reviews" / ".." / ".." / ".." / ".." / "outside",
             "a link": copy / "mlflow" / "reviews" / "linked"}[way]  # fmt: skip
    if way == "a link":
        named.symlink_to(outside)
    led_out(copy, named)
    registry = Registry("", copy / "mlflow")
    with pytest.raises(ModelUnusable, match="outside of this deployment"):
        registry.load("reviews", 1)
    run_id = registry.version("reviews", 1).run_id
    freed = remove_version(registry, "reviews", 1, run_id, on="today")
    assert freed.bytes == 0
    assert "outside of this deployment" in freed.left[0]
    assert (outside / MODEL_FILE).exists()


@pytest.mark.parametrize("part", ["", "reviews", "reviews/models"])
def test_the_root_itself_is_no_models_folder(copy: Path, part: str) -> None:
    """A run that is said to lie in the root, or in a stream's whole folder, takes nothing with it."""
    led_out(copy, copy / "mlflow" / part)
    registry = Registry("", copy / "mlflow")
    files = sorted((copy / "mlflow").rglob("*"))
    assert remove_version(registry, "reviews", 1, registry.version("reviews", 1).run_id, on="today").bytes == 0
    assert sorted((copy / "mlflow").rglob("*")) == files
