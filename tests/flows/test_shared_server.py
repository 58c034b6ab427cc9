"""Two deployments on one MLflow server: a name has one owner, and a prefix gives each deployment names of its own."""

from __future__ import annotations

import dataclasses
import shutil
import socket
from pathlib import Path

import pytest

from tests.flows.test_commands import Shell
from tests.made_deployments import ONE_CANDIDATE, TRAINED, deployed
from tests.mlflow_server import MlflowForTests, tracking
from trueup.flows.app import open_app
from trueup.flows.check.champion import champion_of
from trueup.storage.errors import ModelUnusable

AS_OF = f"{TRAINED:%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def first(whole_deployment: Path, mlflow_for_tests: MlflowForTests) -> Shell:
    """A deployment whose names on the server begin with `shop-`, trained."""
    shell = Shell(whole_deployment)
    file = shell.folder / "trueup.toml"
    kept, _, _ = file.read_text().partition("\n[tracking]")
    file.write_text(kept + tracking(mlflow_for_tests.url))
    return shell


def test_a_prefix_begins_the_names_in_mlflow(first: Shell, mlflow_for_tests: MlflowForTests) -> None:
    """Of the registered model and of the experiment; trueup's own commands know the stream by its plain name."""
    app = open_app(first.folder / "trueup.toml", first.folder / ".trueup")
    client = app.registry.client()
    assert client.get_registered_model("shop-reviews").aliases == {"champion": "1"}
    assert client.get_experiment_by_name("shop-trueup-reviews") is not None
    app.close()
    assert first("models verify -s reviews").document["problems"] == []
    assert first("models list -s reviews").document["champion"] == 1


def test_a_name_that_another_deployment_owns_is_refused_with_what_to_set(
    first: Shell, mlflow_for_tests: MlflowForTests, tmp_path: Path
) -> None:
    """Before anything is trained or changed; the other one goes on."""
    deployed(tmp_path / "second", more=ONE_CANDIDATE + tracking(mlflow_for_tests.url)).close()
    second = Shell(tmp_path / "second")
    for words in (f"train -s reviews --as-of {AS_OF}", "check -s reviews", "cycle -s reviews"):
        said = second(words, status=1).document["error"]
        assert f"Another deployment (home {_host()}:{first.folder / '.trueup'}) owns the registered model" in said
        assert "set prefix = " in said
        assert "mlflow.db" not in said
    (stream,) = second("status").document["streams"]
    assert any("owns the registered model 'shop-reviews'" in note for note in stream["notes"])
    assert [v["version"] for v in first("models list -s reviews").document["versions"]] == [1]
    text = (second.folder / "trueup.toml").read_text()
    (second.folder / "trueup.toml").write_text(text.replace('prefix = "shop-"', 'prefix = "second-"'))
    assert second("models list -s reviews").document["versions"] == []
    assert "no champion" in second("check -s reviews", status=2).document["error"]


def test_a_copy_that_was_adopted_goes_on_under_the_same_names(
    first: Shell, mlflow_for_tests: MlflowForTests, tmp_path: Path
) -> None:
    """It knows the versions, so the name is its own as well: that was decided by a person."""
    copy = Shell(Path(shutil.copytree(first.folder, tmp_path / "copy")))
    assert copy(f"train -s reviews --as-of {AS_OF}", status=2).document["error"].startswith("This home is a copy")
    copy("adopt --why 'a second worker'")
    assert copy("status").document["streams"][0]["notes"] == []
    copy("predict -s reviews")


def test_a_lost_store_of_the_owner_is_not_taken_for_another_deployment(
    first: Shell, mlflow_for_tests: MlflowForTests, tmp_path: Path
) -> None:
    """The home still says who it is; the message is the one about the store."""
    app = open_app(first.folder / "trueup.toml", first.folder / ".trueup")
    lost = dataclasses.replace(app, home=tmp_path / "empty")
    lost.home.mkdir()
    with pytest.raises(ModelUnusable, match="which the store does not know"):
        champion_of(lost, lost.stream("reviews"))
    lost.close()
    app.close()


def _host() -> str:
    return socket.gethostname()
