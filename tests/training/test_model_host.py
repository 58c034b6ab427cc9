"""A model of another trainer answers in a process of its own, within its limits, and never here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.conftest import run_foreign_job
from trueup.storage.errors import ModelUnusable
from trueup.training.hosts.foreign_model import ForeignModel, fault_of_answers
from trueup.training.hosts.model_folder import copy_model, folder_digest
from trueup.training.hosts.model_host import HostLimits, ModelHost

pytestmark = pytest.mark.timeout(900)  # other interpreters import what a model needs, on a loaded machine
CLASSES = ("bad", "good")
LIMITS = HostLimits(memory=2 * 10**9, answer_s=60.0)


def hosted(
    folder: Path, python: str = sys.executable, limits: HostLimits = LIMITS, idle_s: float = 900
) -> ForeignModel:
    """A model that is asked through its process."""
    host = ModelHost("v1 of 's'", folder, folder_digest(folder), python, limits, next_step="Mend it.", idle_s=idle_s)
    return ForeignModel(host, CLASSES, frozenset({"number"}))


def texts(*values: str | None) -> pd.DataFrame:
    return pd.DataFrame({"text": pd.Series(values, dtype=object), "number": [0.1 + 0.2] * len(values)})


@pytest.fixture(scope="module")
def warm(trained_elsewhere: Path) -> Iterator[ForeignModel]:
    """One process for all tests that leave it running."""
    model = hosted(trained_elsewhere)
    yield model
    model.host.close()


def test_a_model_answers_through_its_own_process(warm: ForeignModel) -> None:
    """Classes and chances come back, of nulls as well; the second question meets the same process."""
    predicted, chances = warm.predict_with_chances(texts("good day", "awful", None))
    assert list(predicted[:2]) == ["good", "bad"]
    assert chances.shape == (3, 2)
    assert np.allclose(chances.sum(axis=1), 1)
    pid = warm.host.pid
    assert (warm.predict_proba(texts("good day")) == chances[:1]).all()
    assert warm.host.pid == pid != os.getpid()


def test_doubles_and_nulls_come_through_as_they_are(warm: ForeignModel) -> None:
    """Each of 1,001 records gets its answer, in order; a double is given back to the last bit."""
    given = warm.host.ask({"text": {"numbers": False, "values": ["good", None]},
                           "number": {"numbers": True, "values": [0.1 + 0.2, None]}})  # fmt: skip
    assert given["extra"][0] == 0.1 + 0.2
    assert np.isnan(given["extra"][1])
    many = texts(*["good", "bad"] * 500, "good")
    assert list(warm.predict(many)) == ["good", "bad"] * 500 + ["good"]


def test_it_sees_only_what_it_is_allowed_to(warm: ForeignModel) -> None:
    """Neither our variables nor our home are handed over, and its working folder is its own."""
    with pytest.raises(ModelUnusable) as caught:
        warm.predict(texts("look"))
    said = str(caught.value)
    assert "TRUEUP" not in said
    assert "PYTHONPATH" not in said
    assert str(Path.home()) + "'" not in said
    assert "trueup-host-" in said


@pytest.mark.slow
def test_a_killed_process_is_started_again(warm: ForeignModel) -> None:
    """Whoever ends it, the next question is answered; nothing of the old one is left."""
    before = warm.predict_proba(texts("good"))
    pid, place = warm.host.pid, warm.host._running._place  # type: ignore[union-attr]
    assert pid is not None
    psutil.Process(pid).kill()
    assert (warm.predict_proba(texts("good")) == before).all()
    assert warm.host.pid != pid
    assert not place.exists()


def test_changed_files_are_not_loaded(trained_elsewhere: Path, tmp_path: Path) -> None:
    """A folder with another digest than recorded answers nothing; nor does one that holds a link."""
    copy = tmp_path / "model"
    digest = copy_model(trained_elsewhere, copy)
    (copy / "requirements.txt").write_text("numpy\n", encoding="utf-8")
    host = ModelHost("v1 of 's'", copy, digest, sys.executable, LIMITS, next_step="Mend it.")
    with pytest.raises(ModelUnusable, match="their digest is another"):
        host.start()
    (copy / "data").symlink_to("/etc/hostname")
    with pytest.raises(ModelUnusable, match="'data', which is no plain file"):
        folder_digest(copy)


def test_a_missing_interpreter_is_named(trained_elsewhere: Path) -> None:
    """The error says which interpreter is not there, and what to do."""
    with pytest.raises(ModelUnusable, match=r"'/no/python' cannot be run \(No such file or directory\). Mend it."):
        hosted(trained_elsewhere, "/no/python").predict(texts("good"))


@pytest.mark.slow
@pytest.mark.parametrize(("text", "said"), [
    ("hoard", "it needed more memory than 2 GB, the setting memory, to answer"),
    ("crash", "its process ended twice without an answer .status 7."),
    ("fail", "it failed to answer .ValueError: no such word."),
    ("hang", "it did not answer within 2 s, so its process was ended; the setting answer_limit"),
])  # fmt: skip
def test_what_goes_wrong_is_said_and_nothing_is_left(trained_elsewhere: Path, text: str, said: str) -> None:
    """Memory, a crash, an error and a late answer each have their words; then the next question is answered."""
    model = hosted(trained_elsewhere, limits=HostLimits(memory=2 * 10**9, answer_s=2.0 if text == "hang" else 60.0))
    with pytest.raises(ModelUnusable, match=said):
        model.predict(texts(text))
    assert model.host.pid is None
    assert list(model.predict(texts("good"))) == ["good"]
    model.host.close()


@pytest.mark.slow
def test_an_idle_process_ends_by_itself(trained_elsewhere: Path) -> None:
    """Nobody asks it any more: it ends and takes its folder along, and a later question starts another."""
    model = hosted(trained_elsewhere, idle_s=0.5)
    model.predict(texts("good"))
    running = model.host._running
    assert running is not None
    running.process.wait(60)
    assert not running._place.exists()
    assert list(model.predict(texts("good"))) == ["good"]
    model.host.close()


@pytest.mark.slow
@pytest.mark.parametrize(("behaviour", "said"), [
    ("sums", "the probabilities of 1 of 1 records are negative or do not sum to 1"),
    ("bare", "it gives no column p_good"),
])  # fmt: skip
def test_answers_in_another_form_are_refused(tmp_path: Path, behaviour: str, said: str) -> None:
    """A model that gives no probability of a class, or ones that are none, is told which columns it must give."""
    model = hosted(run_foreign_job(sys.executable, tmp_path / "model", behaviour))
    with pytest.raises(ModelUnusable, match=said):
        model.predict(texts("good"))
    model.host.close()


@settings(max_examples=20)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_chances_that_sum_to_one_are_taken(first: list[float]) -> None:
    """Whatever the chances, they are taken where they sum to 1, and not where one is taken away or out of range."""
    table = pd.DataFrame({"prediction": "good", "p_bad": first, "p_good": [1 - p for p in first]})
    assert fault_of_answers(table, CLASSES, len(first)) == ""
    assert "sum to 1" in fault_of_answers(table.assign(p_good=table["p_good"] + 0.5), CLASSES, len(first))
    assert "no finite number" in fault_of_answers(table.assign(p_bad=np.nan), CLASSES, len(first))
    assert "none of the classes" in fault_of_answers(table.assign(prediction="fair"), CLASSES, len(first))
    assert "answers for" in fault_of_answers(table, CLASSES, len(first) + 1)


def test_numbers_must_be_finite() -> None:
    """A regression's answers are numbers."""
    assert fault_of_answers(pd.DataFrame({"prediction": [1.0, 2.5]}), (), 2) == ""
    assert fault_of_answers(pd.DataFrame({"prediction": [1.0, None]}), (), 2) == "1 of 2 answers are no finite number"
