"""Who did it: the audit trail tells what trueup did by itself from what a person typed."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, about_to_break, deployed
from trueup.flows.audit.history import history
from trueup.flows.cycle.run import run_cycle
from trueup.storage.actors import SCHEDULE, account


@pytest.mark.slow
def test_what_a_cycle_does_is_not_done_by_an_account(tmp_path: Path) -> None:
    """The first champion that a person trained is theirs; the challenger that a cycle promotes is the schedule's."""
    app = about_to_break(tmp_path, more=ONE_CANDIDATE)
    stream = app.stream("reviews")
    run_cycle(app, stream, TRAINED + WEEK)
    newest, first = history(app, stream).events
    assert newest["who"] == SCHEDULE
    assert first["who"] == account() == app.who
    app.close()


def test_a_first_champion_of_a_cycle_is_the_schedules(tmp_path: Path) -> None:
    """Also where the policy trained it because there was none."""
    app = deployed(tmp_path, more=ONE_CANDIDATE)
    stream = app.stream("reviews")
    run_cycle(app, stream, TRAINED)
    (only,) = history(app, stream).events
    assert only["who"] == SCHEDULE
    app.close()


def test_by_sudo_it_is_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not root, as whom the command runs."""
    monkeypatch.setenv("SUDO_USER", "ann")
    assert account() == "ann"
    monkeypatch.delenv("SUDO_USER")
    assert account() == getpass.getuser()
