"""Comparisons of made records for the tests of signals: healthy by construction, broken on request."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from trueup.monitoring.comparison import Comparison, Intake
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

WORDS = np.array([f"word{i}" for i in range(150)])
SHARES = 1 / np.arange(1, 151) / (1 / np.arange(1, 151)).sum()


def made_stream(**changed: Any) -> StreamSettings:
    """A stream of short texts with two numbers, a lumpy one and two categories, judged by macro-F1."""
    policy = {"min_labels": 30, **changed.pop("policy", {})}
    told: dict[str, Any] = {
        "name": "made", "time": "at", "text": ("words",), "numeric": ("size", "gap", "lumps"),
        "categorical": ("kind", "place"), "policy": policy,
    }
    return StreamSettings(**{**told, **changed})


def made_records(n: int, rng: np.random.Generator, *, positive: float = 0.7, step: str = "37min") -> Rows:
    """n exchangeable records of `made_stream`, labelled, with answers that are right about six times in seven."""
    truth = rng.random(n) < positive
    score = np.where(truth, rng.beta(5, 1.5, n), rng.beta(1.5, 4, n))
    features = pd.DataFrame(
        {
            "words": [" ".join(WORDS[row]) for row in rng.choice(150, size=(n, 6), p=SHARES)],
            "size": rng.normal(size=n),
            "gap": np.where(rng.random(n) < 0.1, np.nan, np.round(rng.exponential(size=n), 1)),
            "lumps": np.where(rng.random(n) < 0.92, 0.0, rng.gamma(2, size=n)),
            "kind": rng.choice(np.array(["a", "b", "c", "d"], dtype=object), n, p=[0.6, 0.3, 0.07, 0.03]),
            "place": rng.choice(np.array([f"p{i}" for i in range(60)], dtype=object), n),
        }
    )
    return Rows(features, meta(n, rng, label=_named(truth), predicted=_named(score > 0.5), score=score, step=step))


def meta(n: int, rng: np.random.Generator, *, step: str = "37min", **columns: Any) -> pd.DataFrame:
    """What is known about n records, with some columns as given."""
    time = pd.date_range("2021-01-01", periods=n, freq=step, unit="us")
    told = {
        "id": np.array([f"r{i}" for i in range(n)], dtype=object), "time": time, "seq": np.arange(n),
        "evaluation": False, "content": rng.integers(0, 2**60, n), "group": rng.integers(0, 2**60, n),
        "label": None, "known_at": time, "provenance": "record", "predicted": None, "score": np.nan,
    }
    return pd.DataFrame({**told, **columns}, index=range(n))


def compared(before: Rows, now: Rows, *, seed: int = 0, **changed: Any) -> Comparison:
    """A comparison in which every hand of the reference is `before` and every hand of the window is `now`.

    No record of it was trained on, so that no word counts as seen.
    """
    known = np.concatenate([before.meta["time"].to_numpy(), now.meta["time"].to_numpy()])
    as_of: datetime = pd.Timestamp(known.max()).to_pydatetime() if len(known) else datetime(2021, 1, 1)
    told: dict[str, Any] = {
        "reference": before, "current": now, "model_reference": before, "model_current": now,
        "quality_reference": before, "quality_blocks": np.arange(len(before)) * 8 // max(1, len(before)),
        "quality_current": now, "past": before.with_meta(evaluation=True),
        "intake": Intake.nothing(), "as_of": as_of, "seed": seed,
    }
    return Comparison(**{**told, **changed})


def halves(rows: Rows, first: int) -> tuple[Rows, Rows]:
    """The first rows, and the rest."""
    return rows.take(slice(0, first)), rows.take(slice(first, None))


def _named(positive: np.ndarray) -> np.ndarray:
    return np.where(positive, "positive", "negative").astype(object)
