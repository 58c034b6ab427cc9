"""A real MLflow server: behind a login, shared by two deployments, and slow, down or failing."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.flows.test_commands import Shell
from tests.made_deployments import HISTORY, ONE_CANDIDATE, TRAINED, WEEK, deployed, plain_mail
from tests.mlflow_server import (
    LOGIN,
    NAME,
    PASSWORD,
    PATIENT,
    TIMEOUT,
    MlflowForTests,
    start,
    tracking,
    trained_under_login,
)
from trueup.flows.app import open_app
from trueup.flows.check.champion import champion_of
from trueup.flows.cli.session import failing_plainly, show
from trueup.flows.cycle.run import run_cycle
from trueup.storage import secrets
from trueup.storage.errors import ModelUnusable, TrueupError
from trueup.training.registry.mlflow_variables import prepare_mlflow
from trueup.training.registry.registry import Registry

pytestmark = pytest.mark.server

AS_OF = f"{TRAINED:%Y-%m-%dT%H:%M:%SZ}"
LIMIT = 10.0  # seconds for a command
DAY_LATER = f"{TRAINED + timedelta(days=1):%Y-%m-%d}"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def whole_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowForTests]:
    """One server for all tests."""
    server, end = start(tmp_path_factory.mktemp("mlflow-server"))
    yield server
    end()


@pytest.fixture(scope="module")
def whole_deployment(whole_mlflow: MlflowForTests, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment that was trained on the server by the command, under MLflow's own variables for the login."""
    return trained_under_login(whole_mlflow, tmp_path_factory.mktemp("on-a-server"))


@pytest.fixture
def mlflow_for_tests(whole_mlflow: MlflowForTests, monkeypatch: pytest.MonkeyPatch) -> MlflowForTests:
    """The server, open to all until the test says otherwise."""
    monkeypatch.setenv(TIMEOUT, PATIENT)
    whole_mlflow.is_now("open")
    return whole_mlflow


@pytest.fixture
def trained(whole_deployment: Path, mlflow_for_tests: MlflowForTests) -> Shell:
    """The deployment, its settings as it was trained with."""
    shell = Shell(whole_deployment)
    point(shell, mlflow_for_tests.url)
    return shell


def point(shell: Shell, address: str) -> None:
    """Let the deployment look for its server there."""
    file = shell.folder / "trueup.toml"
    kept, _, _ = file.read_text().partition("\n[tracking]")
    file.write_text(kept + tracking(address))


@pytest.fixture(autouse=True)
def no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_known", set())
    for name in LOGIN:
        monkeypatch.setenv(name, "")  # what a command sets is taken back after the test
        monkeypatch.delenv(name)


# ---- behind a login ----


@pytest.mark.slow
def test_a_training_under_mlflows_own_variables(
    trained: Shell, mlflow_for_tests: MlflowForTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its model is read back under them too, and is where the server keeps it."""
    mlflow_for_tests.is_now("login")
    point(trained, mlflow_for_tests.url)
    for name, value in zip(LOGIN, (NAME, PASSWORD), strict=True):
        monkeypatch.setenv(name, value)
    assert trained("models verify -s reviews").document["problems"] == []
    assert list((mlflow_for_tests.mood.parent / "kept").rglob("model.skops"))


def test_a_login_in_the_address_reads_models_too(trained: Shell, mlflow_for_tests: MlflowForTests) -> None:
    """MLflow itself drops the address's login where it reads artifacts."""
    mlflow_for_tests.is_now("login")
    point(trained, mlflow_for_tests.url.replace("://", f"://{NAME}:{PASSWORD.replace(' ', '%20')}@"))
    done = trained("models verify -s reviews")
    assert done.document["problems"] == []
    assert "sesame" not in done.out + done.err


def test_a_login_in_one_address_is_not_given_to_another_server(
    trained: Shell, mlflow_for_tests: MlflowForTests
) -> None:
    """Two deployments in one process: the second's server asks for a login, and gets none."""
    mlflow_for_tests.is_now("login")
    point(trained, mlflow_for_tests.url.replace("://", f"://{NAME}:{PASSWORD.replace(' ', '%20')}@"))
    trained("models list -s reviews")
    point(trained, mlflow_for_tests.url)
    assert "asks for a login" in trained("models list -s reviews", status=1).document["error"]


@pytest.mark.parametrize(("login", "told"), [("", "asks for a login"), ("ann:wr0ng-word@", "refuses the login")])
def test_a_refused_login_is_one_line_that_says_what_to_do(
    trained: Shell, mlflow_for_tests: MlflowForTests, login: str, told: str
) -> None:
    """Whatever the command; the password that was given stands nowhere."""
    mlflow_for_tests.is_now("login")
    point(trained, mlflow_for_tests.url.replace("://", f"://{login}"))
    for words in (f"train -s reviews --as-of {AS_OF}", "models list -s reviews", "check -s reviews"):
        done = trained(words, status=1)
        said = done.document["error"]
        assert f"at {mlflow_for_tests.url} {told}" in said
        assert "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in said
        assert done.err == f"trueup: {said}\n"
        assert "wr0ng" not in done.out + done.err


def test_what_the_server_says_of_the_password_reaches_no_mail_log_or_document(
    trained: Shell, mlflow_for_tests: MlflowForTests, caplog: pytest.LogCaptureFixture
) -> None:
    """A server names it in its own words; the failed cycle's mail, the logs and --json have stars there."""
    point(trained, mlflow_for_tests.url.replace("://", f"://{NAME}:{PASSWORD.replace(' ', '%20')}@"))
    app = open_app(trained.folder / "trueup.toml", trained.folder / ".trueup")
    app.registry.client()
    mlflow_for_tests.is_now("tells")
    with pytest.raises(TrueupError, match=r"not \*\*\*") as failed:
        run_cycle(app, app.stream("reviews"), TRAINED + WEEK)
    (mail,) = app.outbox.newest("reviews")[:1]
    for told in (mail.subject, plain_mail(app, mail), str(failed.value), caplog.text):
        assert "sesame" not in told
    assert "not ***" in plain_mail(app, mail)
    app.close()
    mlflow_for_tests.is_now("open")
    shown = trained("alerts list")
    assert mail.id in shown.out
    assert "sesame" not in shown.out + kept_mail(trained.folder)


def kept_mail(folder: Path) -> str:
    return "".join(file.read_text() for file in (folder / ".trueup" / "mail").rglob("*") if file.is_file())


# ---- shared by two deployments ----


def test_a_prefix_begins_the_names_in_mlflow(trained: Shell, mlflow_for_tests: MlflowForTests) -> None:
    """Of the registered model and of the experiment; trueup's own commands know the stream by its plain name."""
    app = open_app(trained.folder / "trueup.toml", trained.folder / ".trueup")
    client = app.registry.client()
    assert client.get_registered_model("shop-reviews").aliases == {"champion": "1"}
    assert client.get_experiment_by_name("shop-trueup-reviews") is not None
    app.close()
    assert trained("models verify -s reviews").document["problems"] == []
    assert trained("models list -s reviews").document["champion"] == 1


def test_a_name_that_another_deployment_owns_is_refused_with_what_to_set(
    trained: Shell, mlflow_for_tests: MlflowForTests, tmp_path: Path
) -> None:
    """Before anything is trained or changed; the other one goes on."""
    deployed(tmp_path / "second", more=ONE_CANDIDATE + tracking(mlflow_for_tests.url)).close()
    second = Shell(tmp_path / "second")
    owner = f"home {socket.gethostname()}:{trained.folder / '.trueup'}"
    for words in (f"train -s reviews --as-of {AS_OF}", "check -s reviews", "cycle -s reviews"):
        said = second(words, status=1).document["error"]
        assert f"Another deployment ({owner}) owns the registered model" in said
        assert "set prefix = " in said
        assert "mlflow.db" not in said
    (stream,) = second("status").document["streams"]
    assert any("owns the registered model 'shop-reviews'" in note for note in stream["notes"])
    assert [v["version"] for v in trained("models list -s reviews").document["versions"]] == [1]
    text = (second.folder / "trueup.toml").read_text()
    (second.folder / "trueup.toml").write_text(text.replace('prefix = "shop-"', 'prefix = "second-"'))
    assert second("models list -s reviews").document["versions"] == []
    assert "no champion" in second("check -s reviews", status=2).document["error"]


def test_a_copy_that_was_adopted_goes_on_under_the_same_names(
    trained: Shell, mlflow_for_tests: MlflowForTests, tmp_path: Path
) -> None:
    """It knows the versions, so the name is its own as well: that was decided by a person."""
    copy = Shell(Path(shutil.copytree(trained.folder, tmp_path / "copy")))
    assert copy(f"train -s reviews --as-of {AS_OF}", status=2).document["error"].startswith("This home is a copy")
    copy("adopt --why 'a second worker'")
    assert copy("status").document["streams"][0]["notes"] == []
    copy("predict -s reviews")


def test_a_lost_store_of_the_owner_is_not_taken_for_another_deployment(
    trained: Shell, mlflow_for_tests: MlflowForTests, tmp_path: Path
) -> None:
    """The home still says who it is; the message is the one about the store."""
    app = open_app(trained.folder / "trueup.toml", trained.folder / ".trueup")
    lost = dataclasses.replace(app, home=tmp_path / "empty")
    lost.home.mkdir()
    with pytest.raises(ModelUnusable, match="which the store does not know"):
        champion_of(lost, lost.stream("reviews"))
    lost.close()
    app.close()


# ---- slow, down or failing ----


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
