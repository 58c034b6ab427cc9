"""`trueup train` killed after its version was registered makes no second one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.made_deployments import HEALTHY, ONE_CANDIDATE, TRAINED, WEEK, deployed, take_in
from trueup.flows.admin.pause import set_paused
from trueup.flows.app import App
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.train_on_demand import train_now
from trueup.training.registry.tracking import PARENT

pytestmark = pytest.mark.slow

AS_OF = TRAINED + WEEK
PLACES = [
    "trueup.storage.promotions.PromotionLog.add_version",  # MLflow has the version, the store not
    # both have it, nobody judged it
    pytest.param("trueup.flows.cycle.train_on_demand.name_challenger", marks=pytest.mark.slow),
    pytest.param("trueup.storage.promotions.PromotionLog.add", marks=pytest.mark.slow),  # judged, and not written down
]


class Killed(BaseException):
    """Stands for the end of the process."""


def killed(*args: Any, **kwargs: Any) -> Any:
    raise Killed


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_training_is_gone_on_with(breaking: App, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Asked for again, a while later, it takes the version it had registered through the gate."""
    stream = breaking.stream("reviews")
    with monkeypatch.context() as broken:
        broken.setattr(place, killed)
        with pytest.raises(Killed):
            train_now(breaking, stream, AS_OF)
    done = train_now(breaking, stream, AS_OF + timedelta(minutes=5))
    assert done["promotion"] == {"from_version": 1, "to_version": 2}
    assert [v.number for v in breaking.registry.versions("reviews")] == [2, 1]
    assert train_now(breaking, stream, AS_OF + timedelta(minutes=6))["version"] == 3


def test_a_cycle_that_trains_nothing_closes_the_runs(breaking: App) -> None:
    """The open run of a killed training and the open one nested in it are KILLED by a cycle, paused or not."""
    client, stream = breaking.registry.client(), breaking.stream("reviews")
    experiment = client.get_experiment_by_name("trueup-reviews").experiment_id
    parent = client.create_run(experiment).info.run_id
    nested = client.create_run(experiment, tags={PARENT: parent}).info.run_id
    set_paused(breaking, stream, "no training here", paused=True)
    assert run_cycle(breaking, stream, AS_OF)["training"] is None
    assert [client.get_run(run).info.status for run in (parent, nested)] == ["KILLED", "KILLED"]


def test_newer_records_ask_for_a_new_version(breaking: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was trained before they came does not answer for them."""
    stream = breaking.stream("reviews")
    with monkeypatch.context() as broken:
        broken.setattr("trueup.flows.cycle.train_on_demand.name_challenger", killed)
        with pytest.raises(Killed):
            train_now(breaking, stream, AS_OF)
    take_in(breaking, breaking.home.parent, 3, AS_OF, WEEK, HEALTHY)
    assert train_now(breaking, stream, AS_OF + WEEK)["version"] == 3


def test_what_is_registered_keeps_its_recipe(breaking: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that comes to another winner the second time, as under a time limit, does not speak for the model."""
    from trueup.training.search import search

    stream = breaking.stream("reviews")
    with monkeypatch.context() as broken:
        broken.setattr(PLACES[0], killed)
        with pytest.raises(Killed):
            train_now(breaking, stream, AS_OF)
    registered = breaking.registry.version("reviews", 2).recipe

    def another(*args: Any, **kwargs: Any) -> Any:
        found = search(*args, **kwargs)
        return replace(found, winner=replace(found.winner, history="newest" if registered.history == "all" else "all"))

    monkeypatch.setattr("trueup.training.search.search", another)
    done = train_now(breaking, stream, AS_OF)
    assert done["recipe"] == registered.params()
    assert done["promotion"] == {"from_version": 1, "to_version": 2}


def test_what_is_registered_stays_refitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that was changed before the training was gone on with does not speak for the model either."""
    app = deployed(tmp_path, more=f"{ONE_CANDIDATE}refit_below = 100000\n")
    stream = app.stream("reviews")
    with monkeypatch.context() as broken:
        broken.setattr(PLACES[0], killed)
        with pytest.raises(Killed):
            train_now(app, stream, TRAINED)
    never = stream.model_copy(update={"training": stream.training.model_copy(update={"refit_below": 0})})
    assert train_now(app, never, TRAINED)["promotion"] == {"from_version": None, "to_version": 1}
    record = app.promotions.version("reviews", 1)
    assert record is not None
    assert record.refit_labels > record.document["labels"]
    app.close()
