"""Output never fails: in an encoding that lacks a character, closed, on a full disk, or with a reader that left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = '[streams.r]\ntime = "at"\ntext = ["Bewertung – 评论"]\n'
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def trueup(folder: Path, words: str, end: str = "", **variables: str) -> subprocess.CompletedProcess[bytes]:
    """A command in a shell, with what the shell does to its output."""
    (folder / "trueup.toml").write_text(SETTINGS, encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHONIO", "PYTHONUTF8"))}
    line = f'"{sys.executable}" -m trueup.flows.cli.main {words} {end}'
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=folder, env={**environment, **variables}, capture_output=True
    )


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        ("predict –评论.csv", C_LOCALE),
        pytest.param("status --json", {"PYTHONIOENCODING": "latin-1"}, marks=pytest.mark.slow),
        pytest.param("status", C_LOCALE, marks=pytest.mark.slow),
    ],
)
def test_what_a_terminal_cannot_draw_ends_no_command(tmp_path: Path, words: str, variables: dict[str, str]) -> None:
    """A dash or a Chinese character on a Latin-1 or ASCII terminal is no error, and JSON stays whole."""
    done = trueup(tmp_path, words, **variables)
    assert done.returncode == (0 if "status" in words else 2)
    assert b"Traceback" not in done.stderr
    assert b"UnicodeEncodeError" not in done.stderr
    if "--json" in words:
        json.loads(done.stdout)


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ("status", "| true"),
        *(pytest.param(*how, marks=pytest.mark.slow)
          for how in (("status --json", ">&-"), ("status", "<&- >&- 2>&-"), ("status --json", "> /dev/full"))),
    ],
)
def test_nobody_need_read_to_the_end(tmp_path: Path, words: str, end: str) -> None:
    """A closed or full output, or a reader that leaves, ends in no traceback."""
    said = trueup(tmp_path, words, end).stderr
    assert b"Traceback" not in said
    assert b"Exception ignored" not in said
