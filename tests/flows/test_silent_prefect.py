"""A trainer's deployment whose Prefect does not answer: what its client says is told, and nobody waits for ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.made_deployments import deployed
from tests.made_trainers import FIRST, SECOND, open_one
from trueup.flows.app import App
from trueup.flows.cycle.run import run_cycle
from trueup.monitoring.causes import Cause

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # Prefect's client takes its time to give up
TRAINER = """
[streams.reviews.training]
candidates = []
[streams.reviews.training.trainer]
deployment = "train/reviews"
grace = "1s"
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setenv("PREFECT_API_URL", "http://ada:not-for-mails@127.0.0.1:9/api")
    made = deployed(tmp_path, more=TRAINER)
    yield made
    made.close()


def test_what_keeps_prefect_from_answering_is_told(app: App) -> None:
    """The cycle ends all the same, with the client's words and without its login; in the end it was not asked."""
    stream = app.stream("reviews")
    assert run_cycle(app, stream, FIRST)["trainer"]["state"] == "asked"
    told = run_cycle(app, stream, SECOND)["trainer"]
    assert told["state"] == "open"
    assert "Prefect does not answer, so nobody knows how far it is: ConnectError: " in told["said"]
    assert "not-for-mails" not in told["said"]
    past = open_one(app).deadline + timedelta(hours=1)
    done = run_cycle(replace(app, clock=lambda: past), stream, SECOND + timedelta(hours=1))
    assert "could not be asked within 1h, since Prefect did not answer" in done["trainer"]["said"]
    assert [i.cause for i in app.incidents.open_ones("reviews")] == [Cause.TRAINER]
