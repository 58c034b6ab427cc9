"""How good the champion's answers are, as a person pictures it: the share that is wrong, or how far numbers are off.

The metric judges; this tells who is hurt. Both are read on the same labelled records.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm, t

from trueup.monitoring.check import AnswerQuality
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals.pending import MIN_VALUES
from trueup.monitoring.stats.performance_drop import Answered, answered
from trueup.storage.stream import StreamSettings

_SURE = 0.975  # of each side: intervals of 95 %
_RECENT = np.timedelta64(7, "D")


def answer_quality(stream: StreamSettings, comparison: Comparison) -> AnswerQuality:
    """How good the answers are on the labelled records that a check compares."""
    before, now = (_errors(stream, answered(stream, rows)) for rows in
                   (comparison.quality_reference, comparison.quality_current))  # fmt: skip
    known = len(now) >= MIN_VALUES
    return AnswerQuality(
        before=float(before.mean()) if len(before) >= MIN_VALUES else None,
        now=float(now.mean()) if known else None,
        interval=_interval(stream, now) if known and not stream.series else None,
        labels=len(now),
        wanted=max(MIN_VALUES, stream.policy.min_labels),
        records_a_day=_a_day(comparison.intake.arrived),
    )


def _errors(stream: StreamSettings, rows: Answered) -> np.ndarray:
    """float (n,): 1 for a wrong answer and 0 for a right one, or how far a number is off."""
    if stream.is_regression:
        return np.abs(rows.predicted.astype(float) - rows.truth.astype(float))
    return (rows.predicted != rows.truth).astype(float)


def _interval(stream: StreamSettings, errors: np.ndarray) -> tuple[float, float]:
    """Of a share the score interval (Wilson 1927, JASA 22), of a mean Student's."""
    n, mean = len(errors), float(errors.mean())
    if stream.is_regression:
        reach = float(t.ppf(_SURE, n - 1)) * float(errors.std(ddof=1)) / n**0.5
        return max(0.0, mean - reach), mean + reach
    z = float(norm.ppf(_SURE))
    centre, reach = mean + z**2 / (2 * n), z * (mean * (1 - mean) / n + z**2 / (4 * n**2)) ** 0.5
    return (centre - reach) / (1 + z**2 / n), (centre + reach) / (1 + z**2 / n)


def _a_day(arrived: np.ndarray) -> float | None:
    if not len(arrived):
        return None
    span = min(_RECENT, max(arrived[-1] - arrived[0], np.timedelta64(1, "D")))
    recent = len(arrived) - int(np.searchsorted(arrived, arrived[-1] - span, side="right"))
    return float(recent / (span / np.timedelta64(1, "D")))
