"""MLflow holds the runs, the versions and the aliases; what it cannot give back is never taken for nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.made_rows import make_rows
from trueup.storage.errors import ModelUnusable, TrueupError
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.recipes import candidates
from trueup.training.candidates.run_params import full_title, title
from trueup.training.models.fitting import answer, fit
from trueup.training.registry.registry import CHAMPION, PREVIOUS, Registry, Version
from trueup.training.registry.run_tags import lineage_tag, recorded_packages
from trueup.training.registry.tracking import TrainingRecord, close_stray_runs, record
from trueup.training.registry.trusted_types import trusted
from trueup.training.search import SearchResult, search

CUT_OFF = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Booted:
    """One registry with one recorded training, shared by the module: MLflow's first start takes seconds."""

    registry: Registry
    stream: StreamSettings
    rows: Rows
    training: TrainingRecord
    version: Version


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Booted:
    home = tmp_path_factory.mktemp("home")
    stream, rows = make_rows(500, 0)
    stream = stream.model_copy(update={"tags": {"use_case": "stars from words", "team": "search"}})
    rows = rows.take(~rows.meta["evaluation"].to_numpy())
    snapshot = home / "snapshot.parquet"
    rows.features.to_parquet(snapshot)
    result = search(stream, rows, candidates(stream)[:3], 0, lambda: 0.0)
    training = TrainingRecord(
        cycle="made@2024-03-01T12:00:00Z",
        as_of=CUT_OFF,
        occasion="retrain",
        who="ada",
        snapshot="5a11",
        snapshot_file=str(snapshot),
        cut_off=CUT_OFF,
        commit="abc123",
        result=result,
        fitted=fit(result.winner, stream, rows, 0, 300),
        metrics={"accuracy": 0.9, "roc_auc": float("nan")},
        description="**What** it is",
        lineage={"note": "first"},
    )
    registry = Registry("", home / "models")
    return Booted(registry, stream, rows, training, record(registry, stream, training))


def test_a_version_tells_where_it_comes_from(booted: Booted) -> None:
    """What people ask by comes first and the rest is behind one prefix: snapshot, cut-off, commit, cycle, recipe."""
    version = booted.registry.version("made", booted.version.number)
    assert version.number == 1
    assert version.recipe == booted.training.fitted.recipe
    first = {
        "algorithm": version.recipe.model,
        "feature_type": version.recipe.feature,
        "owner": "ada",
        "stage": "challenger",
        "use_case": "stars from words",
        "team": "search",
    }
    lineage = {
        "snapshot": "5a11",
        "commit": "abc123",
        "as_of": "2024-03-01T12:00:00Z",
        "cut_off": "2024-03-01T12:00:00Z",
        "cycle": "made@2024-03-01T12:00:00Z",
        "note": "first",
    }
    told = {name: value for name, value in version.tags.items() if not name.startswith("trueup.")}
    assert told == first
    assert {f"trueup.{name}": value for name, value in lineage.items()}.items() <= version.tags.items()


def test_a_version_from_before_the_prefix_is_read_as_ever(booted: Booted) -> None:
    """Its recipe, its packages and the cycle that it belongs to stand under bare names."""
    recipe = booted.training.fitted.recipe
    old = {**recipe.params(), "cycle": "before", "package.numpy": "1.0", "snapshot": "5a11"}
    client = booted.registry.client()
    client.create_registered_model("old")
    client.create_model_version("old", booted.registry.artifact_root.as_uri(), tags=old)
    found = booted.registry.find_version_by_tag("old", "cycle", "before")
    assert found is not None
    assert found.recipe == recipe
    assert recorded_packages(found.tags) == {"numpy": "1.0"}
    assert lineage_tag(found.tags, "snapshot") == "5a11"


def test_the_loaded_model_answers_as_the_fitted(booted: Booted) -> None:
    """Reading a version back changes no answer."""
    model = booted.registry.load("made", 1)
    for got, expected in zip(
        answer(model, booted.stream, booted.rows.features),
        answer(booted.training.fitted.model, booted.stream, booted.rows.features),
        strict=True,
    ):
        np.testing.assert_array_equal(got, expected)


def test_every_candidate_is_a_nested_run_with_parameters_and_figures(booted: Booted) -> None:
    """Charts of MLflow compare candidates by what differs, each run under a name of its own; the parent has the data.

    MLflow's parallel coordinates leave out a run that lacks a parameter, so all have the same.
    """
    client = booted.registry.client()
    experiment = client.get_experiment_by_name("trueup-made")
    runs = client.search_runs([experiment.experiment_id])
    nested = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == booted.version.run_id]
    assert len(nested) == len({run.info.run_name for run in nested}) == 3
    assert {frozenset(run.data.params) for run in nested} == {frozenset({"algorithm", "calibrated", "hyper.C"})}
    for run in nested:
        assert {"accuracy", "f1_macro", "f1_score", "roc_auc", "seconds"} <= run.data.metrics.keys()
        assert run.info.status == "FINISHED"
    parent = client.get_run(booted.version.run_id)
    assert parent.data.metrics == {"accuracy": 0.9}
    assert {"algorithm", "features", "history", "calibrated", "hyper.C"} == parent.data.params.keys()
    assert [given.dataset.name for given in parent.inputs.dataset_inputs] == ["made"]
    assert [given.dataset.digest for given in parent.inputs.dataset_inputs] == ["5a11"]


def test_a_run_says_what_it_is(booted: Booted) -> None:
    """Day, occasion, version and candidate in its name; its description in words, on the version as well."""
    client = booted.registry.client()
    parent = client.get_run(booted.version.run_id)
    assert parent.info.run_name == f"2024-03-01 retrain → v1 {title(booted.training.fitted.recipe)}"
    assert parent.data.tags["mlflow.note.content"] == "**What** it is"
    assert client.get_model_version("made", "1").description == "**What** it is"


def test_a_candidates_metrics_have_a_step_for_each_rung(booted: Booted) -> None:
    """The last of them is the mean that it was judged by at the end."""
    client = booted.registry.client()
    experiment = client.get_experiment_by_name("trueup-made")
    runs = client.search_runs([experiment.experiment_id], f"tags.mlflow.parentRunId = '{booted.version.run_id}'")
    trials = {full_title(trial.recipe): trial for trial in booted.training.result.trials}
    for run in runs:
        trial = trials[run.info.run_name]
        points = client.get_metric_history(run.info.run_id, "f1_macro")
        assert [point.step for point in points] == list(range(1, trial.blocks + 1))
        assert [point.value for point in points] == [rung["f1_macro"] for rung in trial.rungs]
        assert run.data.metrics["f1_macro"] == trial.metrics["f1_macro"]


def test_artifacts_lie_under_the_home_folder(booted: Booted, tmp_path: Path) -> None:
    """Nothing is written to the folder that the command was started in."""
    files = list(booted.registry.artifact_root.rglob("model.skops"))
    assert len(files) == 1
    assert (files[0].parent / "input_example.json").exists()
    pinned = (files[0].parent / "requirements.txt").read_text().split()
    assert all("==" in line for line in pinned)
    assert not (Path.cwd() / "mlruns").exists()


@pytest.mark.slow
def test_the_champion_answers_by_mlflow_alone_beside_a_package_training(booted: Booted, tmp_path: Path) -> None:
    """A service without trueup, which has a package `training` of its own, loads `@champion` and gets our answers."""
    texts = ["great lovely", "broken awful", None]
    booted.registry.set_alias("made", CHAMPION, booted.version.number)
    model = booted.registry.load("made", booted.version.number)
    own = tmp_path / "training"
    own.mkdir()
    (own / "__init__.py").write_text("whose = 'the service'\n")
    code = (
        "import json, sys, mlflow, pandas as pd, training\n"
        "sys.meta_path = [f for f in sys.meta_path if 'editable' not in getattr(f, '__name__', '').lower()]\n"
        f"mlflow.set_tracking_uri({booted.registry.uri!r})\n"
        "model = mlflow.pyfunc.load_model('models:/made@champion')\n"
        f"print(json.dumps(list(model.predict(pd.DataFrame({{'content': {texts!r}}})))))\n"
        "import training, trueup_model.cleaning\n"
        "assert training.whose == 'the service'\n"
        f"assert {str(booted.registry.artifact_root)!r} in trueup_model.__file__, trueup_model.__file__\n"
        "assert not [name for name in sys.modules if name == 'trueup' or name.startswith('trueup.')]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == list(model.predict(pd.DataFrame({"content": texts})))


def test_the_code_beside_a_model_is_a_few_small_files(booted: Booted) -> None:
    """A stored model carries `trueup_model` and no other package, nor word pieces that it does not read."""
    folder = next(booted.registry.artifact_root.rglob("model.skops")).parent / "code"
    carried = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    names = ("__init__", "boosting", "calibration", "cleaning", "embeddings", "kept_vectors", "text_counts", "weights")
    assert carried == {f"trueup_model/{name}.py" for name in names}


def test_aliases_move_and_an_unknown_one_is_none(booted: Booted) -> None:
    """An alias that was never set is None, whether or not the name exists."""
    assert booted.registry.alias("made", PREVIOUS) is None
    assert booted.registry.alias("unheard", CHAMPION) is None
    assert booted.registry.versions("unheard") == ()
    booted.registry.set_alias("made", CHAMPION, 1)
    assert booted.registry.alias("made", CHAMPION) == 1
    assert booted.registry.version("made", 1).aliases == (CHAMPION,)
    booted.registry.set_tag("made", 1, "stage", "champion")
    assert booted.registry.version("made", 1).tags["stage"] == "champion"


def test_an_alias_to_no_version_is_refused(booted: Booted) -> None:
    """The champion cannot become a version that does not exist."""
    with pytest.raises(TrueupError, match="nothing was changed"):
        booted.registry.set_alias("made", CHAMPION, 99)


def test_versions_are_numbers_newest_first(booted: Booted) -> None:
    """Ten is newer than nine."""
    client = booted.registry.client()
    client.create_registered_model("many")
    for _ in range(11):
        client.create_model_version("many", (booted.registry.artifact_root / "many").as_uri())
    assert [version.number for version in booted.registry.versions("many")] == list(range(11, 0, -1))


def test_a_killed_cycle_finds_the_version_it_had_registered(booted: Booted) -> None:
    """A version is found by the cycle's tag, another cycle's is not."""
    found = booted.registry.find_version_by_tag("made", "cycle", "made@2024-03-01T12:00:00Z")
    assert found is not None
    assert found.number == 1
    assert booted.registry.find_version_by_tag("made", "cycle", "another") is None


def test_runs_of_a_killed_training_are_closed(booted: Booted) -> None:
    """What a kill left RUNNING is KILLED; finished runs and streams without runs stay as they are."""
    client = booted.registry.client()
    experiment = client.get_experiment_by_name("trueup-made")
    stray = client.create_run(experiment.experiment_id)
    assert close_stray_runs(booted.registry, "made") == 1
    assert client.get_run(stray.info.run_id).info.status == "KILLED"
    assert client.get_run(booted.version.run_id).info.status == "FINISHED"
    assert close_stray_runs(booted.registry, "made") == 0
    assert close_stray_runs(booted.registry, "unheard") == 0


def test_a_failed_candidate_is_a_failed_run(booted: Booted) -> None:
    """Why a candidate could not be fitted stands on its run."""
    failed = replace(booted.training.result.trials[0], metrics={}, failed="cannot be fitted")
    result = SearchResult(booted.training.result.winner, (failed,), ())
    other = booted.stream.model_copy(update={"name": "failing"})
    version = record(booted.registry, other, replace(booted.training, result=result))
    client = booted.registry.client()
    experiment = client.get_experiment_by_name("trueup-failing")
    nested = [r for r in client.search_runs([experiment.experiment_id]) if r.info.run_id != version.run_id]
    assert [(run.info.status, run.data.tags["failed"]) for run in nested] == [("FAILED", "cannot be fitted")]


@pytest.mark.parametrize("damage", ["gone", "cut", "empty", "foreign"])
def test_a_registered_version_that_cannot_be_loaded_is_unusable(booted: Booted, damage: str, tmp_path: Path) -> None:
    """Lost, truncated, emptied or foreign files are ModelUnusable with what to do, never "no champion"."""
    other = booted.stream.model_copy(update={"name": f"damaged-{damage}"})
    record(booted.registry, other, booted.training)
    booted.registry.set_alias(other.name, CHAMPION, 1)
    file = next((booted.registry.artifact_root / other.name).rglob("model.skops"))
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:5000])
    elif damage == "empty":
        file.write_bytes(b"")
    else:
        with zipfile.ZipFile(file) as old:
            held = {name: old.read(name) for name in old.namelist()}
        held["schema.json"] = held["schema.json"].replace(b"plain_text", b"other_text")
        with zipfile.ZipFile(file, "w") as new:
            for name, data in held.items():
                new.writestr(name, data)
    assert booted.registry.alias(other.name, CHAMPION) == 1
    with pytest.raises(ModelUnusable):
        booted.registry.load(other.name, 1)
    with pytest.raises(ModelUnusable, match="cannot be loaded"):
        booted.registry.load(other.name, 7)


def test_only_our_own_types_and_the_teams_are_built_from_a_file() -> None:
    """A type of a foreign package is refused; one of a package that the settings name is not."""
    with pytest.raises(ModelUnusable, match=r"os\.system"):
        trusted(["sklearn.tree._tree.Tree", "os.system"], ())
    assert trusted(["mypackage.models.Net"], ("mypackage",)) == ["mypackage.models.Net"]
    with pytest.raises(ModelUnusable):
        trusted(["mypackage_of_someone_else.Net"], ("mypackage",))


def test_a_registry_that_cannot_be_reached_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer fails the work with its address, without the password in it."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    registry = Registry("http://user:secret@127.0.0.1:9", tmp_path / "models")
    with pytest.raises(TrueupError, match=r"at http://127\.0\.0\.1:9 cannot be reached") as raised:
        registry.alias("made", CHAMPION)
    assert not isinstance(raised.value, ModelUnusable)
    assert "secret" not in str(raised.value).split("cannot be used")[0]


def test_two_processes_may_make_the_same_store_at_once(tmp_path: Path) -> None:
    """MLflow's migrations destroy a SQLite file that two run at once; the lock lets one go first."""
    code = (
        "from pathlib import Path; from trueup.training.registry.registry import Registry\n"
        f"r = Registry('', Path({str(tmp_path)!r}) / 'models'); print(r.versions('made'))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert [out.strip() for out, _ in said] == ["()", "()"], said
