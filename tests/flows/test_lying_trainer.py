"""The gate believes no trainer: its model is asked for every evaluation row, and held against what it said."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.made_deployments import ONE_CANDIDATE, TRAINED, with_champion
from tests.training.conftest import run_foreign_job
from trueup.flows.app import App
from trueup.flows.audit.verify import verify
from trueup.flows.gate.evaluate import run_gate
from trueup.flows.train.reproduce import reproduce
from trueup.flows.train.run import Trained
from trueup.storage import snapshots
from trueup.storage.errors import InputError
from trueup.storage.leases import hold
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.trainers.trainer_settings import Trainer
from trueup.training.candidates.recipes import TRAINER, Recipe
from trueup.training.hosts.foreign_model import ForeignModel
from trueup.training.hosts.model_folder import folder_digest
from trueup.training.hosts.model_host import HostLimits, ModelHost
from trueup.training.registry.foreign import record_foreign
from trueup.training.trainers.returned import ReturnedTraining

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
CLASSES = ("negative", "positive")


@dataclass(frozen=True)
class Job:
    """A deployment with a champion of ours, and what a job made of its snapshot."""

    app: App
    folder: Path
    champion: VersionRecord
    rows: Rows
    asked: np.ndarray
    answers: pd.DataFrame


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    app = with_champion(tmp_path_factory.mktemp("lying"), more=ONE_CANDIDATE)
    champion = app.promotions.version("reviews", 1)
    assert champion is not None
    rows = snapshots.load(app.archive, champion.snapshot, regression=False)
    asked = np.flatnonzero(rows.meta["evaluation"].to_numpy())
    folder = run_foreign_job(sys.executable, tmp_path_factory.mktemp("job") / "model", "", "positive", "negative")
    limits = HostLimits(memory=2 * 10**9, answer_s=300.0)
    host = ModelHost("the job", folder, folder_digest(folder), sys.executable, limits, next_step="")
    predicted, chances = ForeignModel(host, CLASSES, frozenset()).predict_with_chances(rows.features.iloc[asked])
    host.close()
    answers = pd.DataFrame({"row": asked, "prediction": predicted, "p_negative": chances[:, 0],
                            "p_positive": chances[:, 1]})  # fmt: skip
    yield Job(app, folder, champion, rows, asked, answers)
    app.close()


def _registered(job: Job, key: str, answers: pd.DataFrame) -> Trained:
    """The model as a version, with the answers that its trainer sent."""
    app, stream = job.app, job.app.stream("reviews")
    sent = io.BytesIO()
    answers.to_parquet(sent)
    recipe = Recipe(model="train.py", feature=TRAINER, max_features=None, history="all")
    version = record_foreign(
        app.registry,
        stream,
        ReturnedTraining(
            cycle=key, as_of=TRAINED, occasion="retrain", who="ada", snapshot_file="rows.parquet",
            snapshot=Path(job.champion.snapshot).stem, cut_off=job.champion.cut_off, commit="", recipe=recipe,
            trainer=Trainer(command=("python", "train.py"), answer_limit="5min"),
            folder=job.folder, result={}, classes=CLASSES, metrics={},
            files={"trainer/answers.parquet": sent.getvalue()},
        ),
    )  # fmt: skip
    held_out = job.rows.take(job.asked)
    held_out = held_out.with_meta(
        predicted=answers["prediction"].to_numpy(dtype=object), score=answers["p_positive"].to_numpy()
    )
    record = replace(
        job.champion, version=version.number, run_id=version.run_id,
        reference=snapshots.keep(app.archive, "reviews", held_out),
        document={**job.champion.document, "recipe": recipe.params(), "data": []},
    )  # fmt: skip
    with hold(app.database, "reviews", clock=app.clock) as lease:
        app.promotions.add_version(lease, record)
    return Trained(version.number, version.run_id, "5a11", [], recipe.params())


def test_a_model_that_answers_otherwise_is_refused(job: Job) -> None:
    """Three answers of its own making are enough, and nothing else is judged; the honest one passes this test, is
    verified, and is said to be made elsewhere."""
    stream = job.app.stream("reviews")
    lied = job.answers.copy()
    turned = {"negative": "positive", "positive": "negative"}
    lied.loc[:2, "prediction"] = lied.loc[:2, "prediction"].map(turned)
    gate = run_gate(job.app, stream, _registered(job, "lies", lied), TRAINED).gate
    said = f"it answers 3 of {len(job.asked)} evaluation rows otherwise than its trainer says"
    assert [(test["code"], test["passed"]) for test in gate["tests"]] == [("GATE-LOADS", False)]
    assert said in gate["tests"][0]["said"]

    honest = _registered(job, "honest", job.answers)
    tests = {test["code"]: test for test in run_gate(job.app, stream, honest, TRAINED).gate["tests"]}
    assert tests["GATE-LOADS"]["passed"]
    assert "GATE-CALIBRATION" in tests
    assert not [line for line in verify(job.app, stream) if f"v{honest.version} " in line]
    with pytest.raises(InputError, match="of 'reviews' was made elsewhere, by the trainer"):
        reproduce(job.app, stream, honest.version)
