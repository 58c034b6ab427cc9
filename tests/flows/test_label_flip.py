"""All labels turn round from one day on, and nobody is there to help."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, WINDOW, take_in, with_champion
from trueup.flows.check.labels import with_resolved_labels
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.strategies import Strategies
from trueup.flows.demo.reviews import HEALTHY, Regime
from trueup.flows.gate.evaluate import run_gate_in_process
from trueup.flows.replay.policies import no_artifacts, no_report
from trueup.monitoring.stats.metrics import metric

TURNED = Regime(label_flip=1.0)
RIGHT_FOR = 6  # weeks before the flip
UNATTENDED = Strategies(draw=no_report, artifacts=no_artifacts, judge=run_gate_in_process)


@pytest.mark.slow
def test_after_a_label_flip_the_loop_is_right_again_within_two_windows(tmp_path: Path) -> None:
    """The challenger of the flip's own window knows two worlds and is refused; that of the next takes over."""
    app = with_champion(tmp_path, more=ONE_CANDIDATE)
    stream = app.stream("reviews")
    flip = TRAINED + RIGHT_FOR * WEEK
    take_in(app, tmp_path, 2, TRAINED, flip - TRAINED, HEALTHY, RIGHT_FOR * WINDOW)
    assert run_cycle(app, stream, flip, strategies=UNATTENDED)["decision"]["action"] == "none"
    half = WEEK / 2
    take_in(app, tmp_path, 3, flip, half, HEALTHY, WINDOW // 2)
    take_in(app, tmp_path, 4, flip + half, half, TURNED, WINDOW // 2)
    cycles = [run_cycle(app, stream, flip + WEEK, strategies=UNATTENDED)]
    for week in range(1, 3):
        take_in(app, tmp_path, 4 + week, flip + week * WEEK, WEEK, TURNED, WINDOW)
        cycles.append(run_cycle(app, stream, flip + (week + 1) * WEEK, strategies=UNATTENDED))

    assert [done["decision"]["action"] for done in cycles[:2]] == ["retrain"] * 2
    assert [done["promotion"] is not None for done in cycles[:2]] == [False, True]
    version = cycles[1]["promotion"]["to_version"]
    met = app.reader.read(stream, after=flip + 2 * WEEK, as_of=flip + 3 * WEEK, version=version)
    met = with_resolved_labels(stream, met)
    app.close()
    met = met.take(met.labelled)
    truth, predicted = (met.meta[column].to_numpy() for column in ("label", "predicted"))
    found = metric("f1_macro", truth, predicted, np.full(len(met), np.nan), ("negative", "positive"))
    assert found is not None
    assert found > 0.75
