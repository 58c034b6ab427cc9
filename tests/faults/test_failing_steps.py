"""What fails around a cycle is tried again; it costs no check, no challenger and no promotion."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from flows.app import App
from flows.cycle import run_cycle
from storage.errors import ModelUnusable, NotTrainable, TrueupError
from tests.made_deployments import TRAINED, WEEK

AS_OF = TRAINED + WEEK
LATER = AS_OF + timedelta(days=2)


def failing(error: Exception) -> Any:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    return fail


def test_a_registry_that_fails_in_training_is_no_refusal(breaking: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step stays undone and nothing is written down; when the registry is back the challenger is promoted."""
    from mlflow.exceptions import MlflowException

    stream = breaking.stream("reviews")
    with monkeypatch.context() as broken:
        broken.setattr("training.tracking._store_model", failing(MlflowException("the server is away")))
        with pytest.raises(TrueupError, match="could not be written to the model registry"):
            run_cycle(breaking, stream, AS_OF)
    left = breaking.cycles.find("reviews", AS_OF)
    assert left
    assert (left.state, list(left.steps)) == ("running", ["score", "check", "decide"])
    assert [p.kind for p in breaking.promotions.history("reviews")] == ["first"]
    assert run_cycle(breaking, stream, AS_OF)["promotion"] == {"from_version": 1, "to_version": 2}


@pytest.mark.parametrize("error", [NotTrainable("too few labels"), ModelUnusable("it gives no answers")])
def test_what_cannot_be_learnt_from_is_a_refusal(
    breaking: App, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """It is written down with its reason, so that cooldown and the same cause's bound on labels hold."""
    monkeypatch.setattr("training.search.search", failing(error))
    done = run_cycle(breaking, breaking.stream("reviews"), AS_OF)
    assert done["decision"]["action"] == "retrain"
    attempt = breaking.promotions.history("reviews")[0]
    assert (attempt.state, attempt.to_version, attempt.why) == ("refused", None, str(error))
    assert "refused" in [a["kind"] for a in done["alerts"]]
