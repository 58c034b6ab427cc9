"""Odd arguments of every kind end in words, never in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.flows.cli.main import cli

HUGE = "9" * 25
ODD_NUMBERS = (
    "quarantine list --limit {}", "models show {}", "models explain {}", "models promote --to {} --why x",
    "models rollback --to {} --why x", "train --reproduce {}", "serve --every {}", "replay x.csv --every {}",
)  # fmt: skip
ODD_TIMES = (
    "check --as-of {}", "cycle --as-of {}", "train --as-of {}", "alerts silence DQ-VOLUME --until {} --why x",
    "replay x.csv --start {}",
)  # fmt: skip
ODD_NAMES = (
    "ingest {}", "feedback {}", "predict {}", "reports show {}", "reports export {}", "quarantine show {}",
    "quarantine release {}", "alerts show {}", "alerts ack {}", "check --stream {}", "init --from {}",
)  # fmt: skip
WORDS = [
    *(form.format(number) for form in ODD_NUMBERS for number in (HUGE, f"-{HUGE}", "-1", "nan", "1e300")),
    *(form.format(time) for form in ODD_TIMES for time in ("0000-01-01", "9999-12-31", f"{HUGE}d", "1e9", "2024-2-30")),
    *(form.format(name) for form in ODD_NAMES for name in ("%", ".", "/dev/null", "no\x1bsuch", "\udcff")),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment without records."""
    made = tmp_path_factory.mktemp("odd")
    (made / "trueup.toml").write_text('[streams.r]\ntime = "at"\ntext = ["content"]\n')
    return made


@pytest.mark.parametrize("words", WORDS)
def test_odd_arguments_are_refused_in_words(
    folder: Path, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A number, a time or a name that cannot be meant: status 1 or 2, with a reason."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "500")
    with pytest.raises(SystemExit) as ended:
        cli(words.split())
    assert ended.value.code in (1, 2)
    assert capsys.readouterr().err.strip()
