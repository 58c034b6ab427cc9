"""A stream whose first training fails does not look well."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.flows.test_commands import Shell
from tests.made_deployments import HEALTHY, ONE_CANDIDATE, SETTINGS, START, TRAINED, WEEK, WINDOW, plain_mail, take_in
from trueup.flows.app import open_app
from trueup.flows.cycle.run import run_cycle


def test_a_first_training_that_fails_is_told_of_until_there_is_a_champion(tmp_path: Path) -> None:
    """One mail; `status` and `doctor` say why; the incident resolves with the first champion."""
    (tmp_path / "trueup.toml").write_text(SETTINGS.format(window=WINDOW) + ONE_CANDIDATE)
    app = open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")
    stream, shell = app.stream("reviews"), Shell(tmp_path)
    assert shell("status").document["streams"][0]["notes"] == []
    take_in(app, tmp_path, 1, START, WEEK, HEALTHY, 60)
    for days in (7, 8):
        done = run_cycle(app, stream, START + timedelta(days=days))
        assert done["promotion"] is None
    assert [a.kind for a in app.outbox.newest("reviews")] == ["no_champion"]
    assert "labelled training rows, 50 needed" in plain_mail(app, app.outbox.newest("reviews")[0])
    (note,) = shell("status").document["streams"][0]["notes"]
    assert note.startswith("no champion: ")
    assert "labelled training rows" in note
    finding = next(f for f in shell("doctor", status=1).document["checks"] if f["name"] == "champion reviews")
    assert "labelled training rows" in finding["said"]
    take_in(app, tmp_path, 2, START + WEEK, TRAINED - START - WEEK, HEALTHY, 1000)
    assert run_cycle(app, stream, TRAINED)["promotion"] == {"from_version": None, "to_version": 1}
    assert app.incidents.open_ones("reviews") == []
    closed = next(a for a in app.outbox.newest("reviews") if a.kind == "incident_resolved")
    assert closed.subject.startswith("[CLOSED]")
    assert "the stream has a champion" in plain_mail(app, closed)
    assert shell("status").document["streams"][0]["notes"] == []
    shell("doctor")
