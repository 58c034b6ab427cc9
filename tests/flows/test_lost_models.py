"""Model files that were lost: each is found, and who changes the champion is told which versions can answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.test_commands import Shell
from tests.former_deployment import CHAMPION, PREVIOUS, unpacked
from trueup.flows.app import open_app


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(unpacked(tmp_path))


def lose(shell: Shell, version: int) -> None:
    """Remove the file of a version's model."""
    app = open_app(shell.folder / "trueup.toml", shell.folder / ".trueup")
    place = app.registry.client().get_model_version_download_uri("reviews", str(version))
    Path(place.removeprefix("file://"), "model.skops").unlink()
    app.close()


def drop_champion(shell: Shell) -> None:
    app = open_app(shell.folder / "trueup.toml", shell.folder / ".trueup")
    app.registry.drop_alias("reviews", "champion")
    app.close()


@pytest.mark.parametrize("version", [PREVIOUS, CHAMPION])
def test_verify_reads_every_kept_model(shell: Shell, version: int) -> None:
    """Also that of a version that is no champion, which a rollback would need."""
    lose(shell, version)
    (said,) = shell("models verify -s reviews", status=1).document["problems"]
    assert f"Version {version} of 'reviews' is registered but cannot be loaded" in said


@pytest.mark.parametrize("words", [f"models rollback --to {PREVIOUS}", f"models promote --to {PREVIOUS} --force"])
def test_who_cannot_answer_is_told_who_can(shell: Shell, words: str) -> None:
    """Before anything is changed."""
    lose(shell, PREVIOUS)
    said = shell(f"{words} -s reviews --why worse", status=1).document["error"]
    assert f"v{PREVIOUS} of 'reviews' cannot answer" in said
    assert f"Can answer: v{CHAMPION}" in said
    assert shell("status").document["streams"][0]["champion"] == CHAMPION


def test_a_lost_champion_whose_files_are_lost_has_a_way_back(shell: Shell) -> None:
    """The alias is gone and so are its files: each message leads on, and the last command named works."""
    lose(shell, CHAMPION)
    drop_champion(shell)
    first = shell("models rollback -s reviews --why lost", status=1).document["error"]
    second = shell(first.split("trueup ")[-1], status=1).document["error"]
    shell(second.split("trueup ")[-1])
    assert shell("status").document["streams"][0]["champion"] == PREVIOUS


def test_where_nothing_can_answer_only_a_backup_or_a_new_beginning_is_named(shell: Shell) -> None:
    """No command that cannot work; the one that is named is taken as soon as its words before it are followed."""
    lose(shell, CHAMPION)
    lose(shell, PREVIOUS)
    said = shell(f"models rollback --to {PREVIOUS} -s reviews --why lost", status=1).document["error"]
    assert "No other version can answer. Restore" in said
    assert "Without a backup, begin anew: move the home folder aside" in said
    (shell.folder / ".trueup").rename(shell.folder / "aside")
    assert "has 0 records" in shell(said.split("trueup ")[-1], status=1).document["error"]


@pytest.mark.parametrize("words", ["models rollback", "models promote --to 1 --force"])
def test_who_changes_the_champion_hears_first_which_versions_can_answer(shell: Shell, words: str) -> None:
    """On standard error before anything moves, and in the document."""
    lose(shell, CHAMPION)
    done = shell(f"{words} -s reviews --why worse")
    assert f"Can answer: v{PREVIOUS}." in done.err
    assert done.document["answerable"] == [PREVIOUS]
