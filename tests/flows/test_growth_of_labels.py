"""A quiet stream whose labels have grown gets a challenger, and every place that tells of it says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, plain_mail, take_in, with_champion
from trueup.flows.audit.history import history
from trueup.flows.cycle.run import run_cycle
from trueup.flows.demo.reviews import HEALTHY
from trueup.flows.replay.policies import REPLAYED, without_gate
from trueup.reports.pages.check_words import done_in_words

SAID = "Retrained because labels have grown by 40 % (902 → 1,267), not because anything drifted."


def test_a_stream_that_only_grew_is_retrained_and_says_why(tmp_path: Path) -> None:
    """Cycle, audit trail, mail, page of the check and the run in MLflow tell of the growth, with its figures."""
    app = with_champion(tmp_path, more=ONE_CANDIDATE)
    kept = app.stream("reviews")
    policy = kept.policy.model_copy(update={"retrain_on": ("growth",), "growth": 0.4})
    stream = kept.model_copy(update={"policy": policy})
    take_in(app, tmp_path, 2, TRAINED, WEEK, HEALTHY)
    done = run_cycle(app, stream, TRAINED + WEEK, strategies=replace(REPLAYED, judge=without_gate))
    assert done["decision"]["growth"] == SAID
    assert done["promotion"] == {"from_version": 1, "to_version": 2}
    assert any(reason.startswith(SAID) for reason in done["decision"]["reasons"])
    [told] = [event for event in history(app, stream).events if event["to_version"] == 2]
    assert told["why"] == SAID
    assert SAID in next(plain_mail(app, notice) for notice in app.outbox.newest("reviews"))
    assert SAID in done_in_words(done)
    record = app.promotions.version("reviews", 2)
    assert record is not None
    assert SAID in record.document["lineage"]["asked"]["reasons"][-1]
    assert not app.incidents.open_ones("reviews")
