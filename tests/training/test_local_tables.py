"""MLflow's tables read without MLflow: the same answers, nothing written, and what is unknown is left to MLflow."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from trueup.training.registry.local_tables import SCHEMA, registered_in, versions_in
from trueup.training.registry.registry import Registry
from trueup.training.registry.server_tables import versions_of_server

MODEL = "reviews of 100 % cotton"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Three versions of a model, the second deleted, with tags and aliases; another model beside it."""
    made = Registry("", tmp_path_factory.mktemp("a folder, 100%20") / "mlflow")
    client = made.client()
    for name, count in ((MODEL, 3), ("other", 1)):
        client.create_registered_model(name)
        for _ in range(count):
            client.create_model_version(name, (made.artifact_root / "model").as_uri())
    client.set_model_version_tag(MODEL, "1", "why", "ä'\"\n%")
    client.set_model_version_tag(MODEL, "3", "stage", "champion")
    client.set_registered_model_alias(MODEL, "previous", "1")
    client.set_registered_model_alias(MODEL, "challenger", "2")
    client.set_registered_model_alias(MODEL, "champion", "3")
    client.set_registered_model_alias("other", "champion", "1")
    client.delete_model_version(MODEL, "2")
    return made


def test_the_tables_are_those_that_are_known(registry: Registry) -> None:
    """A newer MLflow with other tables is noticed here, and costs time but no answer until this module knows it."""
    with closing(sqlite3.connect(registry.uri.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(SCHEMA,)]


def test_mlflow_answers_the_same(registry: Registry) -> None:
    """Numbers, runs, times, tags and aliases of all that is not deleted."""
    client = registry.client()
    for name in (MODEL, "other", "unheard"):
        by_client = versions_of_server(registry.client(), registry.model_name(name), registry.failed)
        direct = versions_in(registry.uri, name)
        assert direct is not None
        for ours, theirs in zip(direct, by_client, strict=True):
            assert sorted(ours) == sorted(theirs)
    held = client.get_registered_model(MODEL).aliases
    assert registered_in(registry.uri, MODEL) == ({alias: int(version) for alias, version in held.items()}, {})
    assert registry.alias(MODEL, "previous") == 1
    assert registry.alias(MODEL, "champion") == 3


def test_a_registry_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Who only looks leaves no file behind, and finds no champion."""
    nowhere = Registry("", tmp_path / "home" / "mlflow")
    assert nowhere.alias("reviews", "champion") is None
    assert nowhere.versions("reviews") == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("state", ["another schema", "no tables", "damaged"])
def test_what_is_unknown_is_left_to_mlflow(registry: Registry, tmp_path: Path, state: str) -> None:
    """Tables of another MLflow, half made ones and broken files are not guessed at."""
    file = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(file)) as copy:
        if state == "another schema":
            with closing(sqlite3.connect(registry.uri.removeprefix("sqlite:///"))) as source:
                source.backup(copy)
            copy.execute("UPDATE alembic_version SET version_num = 'newer'")
            copy.commit()
    if state == "damaged":
        file.write_bytes(b"this was a database once" * 100)
    assert registered_in(f"sqlite:///{file}", MODEL) is None
    assert versions_in(f"sqlite:///{file}", MODEL) is None


def test_a_server_is_left_to_mlflow() -> None:
    """So is a database that is no file of this machine."""
    for uri in ("http://127.0.0.1:5000", "postgresql://user@host/mlflow"):
        assert registered_in(uri, MODEL) is None
