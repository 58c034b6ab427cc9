"""A version is made again from its snapshot, recipe and seed, and answers as the registered one to the last bit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from tests.flows.test_commands import Shell
from tests.made_deployments import ONE_CANDIDATE, with_champion
from tests.made_rows import make_rows
from trueup.flows.app import App, open_app
from trueup.flows.train.lineage import lineage_in_words
from trueup.flows.train.reproduce import Package, differences, other_packages
from trueup.storage import tables
from trueup.training.registry.run_tags import recorded_packages
from trueup.training.registry.tracking import packages

REGRESSION = """
[streams.reviews]
task = "regression"
id = "id"
time = "time"
numeric = ["a", "b"]
categorical = ["c"]

[streams.reviews.label]
column = "label"

[streams.reviews.policy]
window = 200
"""


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    folder = tmp_path_factory.mktemp("text")
    with_champion(folder, more=ONE_CANDIDATE).close()
    return Shell(folder)


@pytest.fixture(scope="module")
def regression(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    folder = tmp_path_factory.mktemp("regression")
    (folder / "trueup.toml").write_text(REGRESSION)
    _, rows = make_rows(900, 5, "regression", unlabelled=0.1)
    rows.features.assign(**rows.meta[["id", "time", "label"]]).to_csv(folder / "rows.csv", index=False)
    shell = Shell(folder)
    shell(f"ingest {folder / 'rows.csv'} -s reviews")
    assert shell("train -s reviews --as-of 2024-02-20").document["promotion"]
    return shell


def opened(shell: Shell) -> App:
    return open_app(shell.folder / "trueup.toml", shell.folder / ".trueup")


def left_in_mlflow(app: App) -> tuple[Any, int]:
    """What MLflow holds of the stream: its versions with aliases and tags, and how many runs."""
    client = app.registry.client()
    experiments = [one.experiment_id for one in client.search_experiments()]
    return app.registry.versions("reviews"), len(client.search_runs(experiments))


@pytest.mark.parametrize("kind", ["text", pytest.param("regression", marks=pytest.mark.slow)])
def test_a_version_is_made_again_to_the_last_bit(kind: str, request: pytest.FixtureRequest) -> None:
    """Every row of the snapshot, of both sides, is answered the same; nothing is registered, moved or written down."""
    shell: Shell = request.getfixturevalue(kind)
    app = opened(shell)
    before = left_in_mlflow(app), app.promotions.history("reviews"), app.promotions.versions("reviews")
    done = shell("train -s reviews --reproduce 1").document
    record = before[2][0]
    assert done["identical"] is True
    assert (done["version"], done["run_id"]) == (1, record.run_id)
    assert (done["rows"], done["different"], done["largest"]) == (record.document["rows"], 0, 0)
    assert done["labels"] == {"recorded": record.document["labels"], "used": record.document["labels"]}
    assert (done["candidates"], done["gate"], done["promotion"], done["packages"]) == ([], None, None, [])
    assert (left_in_mlflow(app), app.promotions.history("reviews"), app.promotions.versions("reviews")) == before
    app.close()


def test_the_packages_of_a_training_are_recorded(text: Shell) -> None:
    """Python, trueup and what models run on stand on the version, for whoever makes it again."""
    app = opened(text)
    version = app.registry.version("reviews", 1)
    recorded = recorded_packages(version.tags)
    app.close()
    assert recorded == packages(version.recipe)
    assert {"python", "trueup", "scikit-learn", "numpy", "pandas"} <= recorded.keys()


@pytest.mark.slow
def test_a_version_that_cannot_be_made_again_is_said_with_what_differs(regression: Shell) -> None:
    """Status 1, how many rows and by how much, and the package that is not the one of its training."""
    app = opened(regression)
    record = app.promotions.version("reviews", 1)
    assert record
    hyper = {"ridge": '{"alpha": 500.0}', "bayesian_ridge": '{"max_iter": 1}', "linear_svr": '{"C": 1e-6}'}
    recipe = record.document["recipe"]
    changed = {**record.document, "recipe": recipe | {"hyper": hyper[recipe["model"]]}}
    app.registry.set_tag("reviews", 1, "trueup.package.numpy", "1.0")
    with kept_as(app, changed, record.document):
        done = regression("train -s reviews --reproduce 1", status=1).document
    app.close()
    assert done["identical"] is False
    assert done["different"] > 0
    assert done["largest"] > 0
    assert f"{done['different']} of {done['rows']} rows" in done["said"]
    assert [(p["name"], p["recorded"]) for p in done["packages"]] == [("numpy", "1.0")]
    assert "numpy 1.0, here" in done["said"]


@pytest.mark.parametrize(
    ("words", "named"),
    [("--reproduce 9", "no version 9"), ("--reproduce 1 --as-of 2024-02-01", "--as-of cannot be used")],
)
def test_what_cannot_be_asked_for_is_status_2(text: Shell, words: str, named: str) -> None:
    """A version that is not there, and a time beside a version that has its own."""
    assert named in text(f"train -s reviews {words}", status=2).err


def test_the_settings_of_the_training_are_used(text: Shell) -> None:
    """Another window and another feature since then change nothing but what is said."""
    file = text.folder / "trueup.toml"
    settings = file.read_text()
    file.write_text(settings.replace('text = ["text"]', 'text = ["text"]\nnumeric = ["helpful"]').replace("400", "90"))
    done = text("train -s reviews --reproduce 1").document
    file.write_text(settings)
    assert done["identical"] is True
    assert done["settings"] == {
        "kept": True,
        "changed": [
            {"key": "numeric", "then": [], "now": ["helpful"]}, {"key": "policy.window", "then": 400, "now": 90},
        ],
    }  # fmt: skip
    assert 'numeric was [], is ["helpful"]; policy.window was 400, is 90' in done["said"]


def test_a_version_without_kept_settings_is_made_by_those_of_today(text: Shell) -> None:
    """It is said; a feature that was added since is not in the rows that the version was made of."""
    app = opened(text)
    record = app.promotions.version("reviews", 1)
    assert record
    with kept_as(app, {k: v for k, v in record.document.items() if k != "settings"}, record.document):
        done = text("train -s reviews --reproduce 1").document
        file = text.folder / "trueup.toml"
        settings = file.read_text()
        file.write_text(settings.replace('text = ["text"]', 'text = ["text"]\nnumeric = ["helpful"]'))
        refused = text("train -s reviews --reproduce 1", status=2).err
        file.write_text(settings)
    assert done["settings"] == {"kept": False, "changed": []}
    assert "before settings were kept" in done["said"]
    assert "features helpful" in refused
    strange = record.document | {"settings": record.document["settings"] | {"hat": 1}}
    with kept_as(app, strange, record.document):
        assert "this trueup cannot read" in text("train -s reviews --reproduce 1", status=2).err
    app.close()


@contextmanager
def kept_as(app: App, document: dict[str, Any], after: dict[str, Any]) -> Iterator[None]:
    """The store says something else of version 1 for a while."""

    def keep(told: dict[str, Any]) -> None:
        with app.database.write() as connection:
            connection.execute(sa.update(tables.versions).where(tables.versions.c.version == 1).values(document=told))

    keep(document)
    try:
        yield
    finally:
        keep(after)


def test_answers_are_compared_to_the_last_bit() -> None:
    """One bit of a score, or another class, is a difference; two missing scores are none."""
    classes = np.array(["a", "b", "a"], dtype=object)
    scores = np.array([0.1, np.nan, 0.5])
    one = classes, scores
    assert differences(one, (classes.copy(), scores.copy())).different == 0
    found = differences(one, (classes, np.nextafter(scores, 1)))
    assert (found.rows, found.different) == (3, 2)
    assert 0 < found.largest < 1e-15
    assert differences(one, (np.array(["b", "b", "a"], dtype=object), scores)).different == 1
    numbers = np.array([1.0, 2.0]), np.full(2, np.nan)
    assert differences(numbers, (np.array([1.0, 2.5]), numbers[1])) == replace(found, rows=2, different=1, largest=0.5)


def test_what_nobody_recorded_counts_as_another_package() -> None:
    """A version trained before packages were noted cannot be said to have had the same."""
    assert other_packages({"numpy": "1"}, {"numpy": "1", "scipy": "2"}) == (Package("scipy", None, "2"),)
    assert other_packages({"numpy": "1"}, {"numpy": "1"}) == ()


SPACED = (
    ONE_CANDIDATE + "configurations = 2\n[streams.reviews.training.spaces.linear_svm]\n"
    "C = { low = 0.1, high = 1.0, scale = 'log' }\n"
)


def test_what_was_drawn_for_a_training_is_kept_and_drawn_again(tmp_path: Path) -> None:
    """The store, MLflow, `models show` and `train --reproduce` have the drawn candidates; the seed gives them again."""
    with_champion(tmp_path, more=SPACED).close()
    shell = Shell(tmp_path)
    app = opened(shell)
    (record,) = app.promotions.versions("reviews")
    run = app.registry.client().get_run(record.run_id)
    lineage = app.registry.client().download_artifacts(record.run_id, "lineage/lineage.json")
    app.close()
    drawn = record.document["lineage"]["drawn"]
    tried = [one for one in record.document["candidates"] if one["drawn"]]
    assert [one["model"] for one in drawn] == ["linear_svm"] * 2
    assert [one["hyper"] for one in tried] == [one["hyper"] for one in drawn]
    assert run.data.tags["trueup.drawn"] == "2"
    assert json.loads(Path(lineage).read_text())["drawn"] == drawn
    assert lineage_in_words(record)["drawn"] == "2 candidates of training.spaces"
    done = shell("train -s reviews --reproduce 1").document
    assert done["drawn"] == {"candidates": drawn, "same": True}
    assert "its seed draws them again" in done["said"]
