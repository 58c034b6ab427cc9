"""What a replay found: the timeline of each policy, and the figures that sum it up."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One check of a replay.

    breached: codes of the signals that crossed their bound. champion: the version in force before the check; metric:
    the metric of its answers since the check before, None where no label came. promoted: the version that replaced it.
    """

    as_of: datetime
    breached: tuple[str, ...]
    action: str
    champion: int
    metric: float | None
    promoted: int | None


@dataclass(frozen=True)
class Played:
    """One policy over past data; the timeline is oldest first."""

    name: str
    alerts: int
    timeline: tuple[Moment, ...]

    @property
    def retrains(self) -> int:
        """How often a challenger was asked for."""
        return sum(moment.action == "retrain" for moment in self.timeline)

    @property
    def promotions(self) -> int:
        return sum(moment.promoted is not None for moment in self.timeline)

    @property
    def metric_mean(self) -> float | None:
        """The mean over the checks that have a metric."""
        found = [m.metric for m in self.timeline if m.metric is not None and math.isfinite(m.metric)]
        return sum(found) / len(found) if found else None

    def as_json(self) -> dict[str, Any]:
        """The contract's keys; the timeline newest first, as all its lists are."""
        return {
            "name": self.name,
            "checks": len(self.timeline),
            "alerts": self.alerts,
            "retrains": self.retrains,
            "promotions": self.promotions,
            "metric_mean": self.metric_mean,
            "timeline": [asdict(moment) for moment in reversed(self.timeline)],
        }


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Policies side by side over the same records from the same first champion.

    metric: what all are judged by, of the stream's own policy. start: when the first champion was trained.
    """

    stream: str
    metric: str
    lower_is_better: bool
    records: int
    quarantined: int
    start: datetime
    policies: tuple[Played, ...]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "policies": [played.as_json() for played in self.policies]}
