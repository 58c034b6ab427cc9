"""Under `training.refit_below` a version serves fitted on both sides of the split, and is judged by the fit on one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.flows.test_commands import Shell
from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, about_to_break, plain_mail
from trueup.flows.app import App
from trueup.flows.check.predictions import predictor_of
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.gate.refitted import fit_to_judge, judged_answers
from trueup.flows.train.lineage import lineage_in_words
from trueup.flows.train.run import load_trained
from trueup.storage import snapshots
from trueup.storage.promotions import VersionRecord
from trueup.training.models.fitting import answer, fit
from trueup.training.models.metrics import all_metrics
from trueup.training.models.recency import recent_row_count

pytestmark = pytest.mark.slow

REFITTED = f"{ONE_CANDIDATE}refit_below = 100000\n"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[App, Shell, dict[str, Any]]:
    """A refitted champion that a refitted challenger has replaced."""
    folder = tmp_path_factory.mktemp("refitted")
    app = about_to_break(folder, more=REFITTED)
    return app, Shell(folder), train_now(app, app.stream("reviews"), TRAINED + WEEK)


def version(app: App, number: int) -> VersionRecord:
    record = app.promotions.version("reviews", number)
    assert record is not None
    return record


def test_it_serves_what_both_sides_taught_and_tells_the_figures_of_one(done: tuple[App, Shell, dict[str, Any]]) -> None:
    """The stored model is the fit on all rows; metrics and reference are those of the fit on the training side."""
    app, _, trained = done
    stream, record = app.stream("reviews"), version(app, 2)
    assert trained["promotion"] == {"from_version": 1, "to_version": 2}
    stored, rows = load_trained(app, stream, record)
    seed, newest = record.document["seed"], recent_row_count(stream, rows)
    training = rows.take(~rows.meta["evaluation"].to_numpy(dtype=bool))
    both, one = (fit(stored.recipe, stream, known, seed, newest) for known in (rows, training))
    assert record.refit_labels == len(both.used) == rows.labelled.sum() > len(one.used) == record.document["labels"]
    assert (answer(stored.model, stream, rows.features)[1] == answer(both.model, stream, rows.features)[1]).all()
    held = rows.take(rows.labelled & rows.meta["evaluation"].to_numpy(dtype=bool))
    given = answer(one.model, stream, held.features)
    figures = all_metrics(stream.task, held.meta["label"].to_numpy(), *given, tuple(stream.label.classes))
    assert record.document["metrics"] == figures
    reference = snapshots.load(app.archive, record.reference, regression=False)
    assert np.allclose(reference.meta["score"], answer(one.model, stream, reference.features)[1])
    served = snapshots.load_as_served(app.archive, record.reference, regression=False)
    assert np.allclose(served.meta["score"], answer(both.model, stream, reference.features)[1])


def test_everything_that_tells_of_it_says_so(done: tuple[App, Shell, dict[str, Any]]) -> None:
    """Gate, history, mail, lineage and MLflow name both fits; verify and `--reproduce` find it whole."""
    app, shell, trained = done
    record = version(app, 2)
    said = f"v2 serves refitted on all {record.refit_labels:,} labelled rows of both sides; its figures are those of"
    test = next(test for test in trained["gate"]["tests"] if test["code"] == "GATE-REFIT")
    assert test["passed"]
    assert test["said"].startswith(said)
    mail = next(plain_mail(app, a) for a in app.outbox.newest("reviews") if a.kind == "promotion")
    assert said in mail
    registered = app.registry.version("reviews", 2)
    assert registered.tags["trueup.refit"] == str(record.refit_labels)
    described = app.registry.client().get_run(record.run_id).data.tags["mlflow.note.content"]
    assert said.removeprefix("v2 ") in described
    assert lineage_in_words(record)["fitted on"].startswith(said)
    assert "GATE-REFIT" in str(shell("models history last -s reviews").document)
    assert shell("models verify -s reviews").document["ok"]
    assert shell("train -s reviews --reproduce 2").document["identical"]


def test_rows_that_it_learnt_are_not_its_evidence(done: tuple[App, Shell, dict[str, Any]]) -> None:
    """Where it stands as champion, a gate gets no answer of what serves to a row up to its cut-off."""
    app, _, _ = done
    stream, record = app.stream("reviews"), version(app, 1)
    rows = snapshots.load(app.archive, version(app, 2).snapshot, regression=False)
    met = judged_answers(app, stream, record, predictor_of(app, stream, record))(rows).meta
    before = (met["time"] <= record.cut_off.replace(tzinfo=None)).to_numpy()
    reference = snapshots.load(app.archive, record.reference, regression=False).meta.set_index("seq")
    assert before.sum() == len(reference)
    assert (met["score"][before].to_numpy() == reference["score"][met["seq"][before]].to_numpy()).all()
    assert (~before).sum() == (rows.meta["time"] > record.cut_off.replace(tzinfo=None)).sum()


def test_a_fit_that_is_not_the_judged_one_refuses(done: tuple[App, Shell, dict[str, Any]]) -> None:
    """What the gate makes again is held against the answers that the reference keeps."""
    app, _, _ = done
    stream, record = app.stream("reviews"), version(app, 2)
    stored, rows = load_trained(app, stream, record)
    _, (test,) = fit_to_judge(app, stream, record, stored, rows)
    assert test.passed
    _, (test,) = fit_to_judge(app, stream, replace(record, reference=version(app, 1).reference), stored, rows)
    assert not test.passed
    assert test.said.startswith("v2 cannot be judged")
