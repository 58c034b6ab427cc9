"""A version leads back to its rows, the check and decision that asked for it, its code, packages, seed and settings."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, WINDOW, about_to_break
from tests.made_rows import make_stream
from trueup.flows.app import App
from trueup.flows.cycle.run import run_cycle
from trueup.flows.train.lineage import changed_settings, git_commit, settings_of, stream_when_trained
from trueup.storage import snapshots
from trueup.training.artifacts import run_artifacts
from trueup.training.artifacts.run_artifacts import pictures


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[App, dict[str, Any]]:
    """A deployment after the cycle that met a new regime and trained v2, with its pictures."""
    app = about_to_break(tmp_path_factory.mktemp("lineage"), more=ONE_CANDIDATE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_artifacts, "pictures", pictures)
        return app, run_cycle(app, app.stream("reviews"), TRAINED + WEEK)


def artifact(app: App, run_id: str, path: str) -> str:
    import mlflow

    app.registry.client()
    return Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=path)).read_text()


def test_a_version_names_what_it_came_of(broken: tuple[App, dict[str, Any]]) -> None:
    """Rows, check, windows, codes, reasons and seed, in the store and the same in MLflow."""
    app, done = broken
    record = app.promotions.version("reviews", 2)
    assert record
    found = record.document["lineage"]
    rows = snapshots.load(app.archive, found["snapshot"]["file"], regression=False)
    assert (found["snapshot"]["rows"], found["snapshot"]["labels"]) == (len(rows), rows.labelled.sum())
    asked = found["asked"]
    assert (asked["cycle_id"], asked["report_id"]) == (done["cycle_id"], done["check"]["report_id"])
    assert asked["codes"]
    assert asked["reasons"] == done["decision"]["reasons"]
    window = asked["windows"]["current"]
    assert (window["rows"], window["first_time"]) == (WINDOW, done["check"]["first_time"])
    assert asked["windows"]["reference"]["rows"] == 1000
    assert found["seed"] == record.document["seed"]
    assert json.loads(artifact(app, record.run_id, "lineage/lineage.json")) == found
    tags = app.registry.version("reviews", 2).tags
    assert (tags["trueup.report"], tags["trueup.seed"]) == (asked["report_id"], str(found["seed"]))


def test_run_and_version_say_in_words_what_they_are(broken: tuple[App, dict[str, Any]]) -> None:
    """The name has day, occasion, version and candidate; the description why, and the way to check and incident."""
    app, done = broken
    record = app.promotions.version("reviews", 2)
    assert record
    client = app.registry.client()
    assert client.get_run(record.run_id).info.run_name == "2024-02-07 retrain → v2 plain"
    said = client.get_model_version("reviews", "2").description
    assert said == client.get_run(record.run_id).data.tags["mlflow.note.content"]
    assert f"`trueup reports open {done['check']['report_id']}`" in said
    assert "`trueup alerts list --stream reviews`" in said
    assert "labelled of" in said


def test_the_page_of_the_training_is_one_file(broken: tuple[App, dict[str, Any]]) -> None:
    """It says what came of it, why, and what was tried, and shows the pictures without asking anybody for them."""
    app, done = broken
    record = app.promotions.version("reviews", 2)
    assert record
    page = artifact(app, record.run_id, "training.html")
    assert "reviews, retrain of 2024-02-07" in page
    assert f"trueup reports open {done['check']['report_id']}" in page
    assert 'src="data:image/png;base64,' in page
    assert not re.search(r'(src|href)="(?!data:|#)', page)


def test_the_champion_has_a_run_with_a_point_for_the_counted_check(broken: tuple[App, dict[str, Any]]) -> None:
    """It stands at the time of the check, for the version that was checked; asked for again nothing is added."""
    app, _ = broken
    client = app.registry.client()
    experiment = client.get_experiment_by_name("trueup-reviews")
    for _ in range(2):
        (run,) = client.search_runs([experiment.experiment_id], "tags.`trueup.production` = 'v1 2024'")
        (point,) = client.get_metric_history(run.info.run_id, "production/f1_macro")
        assert datetime.fromtimestamp(point.timestamp / 1000, UTC) == TRAINED + WEEK
        run_cycle(app, app.stream("reviews"), TRAINED + WEEK)


def test_all_installed_packages_are_kept(broken: tuple[App, dict[str, Any]]) -> None:
    """A requirements file of exact versions, also of what no model runs on."""
    app, _ = broken
    record = app.promotions.version("reviews", 2)
    assert record
    lines = artifact(app, record.run_id, "lineage/requirements.txt").splitlines()
    assert {"numpy", "prefect", "evidently"} <= {line.partition("==")[0] for line in lines}
    assert all(line.partition("==")[2] for line in lines)


def test_settings_are_kept_and_read_back_without_addresses(broken: tuple[App, dict[str, Any]]) -> None:
    """What a model hangs on is the same; people's addresses are in no artifact."""
    app, _ = broken
    stream, record = app.stream("reviews"), app.promotions.version("reviews", 2)
    assert record
    told = artifact(app, record.run_id, "lineage/settings.json")
    assert "oncall" not in told
    assert json.loads(told) == record.document["settings"]
    then = stream_when_trained(record)
    assert then
    assert changed_settings(then, stream) == []
    assert settings_of(then) == settings_of(stream)
    assert list(then.label.classes) == list(stream.label.classes)  # their order says which is the last


def test_the_pictures_lie_beside_the_run(broken: tuple[App, dict[str, Any]]) -> None:
    """Where MLflow's page of the run shows them; the table of errors is named as one."""
    app, _ = broken
    record = app.promotions.version("reviews", 2)
    assert record
    client = app.registry.client()
    names = {one.path for place in ("plots", "summary") for one in client.list_artifacts(record.run_id, place)}
    assert {"plots/confusion_matrix.png", "plots/top_words.png", "summary/snapshot.html"} <= names
    assert "error_examples.json" in client.get_run(record.run_id).data.tags["mlflow.loggedArtifacts"]
    assert json.loads(artifact(app, record.run_id, "error_examples.json"))["columns"][0] == "id"


def test_a_training_on_demand_was_asked_for_by_a_person(broken: tuple[App, dict[str, Any]]) -> None:
    """No check stands behind it, and it says who."""
    app, _ = broken
    record = app.promotions.version("reviews", 1)
    assert record
    asked = record.document["lineage"]["asked"]
    assert (asked["report_id"], asked["windows"]) == (None, None)
    assert asked["reasons"] == [f"{app.who} started it with `trueup train`."]


def test_other_settings_are_named_by_key() -> None:
    """Of nested tables too, and nothing that is the same."""
    assert changed_settings(make_stream(), make_stream(window=90)) == [
        {"key": "policy.window", "then": 200, "now": 90}
    ]


def test_a_folder_in_no_repository_has_no_commit(tmp_path: Path) -> None:
    """It is empty, not a failure."""
    assert git_commit(tmp_path) == ""
