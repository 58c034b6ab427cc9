"""A deployment that was written while trueup's rooms were installed under their own names goes on as it was."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from tests.flows.test_commands import Shell
from tests.former_deployment import CHAMPION, PREVIOUS, unpacked
from tests.made_deployments import TRAINED, WEEK
from trueup.flows.app import App, open_app
from trueup.monitoring.check import Check
from trueup.storage import snapshots, tables
from trueup.storage.instants import microseconds
from trueup.storage.reading import RecordReader
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
    assert Shell(folder)("models verify -s reviews").document == {"ok": True, "problems": [], "erased": []}


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


def test_what_was_stored_then_is_to_the_digit_what_is_read_now(tmp_path: Path) -> None:
    """Records with their sides, labels, answers and scores; signals of checks; metrics of versions."""
    place = unpacked(tmp_path)
    with closing(sqlite3.connect(place / ".trueup" / "trueup.db")) as former:
        records = former.execute(
            "SELECT r.id, r.time, r.evaluation, r.content, l.value, l.known_at, p.predicted, p.score FROM records r"
            " LEFT JOIN labels l ON l.record_id = r.id LEFT JOIN predictions p ON p.record_id = r.id AND p.version = ?"
            " ORDER BY r.id",
            (PREVIOUS,),
        ).fetchall()
        signals = former.execute(
            "SELECT check_id, code, verdict, value, threshold, p_value, effect FROM signals ORDER BY check_id, code"
        ).fetchall()
        metrics = {
            version: json.loads(document)["metrics"]
            for version, document in former.execute("SELECT version, document FROM versions")
        }
    opened = open_app(place / "trueup.toml", place / ".trueup")
    stream, now = opened.stream("reviews"), opened.now()
    meta = RecordReader(opened.database, opened.archive).read(stream, as_of=now, version=PREVIOUS).meta
    r = tables.records.c
    with opened.database.read() as connection:
        sides = connection.execute(sa.select(r.id, r.time, r.evaluation, r.content, r.label, r.label_known_at)).all()
    answers = dict(zip(meta["id"], zip(meta["predicted"], meta["score"], strict=True), strict=True))
    found = [
        (row.id, microseconds(row.time), row.evaluation, row.content, row.label, microseconds(row.label_known_at),
         *((None, None) if pd.isna(answers[row.id][0]) else answers[row.id]))
        for row in sorted(sides, key=lambda row: row.id)
    ]  # fmt: skip
    assert len(records) == 900
    assert found == records
    kept = opened.cycles.report(signals[0][0])
    assert kept
    document = Check.from_json(kept["document"])
    assert sorted(
        (signals[0][0], s.code, str(s.verdict), s.value, s.threshold, s.p_value, s.effect) for s in document.signals
    ) == signals  # fmt: skip
    assert {v.version: v.document["metrics"] for v in opened.promotions.versions("reviews")} == metrics
    opened.close()
