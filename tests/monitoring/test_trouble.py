"""While metric or labels are breached, and one counted check longer, a stream is in trouble."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from trueup.monitoring.check import Check, History, PastCheck, Signal, Verdict
from trueup.monitoring.trouble import in_trouble

T = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "before", "found"),
    [
        (("PRF-METRIC",), (), ("PRF-METRIC",)), ((), ("PRF-METRIC",), ("PRF-METRIC",)),
        (("DQ-LABELS", "DRF-TEXT"), ("DRF-LABEL",), ("DQ-LABELS", "DRF-LABEL")),
        (("DRF-TEXT", "DQ-VOLUME"), ("DRF-IN-x",), ()),
    ],
)  # fmt: skip
def test_metric_and_labels_now_or_in_the_counted_check_before(
    now: tuple[str, ...], before: tuple[str, ...], found: tuple[str, ...]
) -> None:
    """Drift of inputs alone is no trouble; what is older than the check before is past."""
    signals = tuple(Signal(code=code, name=code, verdict=Verdict.BREACHED, said="moved.") for code in now)
    past = (PastCheck(T, dict.fromkeys(before)), PastCheck(T, {"PRF-METRIC": None}))
    assert in_trouble(Check(report_id="r", counted=True, signals=signals), History(past, (), 0)) == found
