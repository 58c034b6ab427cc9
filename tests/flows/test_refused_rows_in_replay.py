"""Refused rows in replayed time: a past day knows what was refused by then, though all was taken in long after."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, WINDOW, with_champion
from trueup.feedback.intake import ingest
from trueup.flows.check.champion import champion_of
from trueup.flows.check.comparison import compare_window
from trueup.flows.demo.reviews import HEALTHY, make_reviews
from trueup.monitoring.check import Verdict
from trueup.monitoring.signals.measure import measure


def test_refused_rows_of_a_past_week_are_counted_in_it(tmp_path: Path) -> None:
    """A sixth of a week's rows lost their text: DQ-QUARANTINE breaches at its end, and is quiet the week before."""
    app = with_champion(tmp_path, more=ONE_CANDIDATE)
    stream = app.stream("reviews")
    for week in (0, 1):
        rows = make_reviews(20 + week, TRAINED + week * WEEK, 7, WINDOW, HEALTHY)
        if week == 1:
            rows.loc[np.random.default_rng(1).random(len(rows)) < 1 / 6, "text"] = ""
        file = tmp_path / f"week{week}.csv"
        rows.to_csv(file, index=False)
        ingest(app.store, stream, [str(file)], now=app.now())
    verdicts = []
    for week in (1, 2):
        compared = compare_window(app, stream, champion_of(app, stream), TRAINED + week * WEEK)
        signals, _ = measure(stream, compared.comparison)
        verdicts.append(next(s.verdict for s in signals if s.code == "DQ-QUARANTINE"))
    assert verdicts == [Verdict.OK, Verdict.BREACHED]
    app.close()
