"""A process that lost its lease writes nothing more: no answer, no version, no alias."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from tests.made_deployments import TRAINED, WEEK
from trueup.flows.app import App
from trueup.flows.cycle.run import run_cycle
from trueup.storage.errors import LeaseHeld
from trueup.storage.tables import leases

pytestmark = pytest.mark.slow

AS_OF = TRAINED + WEEK


def lost_after(app: App, work: Callable[..., Any]) -> Callable[..., Any]:
    """The same work, at whose end another process has taken the lease over."""

    def then_lost(*args: Any, **kwargs: Any) -> Any:
        done = work(*args, **kwargs)
        with app.database.write() as connection:
            connection.execute(sa.update(leases).values(token="another"))
        return done

    return then_lost


def standing(app: App) -> dict[str, Any]:
    """What a late writer could have changed."""
    return {
        "answered": int(app.reader.read(app.stream("reviews"), as_of=AS_OF, version=1).meta["predicted"].notna().sum()),
        "registered": [v.number for v in app.registry.versions("reviews")],
        "versions": [v.version for v in app.promotions.versions("reviews")],
        "challenger": app.registry.alias("reviews", "challenger"),
        "champion": app.registry.alias("reviews", "champion"),
    }


UNTOUCHED = {"answered": 0, "registered": [1], "versions": [1], "challenger": None, "champion": 1}
SCORED = UNTOUCHED | {"answered": 400}


@pytest.mark.parametrize(
    ("module", "name", "after"),
    [
        ("trueup.training.evaluation.head_to_head", "model_predictor", UNTOUCHED),
        pytest.param("trueup.training.search", "search", SCORED, marks=pytest.mark.slow),
        ("trueup.training.registry.tracking", "record", SCORED | {"registered": [2, 1]}),
        pytest.param(
            "trueup.flows.cycle.steps", "train_version", SCORED | {"registered": [2, 1], "versions": [2, 1]},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_nothing_is_written_without_the_lease(
    breaking: App, monkeypatch: pytest.MonkeyPatch, module: str, name: str, after: dict[str, Any]
) -> None:
    """Taken over while it scored, searched, registered or before it named the challenger; the next run goes on."""
    import importlib

    with monkeypatch.context() as broken:
        work = getattr(importlib.import_module(module), name)
        broken.setattr(f"{module}.{name}", lost_after(breaking, work))
        with pytest.raises(LeaseHeld):
            run_cycle(breaking, breaking.stream("reviews"), AS_OF)
    assert standing(breaking) == after
    with breaking.database.write() as connection:
        connection.execute(sa.delete(leases))
    assert run_cycle(breaking, breaking.stream("reviews"), AS_OF)["promotion"] == {"from_version": 1, "to_version": 2}
    assert standing(breaking)["registered"] == [2, 1]
