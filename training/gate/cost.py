"""GATE-LATENCY and GATE-SIZE: what the challenger costs, compared with the champion.

A cost is refused only where it is beyond a multiple of the champion's and beyond a floor under which nobody minds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from trueup.storage.policy import GatePolicy
from trueup.storage.stream import StreamSettings
from trueup.training.gate.context import GateContext
from trueup.training.gate.result import GateTest
from trueup.training.models.fitting import answer
from trueup_model.kept_vectors import vectors_not_kept

RECORDS = 50  # asked one by one
WARM = 3      # answers before time is taken: what is made at the first one is no part of it
MEGABYTE = 1_000_000


def latency_guardrail(context: GateContext) -> GateTest:
    """GATE-LATENCY of both models on the newest reference rows.

    Raises:
        ModelUnusable: a model fails on a row.
    """
    assert context.champion is not None
    models = (context.champion.model, context.challenger.model)
    return latency_test(context.stream.gate, *single_answers(context.stream, models, context.reference))


def size_guardrail(context: GateContext) -> GateTest:
    """GATE-SIZE of both stored models."""
    assert context.champion is not None
    return size_test(context.stream.gate, context.champion.size, context.challenger.size)


def latency_test(bounds: GatePolicy, champion: np.ndarray, challenger: np.ndarray) -> GateTest:
    """GATE-LATENCY: the median time for one record, in milliseconds.

    Args:
        champion, challenger: seconds of single answers, as `single_answers` takes them.
    """
    old, new = (1000 * float(np.median(seconds)) for seconds in (champion, challenger))
    bound = max(bounds.latency_ratio * old, bounds.latency_floor_ms)
    said = f"{new:.1f} ms for one answer, champion {old:.1f} ms; limit {bound:.0f} ms"
    return GateTest(code="GATE-LATENCY", passed=new <= bound, value=new, bound=bound, said=said)


def size_test(bounds: GatePolicy, champion: int, challenger: int) -> GateTest:
    """GATE-SIZE: the stored model's file, in megabytes (10⁶ bytes).

    Args:
        champion, challenger: bytes.
    """
    old, new = champion / MEGABYTE, challenger / MEGABYTE
    bound = max(bounds.size_ratio * old, bounds.size_floor_mb)
    said = f"model file {new:.1f} MB, champion {old:.1f} MB; limit {bound:.0f} MB"
    return GateTest(code="GATE-SIZE", passed=new <= bound, value=new, bound=bound, said=said)


def single_answers(
    stream: StreamSettings,
    models: tuple[object, object],
    features: pd.DataFrame,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[np.ndarray, np.ndarray]:
    """How long each of two models takes for each of the newest records alone, in seconds.

    They take turns, so that a machine that is busy for a while is so for both.
    """
    newest = features.iloc[-RECORDS:]
    taken = np.empty((2, len(newest)))
    with vectors_not_kept():  # in production each record is a new one
        for k in range(-WARM, len(newest)):
            one = newest.iloc[[k % len(newest)]]
            for m, model in enumerate(models):
                begun = clock()
                answer(model, stream, one)
                if k >= 0:
                    taken[m, k] = clock() - begun
    return taken[0], taken[1]
