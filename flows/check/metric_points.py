"""A stream's metric in its checks, as a picture draws it: measured with its interval, estimated, and the bound."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.signals.catalogue import METRIC
from trueup.reports.pages.check_words import ESTIMATE
from trueup.reports.pictures.metric_over_time import MetricAt
from trueup.reports.signal_words import metric_interval
from trueup.storage.check_courses import SignalValue

METRIC_CODES = (METRIC, ESTIMATE)


def metric_points(values: Sequence[SignalValue]) -> list[MetricAt]:
    """One point a check, in the order of `values` (of METRIC_CODES); its `href` is the check's id yet."""
    points = []
    for report_id, group in groupby(values, key=lambda value: value.report_id):
        of = {value.code: value for value in group}
        measured, estimated = of.get(METRIC), of.get(ESTIMATE)
        some = measured or estimated
        assert some is not None  # a group has at least one value, of one of the two
        low, high = _interval(measured) or (None, None)
        points.append(
            MetricAt(
                at=some.as_of, measured=measured.value if measured else None, low=low, high=high,
                estimated=estimated.value if estimated else None, bound=measured.threshold if measured else None,
                href=report_id,
            )
        )  # fmt: skip
    return points


def _interval(kept: SignalValue | None) -> tuple[float, float] | None:
    if kept is None:
        return None
    signal = Signal(
        code=kept.code, name=kept.name, verdict=Verdict(kept.verdict), said="", value=kept.value, effect=kept.effect,
        interval=kept.interval,
    )  # fmt: skip
    return metric_interval(signal)
