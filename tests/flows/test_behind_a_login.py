"""An MLflow server that asks for a login: a training under it, its refusal in one line, and no word of the password."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.test_commands import Shell
from tests.made_deployments import TRAINED, WEEK
from tests.mlflow_server import LOGIN, NAME, PASSWORD, MlflowForTests, tracking
from trueup.flows.app import open_app
from trueup.flows.cycle.run import run_cycle
from trueup.storage import secrets
from trueup.storage.errors import TrueupError

AS_OF = f"{TRAINED:%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture(autouse=True)
def no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_known", set())
    for name in LOGIN:
        monkeypatch.setenv(name, "")  # what a command sets is taken back after the test
        monkeypatch.delenv(name)


@pytest.fixture
def trained(whole_deployment: Path) -> Shell:
    return Shell(whole_deployment)


def with_address(shell: Shell, address: str) -> None:
    file = shell.folder / "trueup.toml"
    kept, _, _ = file.read_text().partition("\n[tracking]")
    file.write_text(kept + tracking(address))


def test_a_training_under_mlflows_own_variables(
    trained: Shell, mlflow_for_tests: MlflowForTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its model is read back under them too, and is where the server keeps it."""
    mlflow_for_tests.is_now("login")
    with_address(trained, mlflow_for_tests.url)
    for name, value in zip(LOGIN, (NAME, PASSWORD), strict=True):
        monkeypatch.setenv(name, value)
    assert trained("models verify -s reviews").document["problems"] == []
    assert list((mlflow_for_tests.mood.parent / "kept").rglob("model.skops"))


def test_a_login_in_the_address_reads_models_too(trained: Shell, mlflow_for_tests: MlflowForTests) -> None:
    """MLflow itself drops the address's login where it reads artifacts."""
    mlflow_for_tests.is_now("login")
    with_address(trained, mlflow_for_tests.url.replace("://", f"://{NAME}:{PASSWORD.replace(' ', '%20')}@"))
    done = trained("models verify -s reviews")
    assert done.document["problems"] == []
    assert "sesame" not in done.out + done.err


def test_a_login_in_one_address_is_not_given_to_another_server(
    trained: Shell, mlflow_for_tests: MlflowForTests
) -> None:
    """Two deployments in one process: the second's server asks for a login, and gets none."""
    mlflow_for_tests.is_now("login")
    with_address(trained, mlflow_for_tests.url.replace("://", f"://{NAME}:{PASSWORD.replace(' ', '%20')}@"))
    trained("models list -s reviews")
    with_address(trained, mlflow_for_tests.url)
    assert "asks for a login" in trained("models list -s reviews", status=1).document["error"]


@pytest.mark.parametrize(("login", "told"), [("", "asks for a login"), ("ann:wr0ng-word@", "refuses the login")])
def test_a_refused_login_is_one_line_that_says_what_to_do(
    trained: Shell, mlflow_for_tests: MlflowForTests, login: str, told: str
) -> None:
    """Whatever the command; the password that was given stands nowhere."""
    mlflow_for_tests.is_now("login")
    with_address(trained, mlflow_for_tests.url.replace("://", f"://{login}"))
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
    with_address(trained, mlflow_for_tests.url.replace("://", f"://{NAME}:{PASSWORD.replace(' ', '%20')}@"))
    app = open_app(trained.folder / "trueup.toml", trained.folder / ".trueup")
    app.registry.client()
    mlflow_for_tests.is_now("tells")
    with pytest.raises(TrueupError, match=r"not \*\*\*") as failed:
        run_cycle(app, app.stream("reviews"), TRAINED + WEEK)
    (mail,) = app.alerts.alerts("reviews")[:1]
    for told in (mail.subject, mail.text, mail.html, str(failed.value), caplog.text):
        assert "sesame" not in told
    assert "not ***" in mail.text
    app.close()
    mlflow_for_tests.is_now("open")
    shown = trained("alerts list")
    assert mail.id in shown.out
    assert "sesame" not in shown.out + kept_mail(trained.folder)


def kept_mail(folder: Path) -> str:
    return "".join(file.read_text() for file in (folder / ".trueup" / "mail").rglob("*") if file.is_file())
