"""What a breached signal is called in a mail: a few words, with its figures where they say more."""

from __future__ import annotations

from trueup.monitoring.check import Signal, Worse
from trueup.monitoring.signals.catalogue import METRIC, kind_of
from trueup.storage.formatting import aligned_figure, metric_name

RELATIVE_DROP = frozenset({"mae", "rmse"})  # their effect is a share of the reference, others' the difference


def headline(signals: tuple[Signal, ...]) -> str:
    """The gravest signal in a few words, and how many others there are."""
    if not signals:
        return "a condition"
    ordered = sorted(signals, key=lambda signal: kind_of(signal.code).gravity)
    more = f" and {len(ordered) - 1} more" if len(ordered) > 1 else ""
    return _phrase(ordered[0]) + more


def unit_question(signals: tuple[Signal, ...]) -> str:
    """What a person should ask first, where columns look as if their unit had changed; empty where none does."""
    units = [f"column '{s.code.removeprefix('DRF-IN-')}' ({s.unit_change})" for s in signals if s.unit_change]
    look = "look" if len(units) > 1 else "looks"
    return f" Ask the source first: {', '.join(units)} {look} like a change of unit." if units else ""


def metric_before(signal: Signal) -> float | None:
    """The reference value of a metric signal, from its value and its drop."""
    if signal.value is None or signal.effect is None:
        return None
    if signal.name.removeprefix("estimated ") in RELATIVE_DROP:
        return signal.value / (1 + signal.effect) if signal.effect > -1 else None
    return signal.value + signal.effect


def _phrase(signal: Signal) -> str:
    if signal.unit_change:
        return f"'{signal.code.removeprefix('DRF-IN-')}' looks like a change of unit"
    if signal.code != METRIC:
        return kind_of(signal.code).phrase_of(signal.code)
    direction = "rose" if signal.worse is Worse.HIGHER else "fell"
    name, before = metric_name(signal.name), metric_before(signal)
    change = "" if before is None else f" {aligned_figure(before)} → {aligned_figure(signal.value)}"
    return f"{name} {direction}{change}"
