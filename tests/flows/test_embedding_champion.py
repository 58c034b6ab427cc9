"""A champion that reads sentence embeddings lives in a deployment like any other, where the extra is installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.made_deployments import TRAINED, deployed
from trueup.flows.app import App, open_app
from trueup.flows.audit.verify import verify
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.erase.derived_files import CleanedFiles, clean_home
from trueup.flows.train.reproduce import reproduce
from trueup.storage.erasure.file_bytes import LearntTerms
from trueup.storage.erasure.needles import Needles
from trueup.storage.errors import ConfigError, ModelUnusable
from trueup.training.candidates import estimators, recipes
from trueup.training.candidates.estimators import Family
from trueup_model import weights
from trueup_model.embeddings import PIECES
from trueup_model.weights import MINILM, WEIGHTS_VARIABLE


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, embeddings_are_not_tried: pytest.MonkeyPatch) -> App:
    """Trained where they are tried, and nothing else is: another winner would have nothing to show."""
    linear, hyper = estimators.LOGISTIC_REGRESSION, (("C", 3.0),)
    embedding = Family(linear, "classification", (hyper,), ("union+embeddings",), ("all",))
    app = deployed(tmp_path_factory.mktemp("embedding"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "can_embed", weights.can_embed)
        patch.setattr(estimators, "FAMILIES", (embedding,))
        done = train_now(app, app.stream("reviews"), TRAINED)
    assert done["promotion"] == {"from_version": None, "to_version": 1}
    assert {candidate["feature"] for candidate in done["candidates"]} == {"union+embeddings"}
    return app


@pytest.mark.slow
def test_it_is_verified_and_made_again_to_the_last_bit(app: App) -> None:
    """`models verify` finds nothing, `train --reproduce` the same answers by the same packages and weights."""
    stream = app.stream("reviews")
    assert verify(app, stream) == ()
    again = reproduce(app, stream, 1)
    assert again["identical"], again["said"]
    assert not again["packages"]
    assert again["recipe"]["feature"] == "union+embeddings"


@pytest.mark.slow
def test_without_the_extra_it_says_what_to_install(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is answered by half of a model."""
    found = weights.find_spec
    monkeypatch.setattr(weights, "find_spec", lambda name: None if name == "onnxruntime" else found(name))
    with pytest.raises(ModelUnusable, match=r"pip install 'trueup\[embeddings\]'"):
        reproduce(app, app.stream("reviews"), 1)


def test_weights_of_ones_own_are_named_in_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path beside trueup.toml, which models and child processes find; one that is not there is refused by name."""
    monkeypatch.setenv(WEIGHTS_VARIABLE, "")  # set back afterwards
    (tmp_path / "trueup.toml").write_text('[embeddings]\nweights = "own.onnx"\n')
    with pytest.raises(ConfigError, match=r"no file '.*own\.onnx'"):
        open_app(tmp_path / "trueup.toml")
    shutil.copy(weights.file_of(MINILM), tmp_path / "own.onnx")
    open_app(tmp_path / "trueup.toml")
    assert weights.weights_here() == {MINILM: tmp_path / "own.onnx"}


def test_erasing_leaves_the_vocabulary_of_the_weights_alone(tmp_path: Path) -> None:
    """A name that stood in erased rows goes from every file but the word pieces, which hold it for everybody."""
    beside = tmp_path / "mlflow" / "code" / "trueup_model" / "wordpieces" / "vocab.txt"
    beside.parent.mkdir(parents=True)
    shutil.copy(PIECES, beside)
    (tmp_path / "note.txt").write_text("Johnson wrote")
    clean_home(tmp_path, (), Needles({"johnson"}, ()), LearntTerms(), CleanedFiles())
    assert (tmp_path / "note.txt").read_text() == "[erased] wrote"
    assert beside.read_bytes() == PIECES.read_bytes()
