"""A paused stream is looked at and not acted on, from the very moment of the pause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.test_failing_steps import failing
from tests.flows.test_commands import Shell
from tests.made_deployments import BROKEN, TRAINED, WEEK, take_in
from trueup.flows.admin.pause import set_paused
from trueup.flows.app import App
from trueup.flows.cycle.document import outcome
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.steps import Step
from trueup.storage.errors import ModelUnusable

AS_OF = TRAINED + WEEK


def aliases(app: App) -> dict[str, int | None]:
    return {alias: app.registry.alias("reviews", alias) for alias in ("champion", "challenger")}


@pytest.mark.slow
def test_a_paused_stream_is_scored_checked_and_left_alone(breaking: App) -> None:
    """No mail, incident or model; the decision, `status` and the history say who paused it; resumed it acts again."""
    stream, shell = breaking.stream("reviews"), Shell(breaking.home.parent)
    before = len(breaking.outbox.newest("reviews"))
    assert shell("pause -s reviews --why 'the shop moves'").document["paused"] is True
    assert shell("pause -s reviews --why again").document == {"stream": "reviews", "paused": True, "event_id": None}
    done = run_cycle(breaking, stream, AS_OF)
    assert done["scored"] == 400
    assert done["check"]["counted"]
    assert done["decision"]["action"] == "none"
    assert done["decision"]["codes"]
    assert f"by {breaking.who}: the shop moves" in done["decision"]["reasons"][0]
    assert (done["training"], done["alerts"], outcome(done)) == (None, [], "paused, no action")
    assert len(breaking.outbox.newest("reviews")) == before
    assert breaking.incidents.newest("reviews") == []
    standing = shell("status").document["streams"][0]
    assert standing["paused"]["why"] == "the shop moves"
    assert "paused since" in standing["notes"][0]

    assert shell("resume -s reviews --why moved").document["paused"] is False
    assert shell("status").document["streams"][0]["paused"] is None
    events = shell("models history -s reviews").document["events"]
    assert [(e["kind"], e["why"]) for e in events[:2]] == [("resume", "moved"), ("pause", "the shop moves")]
    take_in(breaking, breaking.home.parent, 3, AS_OF, WEEK, BROKEN)
    assert run_cycle(breaking, stream, AS_OF + WEEK)["promotion"] == {"from_version": 1, "to_version": 2}


def test_a_pause_needs_a_reason(breaking: App) -> None:
    """Status 2, and the stream goes on."""
    assert "--why is empty" in Shell(breaking.home.parent)("pause -s reviews --why ' '", status=2).err
    assert breaking.pauses.current("reviews") is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "state"),
    [("train", None), *(pytest.param(before, "held", marks=pytest.mark.slow) for before in ("gate", "promote"))],
)
def test_a_cycle_under_way_stops_acting(breaking: App, before: str, state: str | None) -> None:
    """Paused before the step: nothing is promoted or told of, and what passed waits for a person."""
    stream = breaking.stream("reviews")

    def pausing(step: Step, work: Callable[[], None]) -> None:
        if step.name == before:
            set_paused(breaking, stream, "wait", paused=True)
        work()

    done = run_cycle(breaking, stream, AS_OF, run_step=pausing)
    assert done["promotion"] is None
    assert aliases(breaking) == {"champion": 1, "challenger": 2 if state else None}
    attempt = breaking.promotions.history("reviews")[0]
    assert attempt.state == (state or "committed")
    assert {a["kind"] for a in done["alerts"]} == {"incident_opened"}
    if state:
        assert "v2 passed the gate and waits" in done["decision"]["reasons"][-1]
        promoted = Shell(breaking.home.parent)("models promote --to 2 -s reviews --why 'figures are good'")
        assert promoted.document["to_version"] == 2


def test_a_paused_stream_does_not_write_of_its_failures(breaking: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 1 all the same; resumed it tells."""
    stream = breaking.stream("reviews")
    monkeypatch.setattr("trueup.training.registry.registry.Registry.load", failing(ModelUnusable("its file is torn")))
    set_paused(breaking, stream, "MLflow moves", paused=True)
    told: list[Any] = []
    for paused in (True, False):
        set_paused(breaking, stream, "MLflow moves", paused=paused)
        with pytest.raises(ModelUnusable):
            run_cycle(breaking, stream, AS_OF)
        told.append([i.cause for i in breaking.incidents.open_ones("reviews")])
    assert told == [[], ["champion"]]
