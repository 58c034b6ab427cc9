"""The example that fine-tunes begins at base weights, and each of its models answers by its own weights and code."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.made_deployments import deployed
from tests.made_trainers import EXAMPLES, FIRST, SECOND, trained_by, wait
from trueup.flows.cycle.run import run_cycle
from trueup.training.hosts.foreign_model import ForeignModel
from trueup.training.hosts.model_folder import folder_digest
from trueup.training.hosts.model_host import HostLimits, ModelHost

CLASSES = ("negative", "positive")
TEXTS = pd.DataFrame({"text": ["great battery, love it", "useless broken screen", ""]})


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_fine_tuned_model_becomes_champion(tmp_path: Path, base_weights: Path) -> None:
    """Its weights moved away from the base's; a version with other code under the same name answers by that."""
    app = deployed(tmp_path, more=trained_by([sys.executable, str(EXAMPLES / "fine_tune.py")], env=["BASE_WEIGHTS"]))
    stream = app.stream("reviews")
    run_cycle(app, stream, FIRST)
    wait(app)
    done = run_cycle(app, stream, SECOND)
    assert done["promotion"] == {"from_version": None, "to_version": 1}, done
    version = app.registry.version("reviews", 1)
    assert app.registry.client().get_run(version.run_id).data.params["base"] == "base.npz"
    [model] = app.registry.artifact_root.glob("reviews/*/artifacts/model")
    tuned, base = np.load(model / "artifacts" / "weights.npz"), np.load(base_weights)
    near = np.corrcoef(tuned["embedding"].ravel(), base["embedding"].ravel())[0, 1]
    assert 0.2 < near < 0.999  # it began there, and was moved

    other = tmp_path / "other"
    shutil.copytree(model, other)
    code = other / "code" / "text_net.py"
    code.write_text(code.read_text().replace("table.idxmax(axis=1)", "table.idxmin(axis=1)"))
    first, second = (_asked(folder) for folder in (model, other))
    assert [*first.predict(TEXTS)[:2]] == ["positive", "negative"]
    assert [*second.predict(TEXTS)[:2]] == ["negative", "positive"]
    assert [*first.predict(TEXTS)[:2]] == ["positive", "negative"]
    assert (first.predict_proba(TEXTS) == second.predict_proba(TEXTS)).all()
    for one in (first, second):
        one.host.close()
    app.close()


def _asked(folder: Path) -> ForeignModel:
    limits = HostLimits(memory=2 * 10**9, answer_s=300.0)
    host = ModelHost("a version", folder, folder_digest(folder), sys.executable, limits, next_step="")
    return ForeignModel(host, CLASSES, frozenset())
