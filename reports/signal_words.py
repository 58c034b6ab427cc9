"""What a signal says of a metric before the change."""

from __future__ import annotations

from trueup.monitoring.check import Signal

RELATIVE_DROP = frozenset({"mae", "rmse"})  # their effect is a share of the reference, others' the difference


def metric_before(signal: Signal) -> float | None:
    """The reference value of a metric signal, from its value and its drop."""
    if signal.value is None or signal.effect is None:
        return None
    if signal.name.removeprefix("estimated ") in RELATIVE_DROP:
        return signal.value / (1 + signal.effect) if signal.effect > -1 else None
    return signal.value + signal.effect
