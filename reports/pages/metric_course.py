"""The course of a stream's metric as a page shows it: all checks, or where they are many the worst of each period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from trueup.reports.pictures.drawing import Drawing
from trueup.reports.pictures.metric_over_time import Happening, MetricAt, Spell, metric_over_time

POINTS_SHOWN = 62  # in one picture


@dataclass(frozen=True, kw_only=True)
class MetricHistory:
    """What the picture of a metric shows. note: how its points were chosen, in a sentence; empty: it shows all."""

    metric: str
    points: tuple[MetricAt, ...]
    incidents: tuple[Spell, ...] = ()
    promotions: tuple[Happening, ...] = ()
    retrains: tuple[Happening, ...] = ()
    span: tuple[datetime, datetime] | None = None
    note: str = ""

    def drawing(self, name: str) -> Drawing:
        """The picture; `name` is of its CSV."""
        return metric_over_time(
            self.points, metric=self.metric, name=name, incidents=self.incidents, promotions=self.promotions,
            retrains=self.retrains, span=self.span,
        )  # fmt: skip


def worst_of_each(groups: Sequence[Sequence[MetricAt]], *, lower_is_better: bool) -> tuple[MetricAt, ...]:
    """One point a group: the one with the worst measured metric, with the worst estimate of the group."""
    sign = -1 if lower_is_better else 1
    found = []
    for group in groups:
        measured = [p for p in group if p.measured is not None]
        worst = min(measured, key=lambda p: sign * (p.measured or 0.0), default=group[-1])
        estimates = [p.estimated for p in group if p.estimated is not None]
        found.append(replace(worst, estimated=min(estimates, key=lambda e: sign * e, default=None)))
    return tuple(found)
