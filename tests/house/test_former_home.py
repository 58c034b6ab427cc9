"""A deployment that was written while trueup's rooms were installed under their own names goes on as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.flows.test_commands import Shell
from tests.former_deployment import CHAMPION, PREVIOUS, unpacked
from tests.made_deployments import TRAINED, WEEK
from trueup.flows.app import App, open_app
from trueup.storage import snapshots
from trueup.training.models.fitting import answer

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The deployment, unpacked in a place of its own."""
    return unpacked(tmp_path_factory.mktemp("former"))


@pytest.fixture
def app(folder: Path) -> Iterator[App]:
    opened = open_app(folder / "trueup.toml", folder / ".trueup")
    yield opened
    opened.close()


@pytest.mark.parametrize("version", [CHAMPION, PREVIOUS])
def test_a_model_of_then_answers_what_was_stored_of_it(app: App, version: int) -> None:
    """Each reference row gets the class and, to the last bit, the score that it got when the model was fitted."""
    stream, record = app.stream("reviews"), app.promotions.version("reviews", version)
    assert record is not None
    rows = snapshots.load(app.archive, record.reference, regression=False)
    predicted, score = answer(app.registry.load("reviews", version), stream, rows.features)
    np.testing.assert_array_equal(predicted, rows.meta["predicted"].to_numpy())
    np.testing.assert_array_equal(score, rows.meta["score"].to_numpy())
    assert len(rows) > 50


def test_the_audit_trail_of_then_agrees(folder: Path) -> None:
    """`models verify` finds store, archive and MLflow in order, and the champion to be the model that was trained."""
    assert Shell(folder)("models verify -s reviews").document == {"ok": True, "problems": []}


def test_a_check_goes_on_from_it(folder: Path) -> None:
    """The week that was taken in then is scored by the champion of then, and its quality measured."""
    done = Shell(folder)(f"check -s reviews --as-of {TRAINED + 2 * WEEK:%Y-%m-%dT%H:%M:%SZ}").document
    metric = next(signal for signal in done["signals"] if signal["code"] == "PRF-METRIC")
    assert metric["verdict"] != "insufficient"
    assert metric["n_current"] > 100


def test_a_rollback_goes_back_to_a_version_of_then(folder: Path) -> None:
    """`models rollback` lets the version before answer."""
    shell = Shell(folder)
    shell("models rollback -s reviews --why 'its answers are worse'")
    assert shell("status").document["streams"][0]["champion"] == PREVIOUS
