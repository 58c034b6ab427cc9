"""A challenger judged by what came after the gate had decided about it: rows that neither model can have known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np

from benchmarks.promotion.course import Deployment
from benchmarks.promotion.worse import compare
from trueup.storage import snapshots
from trueup.storage.promotions import PromotionAttempt, PromotionState
from trueup.storage.rows import Rows, new_content
from trueup.storage.timepoints import iso
from trueup.training.models.fitting import answer

LEAST = 50  # labels that must follow


def afterwards(deployment: Deployment) -> list[dict[str, Any]]:
    """Every challenger of a course, promoted or refused, on the labelled rows until the next promotion or the end.

    `gain` is of the metric, new minus old, an error's sign turned; `p_worse` and `p_better` are one-sided. They are
    missing where fewer than 50 labels of content that is new to both models follow.
    """
    attempts = [
        p for p in deployment.attempts()
        if p.state in (PromotionState.COMMITTED, PromotionState.REFUSED) and p.to_version and p.from_version
    ]
    moved = [p.as_of for p in attempts if p.state is PromotionState.COMMITTED]
    return [_judged(deployment, p, min((m for m in moved if m > p.as_of), default=None)) for p in attempts]


def _judged(deployment: Deployment, attempt: PromotionAttempt, until: datetime | None) -> dict[str, Any]:
    versions = (int(attempt.from_version or 0), int(attempt.to_version or 0))
    rows = _following(deployment, attempt.as_of, until, versions)
    found = {
        "as_of": iso(attempt.as_of), "promoted": attempt.state is PromotionState.COMMITTED,
        "gate": {test["code"]: [test["passed"], test["value"]] for test in attempt.gate["tests"]},
        "labels_needed": attempt.gate.get("labels_needed"),
        "labels": len(rows),
    }
    if len(rows) < LEAST:
        return found
    stream = deployment.stream
    answers = [answer(deployment.app.registry.load(stream.name, v), stream, rows.features)[0] for v in versions]
    truth = rows.meta["label"].to_numpy()
    unit = rows.meta["time"].dt.floor("D").to_numpy() if stream.series else rows.meta["group"].to_numpy()
    told = compare(stream.metric, truth, answers[0], answers[1], unit, seed=versions[1])
    return {**found, **asdict(told), "gain": told.gain}


def _following(deployment: Deployment, after: datetime, until: datetime | None, versions: Sequence[int]) -> Rows:
    """The labelled rows of a time whose content stands in the snapshot of neither version."""
    times = deployment.known.meta["time"].to_numpy()
    chosen = times > np.datetime64(after.replace(tzinfo=None), "us")
    if until is not None:
        chosen &= times <= np.datetime64(until.replace(tzinfo=None), "us")
    rows = deployment.known.take(chosen & deployment.known.labelled)
    app, stream = deployment.app, deployment.stream
    for version in versions:
        record = app.promotions.version(stream.name, version)
        assert record is not None
        rows = new_content(rows, snapshots.load(app.archive, record.snapshot, regression=stream.is_regression))
    return rows
