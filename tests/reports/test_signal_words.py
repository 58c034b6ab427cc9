"""The interval of a metric's value, from that of its drop."""

from __future__ import annotations

import pytest

from trueup.monitoring.check import Signal, Verdict
from trueup.reports.signal_words import metric_interval


@pytest.mark.parametrize(
    ("metric", "value", "effect", "interval", "expected"),
    [
        ("f1_macro", 0.85, 0.05, (-0.02, 0.1), (0.8, 0.92)),
        ("f1_macro", 0.93, -0.05, (-0.14, 0.03), (0.85, 1.0)),
        ("estimated accuracy", 0.1, 0.1, (-0.1, 0.3), (0.0, 0.3)),
        ("mae", 40.0, -0.2, (-1.55, 1.2), (0.0, 110.0)),
        ("r2", 0.1, 0.3, (-0.1, 0.9), (-0.5, 0.5)),
    ],
)
def test_an_interval_ends_where_its_metric_does(
    metric: str, value: float, effect: float, interval: tuple[float, float], expected: tuple[float, float]
) -> None:
    """A drop of a score is a difference, that of an error a share; R² alone has no least."""
    signal = Signal(
        code="PRF-METRIC", name=metric, verdict=Verdict.OK, said="", value=value, effect=effect, interval=interval
    )
    assert metric_interval(signal) == pytest.approx(expected)
