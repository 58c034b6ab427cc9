"""A trainer's model as a registered version: copied, known by its digest, asked like any other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from trueup.storage.errors import ModelUnusable
from trueup.storage.stream import LabelPolicy, StreamSettings
from trueup.storage.trainers.trainer_settings import Trainer
from trueup.training.candidates.recipes import TRAINER, Recipe
from trueup.training.models.fitting import answer, chances_by_class
from trueup.training.registry.external import register
from trueup.training.registry.foreign import record_foreign
from trueup.training.registry.prune import remove_version, size_of_version
from trueup.training.registry.registry import Registry, Version
from trueup.training.registry.run_tags import lineage_tag
from trueup.training.trainers.returned import ReturnedTraining

pytestmark = pytest.mark.timeout(900)  # another process imports what the model needs, on a loaded machine
AT = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
STREAM = StreamSettings(name="made", time="at", text=("text",), numeric=("number",), label=LabelPolicy(column="y"))


@dataclass(frozen=True)
class Held:
    """A registry with one version of a trainer."""

    registry: Registry
    returned: ReturnedTraining
    version: Version


@pytest.fixture(scope="module")
def held(trained_elsewhere: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    registry = Registry("", tmp_path_factory.mktemp("home") / "mlflow")
    returned = ReturnedTraining(
        cycle="made@2024-03-01T12:00:00Z", as_of=AT, occasion="retrain", who="ada", snapshot="5a11",
        snapshot_file="snapshot.parquet", cut_off=AT, commit="abc123", trainer=Trainer(command=("python", "train.py")),
        recipe=Recipe(model="train.py", feature=TRAINER, max_features=None, history="all"), folder=trained_elsewhere,
        result={"commit": "f00", "external_run": "run 7", "parameters": {"C": 2}}, classes=("bad", "good"),
        metrics={"accuracy": 0.9}, files={"trainer/answers.parquet": b"answers"},
    )  # fmt: skip
    version = record_foreign(registry, STREAM, returned)
    yield Held(registry, returned, version)
    model = registry.load("made", 1)
    assert model.host.pid is not None
    registry.close()  # as an open deployment does
    assert model.host.pid is None


def test_it_is_asked_as_a_model_of_ours(held: Held) -> None:
    """`answer` and `chances_by_class` know no difference; the same process answers a second load."""
    rows = pd.DataFrame({"text": ["good", "awful"], "number": [1.0, 2.0]})
    model = held.registry.load("made", 1)
    predicted, score = answer(model, STREAM, rows)
    known, chances = chances_by_class(model, STREAM, rows)
    assert list(predicted) == ["good", "bad"]
    assert list(known) == ["bad", "good"]
    assert (chances[:, 1] == score).all()
    assert held.registry.load("made", 1).host.pid == model.host.pid


def test_it_says_where_it_comes_from(held: Held) -> None:
    """Trainer, its commit and run, digest and how it is asked stand in its tags; parameters in the run."""
    tags = held.version.tags
    told = {name: lineage_tag(tags, name) for name in (TRAINER, "trainer.commit", "trainer.run", "commit", "cycle")}
    assert list(told.values()) == ["train.py", "f00", "run 7", "abc123", held.returned.cycle]
    assert held.version.recipe == held.returned.recipe
    assert '"digest": "' in tags["trueup.host"]
    run = held.registry.client().get_run(held.version.run_id)
    assert run.data.params == {"C": "2"}
    assert held.registry.size("made", 1) > 1000


def test_its_data_set_is_the_snapshot(held: Held, tmp_path: Path) -> None:
    """By our hash, with where it lies; of a service's version as well, which stands for what its answers refer to."""

    def inputs(registry: Registry, version: Version) -> list[tuple[str, str, str, str]]:
        given = registry.client().get_run(version.run_id).inputs.dataset_inputs
        return [(one.dataset.name, one.dataset.digest, one.dataset.source, one.tags[0].value) for one in given]

    at = '{"uri": "snapshot.parquet"}'
    assert inputs(held.registry, held.version) == [("made", "5a11", at, "training")]
    registry = Registry("", tmp_path / "mlflow")
    lineage = {"snapshot": "5a12", "cut_off": "", "as_of": ""}
    made = register(registry, STREAM, "svc", who="ada", lineage=lineage, metrics={}, snapshot_file="snapshot.parquet")
    assert inputs(registry, made) == [("made", "5a12", at, "reference")]


def test_changed_files_answer_nothing(held: Held) -> None:
    """A file of the registered model that changed is found at the next load, also where its process still runs."""
    (file,) = held.registry.artifact_root.glob("made/*/artifacts/model/requirements.txt")
    before = file.read_bytes()
    file.write_bytes(before + b"more\n")
    try:
        with pytest.raises(ModelUnusable, match=r"Version 1 of 'made' .* cannot be loaded \(its files are not those"):
            held.registry.load("made", 1)
    finally:
        file.write_bytes(before)


def test_a_model_can_be_named_by_its_alias(held: Held) -> None:
    """An alias is resolved to the number that it points to now; another server than the known ones is not asked."""
    named = replace(held.returned, folder=None, result={"model_uri": "models:/made@best"})
    with pytest.raises(ModelUnusable, match=r"models:/made@best .* cannot be fetched"):
        record_foreign(held.registry, STREAM, named)
    held.registry.set_alias("made", "best", 1)
    second = record_foreign(held.registry, STREAM, named)
    assert lineage_tag(second.tags, "trainer.model") == "models:/made/1"
    assert second.tags["trueup.host"] == held.version.tags["trueup.host"]
    elsewhere = {"model_uri": "models:/made@best", "tracking_uri": "http://127.0.0.1:9"}
    with pytest.raises(ModelUnusable, match="logins are sent to known servers only"):
        record_foreign(held.registry, STREAM, replace(named, result=elsewhere))
    assert size_of_version(held.registry, "made", second.run_id) > 1000
    remove_version(held.registry, "made", second.number, second.run_id, on="2024-03-02")
    assert size_of_version(held.registry, "made", second.run_id) == 0


def test_what_is_no_model_is_refused(held: Held, tmp_path: Path) -> None:
    """An empty folder, a link and no model at all are each told, and no version comes of them."""

    def refused(said: str, **changed: object) -> None:
        with pytest.raises(ModelUnusable, match=said):
            record_foreign(held.registry, STREAM, replace(held.returned, **changed))

    refused("holds no MLflow model", folder=tmp_path)
    linked = tmp_path / "model"
    shutil.copytree(held.returned.folder or tmp_path, linked)
    (linked / "weights").symlink_to("/etc/hostname")
    refused("'weights', which is no plain file", folder=linked)
    refused("returned no model", folder=None, result={"model_uri": "/somewhere"})
    assert {version.number for version in held.registry.versions("made")} <= {1}
