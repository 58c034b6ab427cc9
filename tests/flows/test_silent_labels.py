"""Labels stop while records go on: a cycle tells people so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pandas as pd

from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, with_champion
from trueup.feedback.intake import ingest
from trueup.flows.app import App
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.strategies import Strategies
from trueup.flows.demo.reviews import HEALTHY, make_reviews
from trueup.flows.replay.policies import no_artifacts, no_report

UNATTENDED = Strategies(draw=no_report, artifacts=no_artifacts)


def _take_in(app: App, folder: Path, rows: pd.DataFrame) -> None:
    file = folder / "more.csv"
    rows.to_csv(file, index=False)
    ingest(app.store, app.stream("reviews"), [str(file)], now=app.now())


def test_labels_that_stop_are_an_incident_with_a_mail(tmp_path: Path) -> None:
    """Eleven weeks with labels, two without: DQ-LABELS breaches, its incident opens, and one mail says so in words."""
    app = with_champion(tmp_path, more=ONE_CANDIDATE)
    rows = make_reviews(5, TRAINED, 13 * WEEK.days, 1300, HEALTHY)
    late = pd.to_datetime(rows["at"], utc=True) > TRAINED + 11 * WEEK
    rows["stars"] = rows["stars"].astype("object").where(~late, None)
    _take_in(app, tmp_path, rows)
    done = run_cycle(app, app.stream("reviews"), TRAINED + 13 * WEEK + timedelta(hours=1), strategies=UNATTENDED)
    assert "DQ-LABELS" in {s["code"] for s in done["check"]["signals"] if s["verdict"] == "breached"}
    assert "feed" in [i.cause for i in app.incidents.open_ones("reviews")]
    mails = [a for a in app.outbox.newest("reviews") if "label" in a.subject.lower()]
    assert len(mails) == 1
    app.close()
