"""A workspace for Evidently's UI that is handed on: personal data in it is masked where that is asked for."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests import made_checks
from tests.made_checks import SIGNALS, store_check
from trueup.flows.admin.evidently_workspace import export_workspace
from trueup.flows.app import open_app

pytestmark = pytest.mark.whole_reports

ADDRESS = "ann@example.org"


def test_a_workspace_is_masked_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In figures, signals and Evidently's own plots; a run that was written unmasked is written again."""
    monkeypatch.setattr(made_checks, "EVIL", f"write to {ADDRESS} or call 030 1234567")
    monkeypatch.setattr(made_checks, "SIGNALS", (replace(SIGNALS[0], said=f"More of '{ADDRESS}'."), *SIGNALS[1:]))
    made_checks.hostile_report.cache_clear()
    (tmp_path / "trueup.toml").write_text('[streams.reviews]\nid = "id"\ntime = "at"\ntext = ["content"]\n')
    with closing(open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")) as app:
        store_check(app, "reviews", 0)
        made_checks.hostile_report.cache_clear()
        (plain,) = export_workspace(app, ["reviews"], tmp_path / "ws")
        assert ADDRESS in written(tmp_path / "ws")
        (masked,) = export_workspace(app, ["reviews"], tmp_path / "ws", mask=True)
    assert (plain.without_plots, masked.written, masked.without_plots) == (0, 1, 0)
    assert ADDRESS not in written(tmp_path / "ws")
    assert "[address]" in written(tmp_path / "ws")


def written(folder: Path) -> str:
    return "".join(file.read_text() for file in folder.rglob("*.json"))
