"""An MLflow server that is up, slow, down or failing: no command waits for long, and what the store knows is shown."""

from __future__ import annotations

import json
import os
import shutil
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.flows.test_commands import Shell
from tests.made_deployments import HISTORY, TRAINED
from tests.mlflow_server import PASSWORD, TIMEOUT, MlflowForTests, tracking
from trueup.flows.cli.session import failing_plainly, show
from trueup.storage import secrets
from trueup.training.registry.mlflow_variables import prepare_mlflow
from trueup.training.registry.registry import Registry

LIMIT = 10.0  # seconds for a command
DAY_LATER = f"{TRAINED + timedelta(days=1):%Y-%m-%d}"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def trained(whole_deployment: Path, mlflow_for_tests: MlflowForTests) -> Shell:
    shell = Shell(whole_deployment)
    point(shell, mlflow_for_tests.url)
    return shell


def point(shell: Shell, address: str) -> None:
    file = shell.folder / "trueup.toml"
    kept, _, _ = file.read_text().partition("\n[tracking]")
    file.write_text(kept + tracking(address))


@pytest.fixture(params=["down", "fails", "slow"])
def silent(
    request: pytest.FixtureRequest, trained: Shell, mlflow_for_tests: MlflowForTests, monkeypatch: pytest.MonkeyPatch
) -> tuple[Shell, str]:
    """A deployment whose server does not answer, and what is said of that."""
    if request.param == "down":
        point(trained, NOWHERE)
        return trained, f"The MLflow server at {NOWHERE} cannot be reached"
    if request.param == "slow":
        monkeypatch.setenv(TIMEOUT, "1")  # a person may wait less than trueup would
    mlflow_for_tests.is_now(request.param)
    why = "fails (500)" if request.param == "fails" else "does not answer within 1 seconds"
    return trained, f"The MLflow server at {mlflow_for_tests.url} {why}"


def test_status_shows_what_the_store_knows(silent: tuple[Shell, str]) -> None:
    """With one line that says why the registry's side is missing."""
    shell, said = silent
    began = time.monotonic()
    (stream,) = shell("status").document["streams"]
    assert time.monotonic() - began < LIMIT
    assert (stream["champion"], stream["records"]) == (1, HISTORY)
    (note,) = stream["notes"]
    assert note.startswith(said)
    assert note.endswith("Shown is what the store knows.")
    assert "\n" not in note


def test_no_command_waits_for_a_silent_server(silent: tuple[Shell, str], tmp_path: Path) -> None:
    """Each ends within seconds, with one line and status 1; doctor names the server and goes on with the rest."""
    shell, said = Shell(Path(shutil.copytree(silent[0].folder, tmp_path / "copy"))), silent[1]
    if NOWHERE not in said:  # else it shares nothing, and is a deployment of its own by itself
        shell("adopt --why 'its failed cycles are of no other test'")
    for words in (f"cycle -s reviews --as-of {DAY_LATER}", "check -s reviews", "models list -s reviews"):
        began = time.monotonic()
        done = shell(words, status=1)
        assert time.monotonic() - began < LIMIT
        assert done.document["error"].startswith(said)
        assert done.err.count("\n") == 1
    began = time.monotonic()
    checks = {one["name"]: one for one in shell("doctor", status=1).document["checks"]}
    assert time.monotonic() - began < LIMIT
    assert checks["tracking"]["said"].startswith(said)
    assert not checks["champion reviews"]["ok"]
    assert checks["store"]["ok"]


def test_a_server_that_answers_has_no_note(trained: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status and doctor ask it; status without MLflow, whose import takes longer than all else that it does."""
    with monkeypatch.context() as patch:
        patch.setattr(Registry, "client", lambda self: pytest.fail("MLflow was imported"))
        (stream,) = trained("status").document["streams"]
    assert (stream["champion"], stream["notes"]) == (1, [])
    checks = {one["name"]: one for one in trained("doctor").document["checks"]}
    assert checks["tracking"]["ok"]


def test_a_server_that_falls_silent_within_a_command_is_waited_for_once(
    trained: Shell, mlflow_for_tests: MlflowForTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked after that fails at once, and nothing is said of models that need restoring."""
    from trueup.flows.app import open_app
    from trueup.storage.errors import ModelUnusable, TrueupError

    app = open_app(trained.folder / "trueup.toml", trained.folder / ".trueup")
    assert app.registry.alias("reviews", "champion") == 1
    mlflow_for_tests.is_now("slow")
    monkeypatch.setenv(TIMEOUT, "1")
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(TrueupError, match="does not answer within 1 seconds") as failed:
            app.registry.load("reviews", 1)
        assert not isinstance(failed.value, ModelUnusable)
    assert time.monotonic() - began < 5.0
    app.close()


def test_a_training_leaves_one_document_and_no_line_of_mlflows(whole_deployment: Path) -> None:
    """MLflow tells the address of each run on standard output."""
    out, err = ((whole_deployment / name).read_text() for name in ("train.out", "train.err"))
    assert json.loads(out)["version"] == 1
    assert "View run" not in out + err
    assert PASSWORD not in out + err


def test_what_others_print_is_no_answer(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A library or a team's own candidate prints amid a command: it is told aside, without passwords."""
    monkeypatch.setattr(secrets, "_known", {"open sesame"})
    with failing_plainly(True):
        print("run at http://ann:hunter22@mlflow, open sesame")
        show(True, {"answer": 1})
        print("\x1b[31mred")
    told = capsys.readouterr()
    assert json.loads(told.out) == {"answer": 1}
    assert told.err == "run at http://ann:***@mlflow, ***\n\\x1b[31mred\n"


def test_the_limits_are_ours_unless_a_person_set_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request and all that MLflow tries of it again end within ten seconds."""
    names = (TIMEOUT, "MLFLOW_HTTP_REQUEST_MAX_RETRIES")
    for name in names:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    prepare_mlflow()
    timeout, retries = (int(os.environ[name]) for name in names)
    assert timeout * (retries + 1) <= LIMIT
    monkeypatch.setenv(TIMEOUT, "77")
    prepare_mlflow()
    assert os.environ[TIMEOUT] == "77"
