"""A column's unit changes by a factor of a hundred: a person is asked first, and nothing is promoted by itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.flows.test_commands import Shell
from tests.made_deployments import ONE_CANDIDATE, START, plain_mail
from trueup.feedback.intake import ingest
from trueup.flows.app import open_app
from trueup.flows.cycle.run import run_cycle
from trueup.flows.replay.policies import REPLAYED

SETTINGS = """
[streams.reviews]
id = "id"
time = "at"
numeric = ["x", "z"]

[streams.reviews.label]
column = "y"

[streams.reviews.policy]
window = 300
min_labels = 100
probation = 0
"""
HISTORY, WINDOW, EACH = 1200, 300, timedelta(minutes=10)


def table(first: int, rows: int, factor: float) -> pd.DataFrame:
    """Rows from the `first` on, ten minutes apart; by `x` the label is told, which comes `factor` times as large."""
    rng = np.random.default_rng(first)
    x, z = rng.normal(1.0, 1.0, rows), rng.normal(size=rows)
    label = np.where(x + 0.5 * z + 0.4 * rng.normal(size=rows) > 1.0, "yes", "no")
    at = [(START + (first + k) * EACH).isoformat() for k in range(rows)]
    return pd.DataFrame({"id": range(first, first + rows), "at": at, "x": x * factor, "z": z, "y": label})


@pytest.fixture(scope="module")
def hundredfold(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A cycle over a window whose `x` is a hundred times as large; what it said, mailed and left to a person."""
    folder: Path = tmp_path_factory.mktemp("unit")
    (folder / "trueup.toml").write_text(SETTINGS + ONE_CANDIDATE)
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    stream = app.stream("reviews")
    found: dict[str, Any] = {}
    for first, rows, factor in ((0, HISTORY, 1.0), (HISTORY, WINDOW, 100.0)):
        file = folder / f"{first}.csv"
        table(first, rows, factor).to_csv(file, index=False)
        ingest(app.store, stream, [str(file)], now=app.now())
        found = run_cycle(app, stream, START + (first + rows) * EACH, strategies=REPLAYED)
    found["champion"] = app.registry.alias("reviews", "champion")
    found["mails"] = {alert.kind: plain_mail(app, alert) for alert in app.outbox.newest("reviews")}
    found["explained"] = Shell(folder)("models explain -s reviews").document
    app.close()
    return found


@pytest.mark.slow
def test_a_change_of_unit_is_told_as_that_and_its_challenger_waits(hundredfold: dict[str, Any]) -> None:
    """x100 in one column: "looks like a change of unit"; the challenger passed all else and is held by GATE-UNIT."""
    (signal,) = [s for s in hundredfold["check"]["signals"] if s["code"] == "DRF-IN-x"]
    assert signal["said"].startswith("The unit of column 'x' has probably changed (× 100)")
    assert hundredfold["decision"]["action"] == "retrain"
    assert [t["code"] for t in hundredfold["gate"]["tests"] if not t["passed"]] == ["GATE-UNIT"]
    assert hundredfold["gate"]["passed"]
    assert (hundredfold["promotion"], hundredfold["champion"]) == (None, 1)


def test_the_mails_ask_a_person_first(hundredfold: dict[str, Any]) -> None:
    """One message says what looks changed, until when to decide, and the command."""
    opened, waits = hundredfold["mails"]["incident_opened"], hundredfold["mails"]["approval"]
    assert opened == waits
    assert "The unit of column 'x' has probably changed (× 100)" in waits
    assert "holds it for a person" in waits
    assert "Ask the source of 'x' by " in waits
    assert "trueup models promote --to 2 --stream reviews" in waits
    (told,) = [other for other in hundredfold["explained"]["others"] if other["version"] == 2]
    assert told["state"] == "held"
    assert told["needed"][0].startswith("GATE-UNIT: the unit of column 'x' (× 100) has probably changed")
