"""What a signal says of a metric: before the change, and how surely it is what it is now."""

from __future__ import annotations

import math

from trueup.monitoring.check import Signal

RELATIVE_DROP = frozenset({"mae", "rmse"})  # their effect is a share of the reference, others' the difference


def metric_before(signal: Signal) -> float | None:
    """The reference value of a metric signal, from its value and its drop."""
    if signal.value is None or signal.effect is None:
        return None
    if signal.name.removeprefix("estimated ") in RELATIVE_DROP:
        return signal.value / (1 + signal.effect) if signal.effect > -1 else None
    return signal.value + signal.effect


def metric_interval(signal: Signal) -> tuple[float, float] | None:
    """The interval of a metric signal's value, from that of its drop: as if the reference were exact.

    It ends where the metric does: no score is above 1, and no error and no share below 0.
    """
    before = metric_before(signal)
    if before is None or signal.interval is None:
        return None
    low, high = signal.interval
    metric = signal.name.removeprefix("estimated ")
    if metric in RELATIVE_DROP:
        return max(before * (1 + low), 0.0), max(before * (1 + high), 0.0)
    least = -math.inf if metric == "r2" else 0.0
    return max(before - high, least), min(before - low, 1.0)
