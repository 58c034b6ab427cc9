"""What fails around a cycle is tried again; it costs no check, no challenger and no promotion."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tests.made_deployments import TRAINED, WEEK
from trueup.flows.app import App
from trueup.flows.cycle import steps as cycle_steps
from trueup.flows.cycle.run import run_cycle
from trueup.storage.errors import ModelUnusable, NotTrainable, StoreUnusable, TimeRefused, TrueupError
from trueup.storage.tables import versions

AS_OF = TRAINED + WEEK
LATER = AS_OF + timedelta(days=2)


def failing(error: Exception) -> Any:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    return fail


@pytest.mark.slow
def test_a_registry_that_fails_in_training_is_no_refusal(breaking: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step stays undone and nothing is written down; when the registry is back the challenger is promoted."""
    from mlflow.exceptions import MlflowException

    stream = breaking.stream("reviews")
    with monkeypatch.context() as broken:
        broken.setattr("trueup.training.registry.tracking._store_model", failing(MlflowException("the server is away")))
        with pytest.raises(TrueupError, match="could not be written to the model registry"):
            run_cycle(breaking, stream, AS_OF)
    left = breaking.cycles.find("reviews", AS_OF)
    assert left
    assert (left.state, list(left.steps)) == ("running", ["score", "probation", "check", "decide"])
    assert [p.kind for p in breaking.promotions.history("reviews")] == ["first"]
    assert run_cycle(breaking, stream, AS_OF)["promotion"] == {"from_version": 1, "to_version": 2}


@pytest.mark.parametrize(
    "error",
    [NotTrainable("too few labels"), pytest.param(ModelUnusable("it gives no answers"), marks=pytest.mark.slow)],
)
def test_what_cannot_be_learnt_from_is_a_refusal(
    breaking: App, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """It is written down with its reason, so that cooldown and the same cause's bound on labels hold."""
    monkeypatch.setattr("trueup.training.search.search", failing(error))
    done = run_cycle(breaking, breaking.stream("reviews"), AS_OF)
    assert done["decision"]["action"] == "retrain"
    attempt = breaking.promotions.history("reviews")[0]
    assert (attempt.state, attempt.to_version, attempt.why) == ("refused", None, str(error))
    assert "refused" in [a["kind"] for a in done["alerts"]]


def cut_short(app: App, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Leave the cycle at AS_OF behind, with `step` undone."""
    with monkeypatch.context() as broken:
        broken.setattr("trueup.flows.cycle.steps." + step, failing(StoreUnusable("the archive is away")))
        with pytest.raises(StoreUnusable):
            run_cycle(app, app.stream("reviews"), AS_OF)


@pytest.mark.slow
@pytest.mark.parametrize("step", ["history_of", "hold_reason", "commit"])
def test_an_older_cycle_is_finished_not_given_up(
    breaking: App, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """While the fault lasts nothing newer runs; then the older cycle's breach leads to its promotion all the same."""
    stream = breaking.stream("reviews")
    cut_short(breaking, monkeypatch, step)
    with monkeypatch.context() as broken:
        broken.setattr("trueup.flows.cycle.steps." + step, failing(StoreUnusable("the archive is away")))
        with pytest.raises(StoreUnusable):
            run_cycle(breaking, stream, LATER)
    left = breaking.cycles.find("reviews", AS_OF)
    assert left
    assert left.state == "running"
    assert breaking.cycles.find("reviews", LATER) is None
    assert run_cycle(breaking, stream, LATER)["champion"] == 2
    older = run_cycle(breaking, stream, AS_OF)
    assert older["repeated"]
    assert older["promotion"] == {"from_version": 1, "to_version": 2}


@pytest.mark.slow
@pytest.mark.parametrize(("step", "counted"), [("history_of", []), ("commit", [AS_OF])])
def test_a_cycle_whose_time_has_passed_is_abandoned(
    breaking: App, monkeypatch: pytest.MonkeyPatch, step: str, counted: list[Any]
) -> None:
    """A champion that knows more than the cycle does ends it: its promotion with it, and a check not concluded from."""
    stream = breaking.stream("reviews")
    cut_short(breaking, monkeypatch, step)
    with breaking.database.write() as connection:
        connection.execute(sa.update(versions).values(cut_off=AS_OF + timedelta(hours=1)))
    run_cycle(breaking, stream, LATER)
    left = breaking.cycles.find("reviews", AS_OF)
    assert left
    assert left.state == "abandoned"
    assert [c.as_of for c in breaking.cycles.counted_checks("reviews")] == counted
    assert breaking.promotions.undone("reviews") == []
    with pytest.raises(TimeRefused):
        run_cycle(breaking, stream, AS_OF)


@pytest.mark.slow
def test_an_abandoned_cycle_does_not_rewind_time(breaking: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for again after a newer one has checked it is refused like any other time of the past."""
    stream = breaking.stream("reviews")
    with monkeypatch.context() as broken:
        broken.setattr("trueup.training.registry.registry.Registry.load", failing(ModelUnusable("its file is torn")))
        with pytest.raises(ModelUnusable):
            run_cycle(breaking, stream, AS_OF)
    assert run_cycle(breaking, stream, LATER)["check"]["counted"]
    with pytest.raises(TimeRefused, match=r"before the last cycle that checked|up to which champion"):
        run_cycle(breaking, stream, AS_OF)
    left = breaking.cycles.find("reviews", AS_OF)
    assert left
    assert left.state == "abandoned"


@pytest.mark.slow
def test_what_nobody_foresaw_is_told_once_and_stands_in_the_way_three_times(
    breaking: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain message, one alert, and after three tries the poisoned cycle is set aside so that newer ones run."""
    stream, true_measure = breaking.stream("reviews"), cycle_steps.measure_window

    def poisoned(app: App, stream: Any, champion: Any, seen: Any, **ways: Any) -> Any:
        if seen.comparison.as_of == AS_OF:
            raise KeyError("poison")
        return true_measure(app, stream, champion, seen, **ways)

    monkeypatch.setattr(cycle_steps, "measure_window", poisoned)
    for as_of in (AS_OF, LATER):
        with pytest.raises(TrueupError, match=r"unexpected reason.* KeyError: 'poison', in test_failing_steps"):
            run_cycle(breaking, stream, as_of)
    assert [i.cause for i in breaking.incidents.open_ones("reviews")] == ["cycle"]
    assert [a.kind for a in breaking.outbox.newest("reviews")].count("failure") == 1
    done = run_cycle(breaking, stream, LATER)
    assert done["check"]["counted"]
    assert "cycle" not in [i.cause for i in breaking.incidents.open_ones("reviews")]
    closed = next(a for a in breaking.outbox.of_cycle(done["cycle_id"]) if a.kind == "incident_resolved")
    assert closed.facts
    assert closed.facts["why"] == "a cycle finished again"
    assert closed.state == "sent"
    left = breaking.cycles.find("reviews", AS_OF)
    assert left
    assert left.state == "abandoned"


@pytest.mark.slow
def test_a_registry_that_is_away_is_told_of(breaking: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even before a cycle begins: status 1, one alert, and nothing is counted against the cycle."""
    stream = breaking.stream("reviews")
    with monkeypatch.context() as broken:
        broken.setattr("trueup.training.registry.registry.Registry.alias", failing(TrueupError("the registry is away")))
        for _ in range(4):
            with pytest.raises(TrueupError, match="the registry is away"):
                run_cycle(breaking, stream, AS_OF)
    assert [a.kind for a in breaking.outbox.newest("reviews")].count("failure") == 1
    run_cycle(breaking, stream, AS_OF)
    assert "cycle" not in [i.cause for i in breaking.incidents.open_ones("reviews")]


@pytest.mark.slow
@pytest.mark.parametrize("error", [OSError(28, "no space left"), OperationalError("", {}, Exception("locked"))])
def test_an_outage_sets_nothing_aside(breaking: App, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """A full disk or a store that is away passes: however often it fails, the older cycle is gone on with."""
    stream = breaking.stream("reviews")
    with monkeypatch.context() as broken:
        broken.setattr(cycle_steps, "measure_window", failing(error))
        for hour in range(4):
            with pytest.raises(TrueupError, match="The system or the store reported"):
                run_cycle(breaking, stream, AS_OF + timedelta(hours=hour))
    run_cycle(breaking, stream, AS_OF + timedelta(hours=4))
    left = breaking.cycles.find("reviews", AS_OF)
    assert left
    assert left.state == "finished"


def test_stray_runs_of_a_registry_that_is_away_are_a_plain_failure(
    breaking: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow's own exceptions end as ours, which leave the cycle to be tried again."""
    from mlflow.exceptions import MlflowException

    monkeypatch.setattr("mlflow.MlflowClient.get_experiment_by_name", failing(MlflowException("away")))
    with pytest.raises(TrueupError, match="failed on the runs that a killed training"):
        run_cycle(breaking, breaking.stream("reviews"), AS_OF)
