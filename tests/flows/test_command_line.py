"""The command line as a whole: every command is found, helps, completes, and says which version it is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import trueup
from trueup.flows.cli.main import MODULES, cli, registered

MODULES_OF_COMMANDS = sorted(set(MODULES.values()))


def _paths(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    for name, below in getattr(command, "commands", {}).items():
        yield from _paths(below, (*words, name))


def test_every_registered_command_is_found() -> None:
    """The table of commands names what each module registers, no more and no less."""
    made = {name: module for module in MODULES_OF_COMMANDS for name in registered(module)}
    assert made == MODULES


@pytest.mark.parametrize("words", list(_paths(typer.main.get_command(cli))), ids=" ".join)
def test_h_is_help_everywhere(words: tuple[str, ...]) -> None:
    """`-h` and `--help` say the same of every command and group."""
    short, long = (CliRunner().invoke(cli, [*words, asked]) for asked in ("-h", "--help"))
    assert (short.exit_code, long.exit_code) == (0, 0)
    assert short.stdout == long.stdout
    assert "-h, --help" in short.stdout


def test_the_version_is_told() -> None:
    """By the command and in Python, as the installation has it."""
    assert CliRunner().invoke(cli, ["--version"]).stdout == f"trueup {version('trueup')}\n"
    assert trueup.__version__ == version("trueup")


def test_a_mistyped_command_is_guessed() -> None:
    """Although no command was loaded."""
    done = CliRunner().invoke(cli, ["statsu"])
    assert done.exit_code == 2
    assert "Did you mean 'status'?" in done.stderr


def _command(words: list[str], home: Path, **variables: str) -> str:
    program = "import sys; sys.argv[0] = 'trueup'; from trueup.flows.cli.main import main; main()"
    environment = {**os.environ, "HOME": str(home), "SHELL": "/bin/bash", **variables}
    done = subprocess.run(  # from a bash that lives on meanwhile: which shell it is, is looked for among the parents
        ["bash", "-c", '"$@"; exit $?', "bash", sys.executable, "-c", program, *words],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize(("typed", "offered"), [("trueup mod", ["models"]), ("trueup alerts s", ["show", "silence"])])
def test_a_shell_completes_commands(tmp_path: Path, typed: str, offered: list[str]) -> None:
    """What the shell asks by its script, bash here, is answered with the commands that begin so."""
    asked = {"_TRUEUP_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    assert _command([], tmp_path, **asked).split() == offered


def test_completion_is_shown_and_installed(tmp_path: Path) -> None:
    """The script can be looked at, and is installed into the person's own home folder alone."""
    shown = _command(["--show-completion", "bash"], tmp_path)
    assert "complete -o default -F _trueup_completion trueup" in shown
    assert list(tmp_path.iterdir()) == []
    _command(["--install-completion", "bash"], tmp_path)
    scripts = [file for file in tmp_path.rglob("*") if file.is_file() and "_trueup_completion" in file.read_text()]
    assert scripts
