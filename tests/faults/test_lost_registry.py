"""A champion that the registry lost, or a registry that was replaced, is never "no champion"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.made_deployments import TRAINED, WEEK, plain_mail
from trueup.flows.app import App, open_app
from trueup.flows.check.champion import champion_of
from trueup.flows.check.predict import predict_newest
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.promote.manual import promote_by_hand, roll_back
from trueup.storage.errors import ModelUnusable, StoreUnusable
from trueup.storage.leases import hold

AS_OF = TRAINED + WEEK


def alias_dropped(app: App) -> None:
    app.registry.drop_alias("reviews", "champion")


def version_deleted(app: App) -> None:
    app.registry.client().delete_model_version("reviews", "1")


def database_gone(app: App) -> None:
    for file in app.home.glob("mlflow.db*"):
        file.unlink()


@pytest.mark.parametrize("lose", [alias_dropped, version_deleted, database_gone])
def test_a_lost_champion_is_not_replaced_by_a_first(breaking: App, lose: Callable[[App], None]) -> None:
    """A cycle fails with one alert that names the version and the way back; nothing is trained or promoted.

    The way is to name the version again only where the registry still holds it.
    """
    lose(breaking)
    way = "promote --to 1 --force" if lose is alias_dropped else r"Restore .*holds no version of 'reviews'.*begin anew"
    stream = breaking.stream("reviews")
    versions = len(breaking.registry.versions("reviews"))
    for day in range(2):
        with pytest.raises(ModelUnusable, match=f"lost the champion of 'reviews', v1.*{way}"):
            run_cycle(breaking, stream, AS_OF.replace(hour=day))
    with pytest.raises(ModelUnusable, match="lost the champion"):
        train_now(breaking, stream, AS_OF)
    with pytest.raises(ModelUnusable, match="lost the champion"):
        predict_newest(breaking, stream)
    with pytest.raises(ModelUnusable, match="lost the champion"):
        roll_back(breaking, stream, None, "worse")
    assert len(breaking.registry.versions("reviews")) == versions
    assert [p.kind for p in breaking.promotions.history("reviews")] == ["first"]
    mails = [a for a in breaking.outbox.newest("reviews") if a.kind == "failure"]
    assert len(mails) == 1
    assert "v1" in plain_mail(breaking, mails[0])


@pytest.mark.slow
def test_a_person_puts_a_lost_champion_back(breaking: App) -> None:
    """What the message names works, and the next cycle resolves the incident; the drift that it met is answered."""
    stream = breaking.stream("reviews")
    alias_dropped(breaking)
    with pytest.raises(ModelUnusable):
        run_cycle(breaking, stream, AS_OF)
    promote_by_hand(breaking, stream, 1, "the alias was lost", force=True)
    assert champion_of(breaking, stream).version == 1
    assert run_cycle(breaking, stream, AS_OF)["champion"] == 1
    known = breaking.incidents.newest("reviews")
    assert [incident.cause for incident in known if incident.resolved_at] == ["champion"]
    (drifted,) = (incident for incident in known if "DRF-TEXT" in incident.codes)  # with the drop that it came with
    assert drifted.outcome == "answered"


def test_a_registry_that_counts_from_one_again_is_refused(breaking: App) -> None:
    """A number that the store knows of another run is not taken for that run."""
    known = breaking.promotions.version("reviews", 1)
    assert known
    with hold(breaking.database, "reviews") as lease:
        breaking.promotions.add_version(lease, known)
        with pytest.raises(StoreUnusable, match="counts from 1 again"):
            breaking.promotions.add_version(lease, replace(known, run_id="another"))
    assert breaking.promotions.version("reviews", 1) == known


def test_a_lost_store_says_how_to_begin_anew(breaking: App) -> None:
    """A champion that the store does not know is judged by nothing; the advice does not lead back to the refusal."""
    breaking.close()
    for file in breaking.home.glob("trueup.db*"):
        file.unlink()
    app = open_app(breaking.config, breaking.home)
    with pytest.raises(ModelUnusable, match=r"move mlflow.db and mlflow/ aside.*records in again.*trueup train"):
        train_now(app, app.stream("reviews"), AS_OF)
    assert [v.number for v in app.registry.versions("reviews")] == [1]
    app.close()
