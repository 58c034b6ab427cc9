"""What trueup says of a made comparison: the very code of a check, on rows that a store would have handed it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.detection.made import CATEGORICAL, NUMERIC, TEXT, real_reviews
from trueup.monitoring.check import Signal
from trueup.monitoring.comparison import Comparison, Intake
from trueup.monitoring.signals.catalogue import kind_of
from trueup.monitoring.signals.measure import measure
from trueup.monitoring.signals.pending import PendingTest
from trueup.monitoring.signals.performance import performance
from trueup.storage.rows import Rows, stack
from trueup.storage.stream import StreamSettings

START = np.datetime64("2024-01-01", "us")
STEP = np.timedelta64(10, "m")


def stream_of(*, text: bool = True, group: tuple[str, ...] = (), **policy: Any) -> StreamSettings:
    """Ten mixed columns, nine of them inputs and the tenth the score."""
    return StreamSettings(
        name="made", time="at", text=(TEXT,) if text else (), numeric=NUMERIC, categorical=CATEGORICAL,
        group=group, label={"classes": {"negative": "negative", "positive": "positive"}}, policy=policy,
    )


def comparison_of(
    reference: pd.DataFrame, current: pd.DataFrame, *, seed: int, labels: bool, reviews: str = "greenlight"
) -> Comparison:
    """Both hands as a look at the store gives them; with `labels`, mature ones of all records."""
    before, now = rows_of(reference, 0, labels), rows_of(current, len(reference), labels)
    unlabelled = now.take(slice(0, 0))
    known = np.concatenate([before.meta["time"].to_numpy(), now.meta["time"].to_numpy()])
    return Comparison(
        reference=before,
        current=now,
        model_reference=before,
        model_current=now,
        quality_reference=before if labels else before.take(slice(0, 0)),
        quality_blocks=np.arange(len(before) if labels else 0) * 4 // max(1, len(before)),
        quality_current=now if labels else unlabelled,
        past=stack([learnt_rows(reviews), before], ()) if TEXT in before.features else before,
        intake=Intake.nothing(),
        as_of=pd.Timestamp(known.max()).to_pydatetime(),
        seed=seed,
    )


def rows_of(frame: pd.DataFrame, first: int, labels: bool) -> Rows:
    """A made frame as records in the order of the frame."""
    n = len(frame)
    time = START + STEP * np.arange(first, first + n)
    texts = frame[TEXT] if TEXT in frame else pd.Series(np.arange(first, first + n).astype(str))
    authors = frame.get("author", texts)
    content, group = (pd.util.hash_array(part.to_numpy(dtype=object)).astype(np.int64) for part in (texts, authors))
    meta = pd.DataFrame(
        {
            "id": np.array([f"r{i}" for i in range(first, first + n)], dtype=object), "time": time,
            "seq": np.arange(first, first + n), "evaluation": True, "content": content, "group": group,
            "label": frame["label"].to_numpy(dtype=object) if labels else None, "known_at": time,
            "provenance": "record", "predicted": frame["predicted"].to_numpy(dtype=object),
            "score": frame["score"].to_numpy(),
        }
    )
    features = frame.drop(columns=[c for c in ("author", "label", "predicted", "score") if c in frame])
    return Rows(features.astype({c: object for c in features if c not in NUMERIC and not c.startswith("x")}), meta)


@lru_cache
def learnt_rows(reviews: str) -> Rows:
    """The texts that the model was fitted on, as the training side of its snapshot."""
    fitted = real_reviews(reviews).fitted
    blank = {**dict.fromkeys(NUMERIC, 0.0), **dict.fromkeys((*CATEGORICAL, "author", "label", "predicted"), "")}
    rows = rows_of(pd.DataFrame({TEXT: fitted, **blank, "score": 0.5}), -len(fitted), False)
    return rows.with_meta(evaluation=False)


def signals_of(stream: StreamSettings, comparison: Comparison) -> dict[str, Signal]:
    """The signals of a check, by code."""
    return {signal.code: signal for signal in measure(stream, comparison)[0]}


def metric_of(stream: StreamSettings, comparison: Comparison) -> Signal:
    """PRF-METRIC at the share of the budget that it has in every check."""
    (item,) = performance(stream, comparison)
    return item.run(stream.policy.false_alarms * kind_of(item.code).weight) if isinstance(item, PendingTest) else item
