"""Made streams and rows for tests: texts, tables and numbers that a model can learn, in time order."""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np
import pandas as pd

from trueup.storage.policy import Policy
from trueup.storage.rows import META, Rows
from trueup.storage.stream import LabelPolicy, StreamSettings
from trueup.storage.training_settings import Training

Kind = Literal["text", "table", "regression"]

GOOD = ["great", "lovely", "perfect", "works", "fast", "happy", "love", "sturdy", "bright", "easy"]
BAD = ["broken", "awful", "slow", "refund", "poor", "useless", "crash", "noisy", "late", "weak"]
PLAIN = [f"word{k}" for k in range(300)]


def make_stream(
    kind: Kind = "text", *, window: int | str = 200, series: bool = False, **training: object
) -> StreamSettings:
    """A stream that `make_rows` of the same kind fits."""
    shared = {
        "name": "made",
        "time": "at",
        "series": series,
        "policy": Policy(window=window),
        "training": Training(**training),
    }
    if kind == "text":
        stars = LabelPolicy(column="stars", classes={"no": "<=2", "yes": ">=4"})
        return StreamSettings(**shared, text=("content",), label=stars)
    if kind == "table":
        return StreamSettings(**shared, numeric=("a", "b"), categorical=("c",), label=LabelPolicy(column="y"))
    return StreamSettings(
        **shared, task="regression", numeric=("a", "b"), categorical=("c",), label=LabelPolicy(column="y")
    )


def make_rows(
    n: int,
    seed: int = 0,
    kind: Kind = "text",
    *,
    flip_from: int | None = None,
    noise: float = 0.1,
    evaluation_share: float = 0.2,
    unlabelled: float = 0.0,
    window: int | str = 200,
) -> tuple[StreamSettings, Rows]:
    """n rows, one an hour; from row `flip_from` on the concept is reversed; a share `noise` of the labels is wrong."""
    rng = np.random.default_rng(seed)
    stream = make_stream(kind, window=window)
    yes = rng.random(n) < 0.6
    features = _texts(rng, yes) if kind == "text" else _table(rng, yes)
    told = yes.copy()
    if flip_from is not None:
        told[flip_from:] = ~told[flip_from:]
    told ^= rng.random(n) < noise
    if kind == "regression":
        level = np.where(told, 10.0, 4.0) + 2 * features["a"].to_numpy() + rng.normal(0, 1, n)
        label = level.astype(object)
    else:
        label = np.where(told, "yes", "no").astype(object)
    label[rng.random(n) < unlabelled] = None
    return stream, Rows(features, _meta(rng, features, label, evaluation_share))


def _texts(rng: np.random.Generator, yes: np.ndarray) -> pd.DataFrame:
    def one(positive: bool) -> str:
        words = [*rng.choice(PLAIN, rng.integers(3, 9)), *rng.choice(GOOD if positive else BAD, rng.integers(1, 3))]
        return " ".join(words)

    return pd.DataFrame({"content": [one(positive) for positive in yes]})


def _table(rng: np.random.Generator, yes: np.ndarray) -> pd.DataFrame:
    n = len(yes)
    return pd.DataFrame(
        {
            "a": rng.normal(yes * 1.5, 1.0, n),
            "b": np.where(rng.random(n) < 0.05, np.nan, rng.normal(0, 5, n)),
            "c": np.where(yes, rng.choice(["red", "blue"], n, p=[0.7, 0.3]), rng.choice(["red", "blue"], n)),
        }
    )


def _meta(rng: np.random.Generator, features: pd.DataFrame, label: np.ndarray, evaluation_share: float) -> pd.DataFrame:
    n = len(features)
    content = np.array([_hash(row) for row in features.itertuples(index=False)], dtype=np.int64)
    time = pd.date_range("2024-01-01", periods=n, freq="h").astype("datetime64[us]")
    known = pd.notna(label)
    meta = pd.DataFrame(
        {
            "id": [f"r{k}" for k in range(n)],
            "time": time,
            "seq": np.arange(n),
            "evaluation": (content % 1000) < 1000 * evaluation_share,
            "content": content,
            "group": content,
            "label": label,
            "known_at": time.where(known),
            "provenance": np.where(known, "record", None),
            "predicted": None,
            "score": np.nan,
        }
    )
    return meta.astype({name: kind for name, kind in META.items() if name != "label"})


def _hash(row: tuple[object, ...]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(tuple(row)).encode(), digest_size=7).digest(), "big")
