"""Judging a registered version: what it is held against, and the tests that it is put to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from flows.answering import answering
from flows.app import App
from flows.further_tests import Meeting, further_tests
from flows.looking import champion_of, champion_version, seed_of
from flows.training_run import Trained, refit
from storage import snapshots
from storage.errors import ModelUnusable
from storage.promotions import VersionRecord
from storage.stream import Stream


@dataclass(frozen=True)
class Judged:
    """A challenger's evidence: the gate as it is stored, and how many labels newer than the cut-off there were."""

    gate: dict[str, Any]
    from_version: int | None
    labels: int

    @property
    def passed(self) -> bool:
        return bool(self.gate["passed"])


def judge_version(app: App, stream: Stream, trained: Trained, as_of: datetime) -> Judged:
    """Hold a registered version against the champion, or the first one against the majority class or mean.

    Raises:
        ModelUnusable: the champion is lost, or cannot be loaded or scored; nothing is promoted over it.
    """
    from training.contest import contest, first_contest, older_contest
    from training.gate import Gate, judge, judge_first, loads

    record = app.promotions.version(stream.name, trained.version)
    assert record is not None
    champion = champion_version(app, stream)
    try:
        fitted, rows = refit(app, stream, record)
    except ModelUnusable as error:
        return Judged(Gate((loads(trained.version, str(error)),)).as_json(), champion, 0)
    seed = seed_of(stream, as_of)
    if champion is None:
        paired = first_contest(stream, fitted, rows)
        gate = judge_first(stream.metric, paired, seed)
        labels = len(paired)
    else:
        standing = champion_of(app, stream)
        known = snapshots.load(app.archive, standing.snapshot, regression=stream.task == "regression")
        its_answers = answering(app, stream, standing)
        paired = contest(
            stream,
            fitted,
            its_answers,
            rows,
            cut_off=standing.cut_off,
            known_contents=known.meta["content"].to_numpy(),
            seed=seed,
        )
        older = older_contest(stream, fitted, its_answers, rows, cut_off=standing.cut_off)
        look = look_of(app, stream, champion, trained.version)
        gate = judge(stream.metric, paired, seed, look=look, older=older)
        newer = rows.meta["time"] > standing.cut_off.replace(tzinfo=None)
        labels = int((rows.labelled & newer.to_numpy()).sum())
    data = Gate.from_json({"tests": record.document.get("data", [])})
    gate = replace(gate, tests=(*data.tests, *gate.tests, *further_tests(stream, Meeting(paired, seed))))
    gate = gate.and_test(loads(trained.version, answers_otherwise(app, stream, record, fitted.model)))
    return Judged(gate.as_json(), champion, labels)


def look_of(app: App, stream: Stream, champion: int, version: int) -> int:
    """Which version it is, from 1, that is held against this champion by rows newer than its cut-off."""
    before = {
        attempt.to_version
        for attempt in app.promotions.history(stream.name, limit=10_000)
        if attempt.from_version == champion and any(test["code"] == "GATE-BETTER" for test in attempt.gate["tests"])
    }
    return len(before - {None, version}) + 1


def answers_otherwise(app: App, stream: Stream, record: VersionRecord, model: Any) -> str:
    """Why a version read back from the registry is not the model that was fitted; empty where it is."""
    from training.fitting import answer

    rows = snapshots.load(app.archive, record.reference, regression=stream.task == "regression")
    predicted, score = answer(model, stream, rows.features)
    before = rows.meta["predicted"].to_numpy()
    same = np.allclose(predicted.astype(float), before.astype(float)) if stream.task == "regression" else (
        bool((predicted == before).all()) and np.allclose(score, rows.meta["score"].to_numpy(), equal_nan=True)
    )
    return "" if same else f"it answers {len(rows)} evaluation rows otherwise than when it was fitted"
