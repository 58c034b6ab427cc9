"""A candidate for everybody is one line in a list: from there it is tried, registered, stored and loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made_deployments import TRAINED, with_champion
from tests.made_rows import make_stream
from trueup.flows.check.labels import snapshot_rows
from trueup.storage.stream import StreamSettings
from trueup.training.candidates import estimators
from trueup.training.candidates.estimators import FAMILIES, Estimator, Family
from trueup.training.candidates.recipes import candidates
from trueup.training.models.fitting import answer


def _dummy(hyper: dict[str, Any], stream: StreamSettings, seed: int) -> Any:
    from sklearn.naive_bayes import BernoulliNB

    return BernoulliNB(alpha=hyper["smoothing"])


DUMMY = Family(Estimator("dummy", _dummy), "classification", ((("smoothing", 0.5),),), ("bow",), ("all",))


def test_it_is_tried_beside_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """One recipe more, of its estimator; the others and their order stay."""
    stream = make_stream()
    before = candidates(stream)
    monkeypatch.setattr(estimators, "FAMILIES", (*FAMILIES, DUMMY))
    after = candidates(stream)
    (new,) = set(after) - set(before)
    assert (new.name, new.hyper) == ("dummy/bow/all", (("smoothing", 0.5),))
    assert tuple(recipe for recipe in after if recipe != new) == before


@pytest.mark.slow
def test_it_is_trained_registered_stored_and_loads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It becomes champion through the gate, and the stored model is its own and answers."""
    monkeypatch.setattr(estimators, "FAMILIES", (DUMMY,))
    app = with_champion(tmp_path)
    stream = app.stream("reviews")
    version = app.registry.version("reviews", 1)
    assert version.recipe.model == "dummy"
    model = app.registry.load("reviews", 1)
    assert "BernoulliNB" in repr(model)
    predicted, score = answer(model, stream, snapshot_rows(app, stream, TRAINED).features)
    assert set(predicted) == {"negative", "positive"}
    assert np.isfinite(score).all()
    app.close()
