"""Whether the metric or the labels are in trouble: then nothing but proof lets a challenger take over."""

from __future__ import annotations

from collections.abc import Iterable

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check, History
from trueup.monitoring.signals.catalogue import kind_of

LABELS = ("DQ-LABELS", "DRF-LABEL")


def in_trouble(check: Check, history: History) -> tuple[str, ...]:
    """The codes of metric and labels that this check breaches, or the counted check before it did.

    A world that turns, and labels that break, show themselves by these. What a challenger learnt of such a window may
    be over with the next: while it lasts, and one window longer, "no worse" is judged on sand.
    """
    before = history.counted[0].breached if history.counted else ()
    return tuple(dict.fromkeys((*_of(s.code for s in check.breached), *_of(before))))


def _of(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(code for code in codes if code in LABELS or kind_of(code).cause is Cause.METRIC)
