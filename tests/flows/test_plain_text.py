"""A terminal shows what outsiders wrote, and obeys none of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

import trueup
from trueup.flows.cli.main import cli
from trueup.flows.cli.session import show
from trueup.reports.tables import table
from trueup.storage.escaping import for_terminal

HOSTILE = "[red]x[/red] [/a] \x1b[2J\x1b]0;t\x07 \x9b31m \u202egnp.exe \u2066 :smile: \r\b"


@given(st.text())
def test_any_text_is_written_out(text: str) -> None:
    """Nothing a terminal would obey is left but tabs and line ends; cleaning twice changes nothing more."""
    cleaned = for_terminal(text)
    assert all(c in "\t\n" or (ord(c) >= 32 and not 127 <= ord(c) < 160) for c in cleaned)
    assert not set(cleaned) & set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\ufeff")
    assert for_terminal(cleaned) == cleaned
    cleaned.encode("utf-8")


def test_every_form_of_output_shows_a_hostile_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines, texts, titles, headers and cells: no control character, no markup taken for a style, no emoji code."""
    shown = [HOSTILE, Text(HOSTILE), table(HOSTILE, ("id", HOSTILE), [(HOSTILE, 1)]), table(HOSTILE, ("a",), [])]
    show(False, {}, *shown)
    said = capsys.readouterr().out
    assert not set(said) & set("\x1b\x07\x9b\u202e\u2066\r\b")
    assert said.count("[red]x[/red] [/a]") >= 4
    assert ":smile:" in said


def test_a_hostile_file_says_what_became_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file's name, its ids and values are shown by ingest, by quarantine and in errors as what they are."""
    name = "d[.a] [red]\x1b[31m\u202e.csv"
    (tmp_path / "trueup.toml").write_text('[streams.r]\nid = "id"\ntime = "at"\ntext = ["content"]\n')
    (tmp_path / name).write_text("id,at,content\n1,2026-01-01,x\n[b]\x1b[1m\u202e,never \x1b[2J,x\n", encoding="utf-8")
    config = ["--config", str(tmp_path / "trueup.toml")]
    said = [_said(capsys, "ingest", str(tmp_path / name), *config), _said(capsys, "ingest", f"no {name}", *config)]
    said.append(_said(capsys, "quarantine", "list", *config))
    with trueup.open(tmp_path / "trueup.toml") as deployment:
        (item,) = deployment.stream("r").quarantine.list()
    said.append(_said(capsys, "quarantine", "show", item.id, *config))
    assert "1 quarantined" in said[0]
    for text in said:
        assert not set(text) & set("\x1b\u202e")
    for text in said[1:]:
        assert "[red]" in text


def _said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit):
        cli(list(words))
    captured = capsys.readouterr()
    return captured.out + captured.err
