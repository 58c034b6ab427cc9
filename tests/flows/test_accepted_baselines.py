"""Accepting a window: what is noted, for which signals, and what cannot be accepted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, about_to_break
from trueup.flows.alert.accept_baseline import accept
from trueup.flows.cycle.run import run_cycle
from trueup.storage.errors import InputError


@pytest.mark.slow
def test_the_breaching_window_is_noted_for_its_input_signals(tmp_path: Path) -> None:
    """The records of the check that breached, under the champion in force; the next check compares with them."""
    app = about_to_break(tmp_path, more=ONE_CANDIDATE)
    held = app.stream("reviews")
    quiet = held.model_copy(update={"policy": held.policy.model_copy(update={"retrain_on": ()})})
    done = run_cycle(app, quiet, TRAINED + WEEK)
    drift = next(i for i in app.incidents.open_ones() if i.cause == "drift")
    made = {b.code: b for b in accept(app, drift.id, "the shop opened in another country")}
    assert "DRF-TEXT" in made
    assert made == app.baselines.accepted("reviews", 1)
    assert made["DRF-TEXT"].report_id == done["check"]["report_id"]
    assert TRAINED < made["DRF-TEXT"].first_time < made["DRF-TEXT"].last_time <= TRAINED + WEEK + timedelta(days=1)
    assert not {"DRF-SCORE", "DRF-CLASS", "PRF-METRIC"} & made.keys()
    assert app.baselines.accepted("reviews", 2) == {}
    for incident, why in ((drift.id, " "), ("nope", "x")):
        with pytest.raises(InputError):
            accept(app, incident, why)
    again = run_cycle(app, quiet, TRAINED + WEEK + timedelta(hours=1))
    text = next(x for x in again["check"]["signals"] if x["code"] == "DRF-TEXT")
    assert text["verdict"] == "ok"
    assert any("accepted as baseline: " in note and "DRF-TEXT" in note for note in again["check"]["notes"])
    others = [i for i in app.incidents.open_ones() if i.cause == "metric"]
    for incident in others:
        with pytest.raises(InputError, match="no baseline to accept"):
            accept(app, incident.id, "x")
    app.close()
