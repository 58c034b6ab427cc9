"""Decisions read all of a stream's history that they rest on, however long it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from trueup.flows.app import App, open_app
from trueup.flows.audit.history import history
from trueup.flows.cycle.steps import history_of
from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check, Signal, Verdict
from trueup.storage.incidents import Incident

START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 60  # of daily counted checks, each of which breached


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A stream with two months of counted checks of version 1, and after them as many of version 2."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "trueup.toml").write_text('[streams.r]\ntime = "at"\ntext = ["t"]\n')
    opened = open_app(folder / "trueup.toml")
    for k in range(2 * DAYS):
        _keep_check(opened, k, version=1 + k // DAYS)
    yield opened
    opened.close()


def _keep_check(app: App, k: int, version: int) -> None:
    at = START + timedelta(days=k)
    signal = Signal(code="DRF-TEXT", name="words", verdict=Verdict.BREACHED, said="Words changed.", value=0.5)
    document = Check(report_id=f"report{k}", counted=True, signals=(signal,)).as_json()
    app.cycles.keep_check(
        stream="r", cycle_id=None, as_of=at, version=version, last=(k, at), document=document, now=at
    )


@pytest.mark.parametrize(("as_of", "version"), [(DAYS, 1), (2 * DAYS, 2)])
def test_a_decision_sees_every_counted_check_of_its_champion(app: App, as_of: int, version: int) -> None:
    """All of two months count, also where the cycle speaks of a past day and newer checks of another version follow."""
    cycle = SimpleNamespace(id="c", as_of=START + timedelta(days=as_of))
    context: Any = SimpleNamespace(app=app, cycle=cycle, stream=app.stream("r"), paused="")
    assert len(history_of(context, version, 0).counted) == DAYS


def test_the_audit_trail_has_every_resumption_after_a_rollback(app: App) -> None:
    """More than a list of a hundred."""
    with app.database.write() as connection:
        for k in range(150):
            at = START + timedelta(days=k)
            incident = Incident(
                id=f"i{k}", stream="r", cause=str(Cause.ROLLBACK), causes=(str(Cause.ROLLBACK),), codes=(),
                severity="high", stem="r: back", thread=f"incident.i{k}@example.org", opened_at=at, resolved_at=at,
                resolved_by="somebody", resolved_why="fixed",
            )  # fmt: skip
            app.incidents.open(connection, incident)
    assert len(history(app, app.stream("r")).events) == 150


def test_no_decision_reads_a_fixed_number_of_rows() -> None:
    """Whoever asks for one row means the newest; any other bound is for lists that people page through."""
    whole = r"(?<!limit=None)(?<!limit=1)\)"
    capped = re.compile(r"\blimit=(?!None\b|1\b|limit\b)|\.(?:incidents|alerts|reports)\((?!\))[^()]*" + whole)
    rooms = [*Path("monitoring").rglob("*.py"), *Path("flows").rglob("*.py")]
    assert len(rooms) > 50
    lines = [(str(path), line) for path in rooms for line in path.read_text(encoding="utf-8").splitlines()]
    shown = ("flows/cli", "flows/site", "flows/serve/pages", "flows/check/page_facts", "flows/alert/situation")
    asked = [(path, line) for path, line in lines if not path.startswith(shown) and "concurrency" not in line.lower()]
    assert not [(path, line) for path, line in asked if capped.search(line)]
