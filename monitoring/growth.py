"""How far labels have grown since the champion was trained, and when that alone asks for a new one."""

from __future__ import annotations

from dataclasses import dataclass

from trueup.monitoring.check import Check, History
from trueup.storage.formatting import percent
from trueup.storage.policy import Policy

GROWTH_AGAIN = 1.5  # times the labels of the last attempt, before growth asks again


@dataclass(frozen=True)
class LabelGrowth:
    """trained: labelled rows of the champion's snapshot, above 0. new: mature labels newer than its cut-off."""

    trained: int
    new: int

    @property
    def share(self) -> float:
        return self.new / self.trained

    def reaches(self, share: float) -> bool:
        """Whether the new labels are at least this share of those trained on."""
        return self.new >= share * self.trained

    @property
    def said(self) -> str:
        """42 % (1,000 → 1,420)."""
        return f"{percent(self.share)} ({self.trained:,} → {self.trained + self.new:,})"


def growth_of(history: History) -> LabelGrowth | None:
    """The growth at a decision; None where nobody knows how many labels the champion was trained on."""
    return LabelGrowth(history.trained, history.labels) if history.trained > 0 else None


def growth_asks(policy: Policy, check: Check, history: History) -> LabelGrowth | None:
    """The growth, where a counted check finds it large enough to ask for a challenger by itself; else None.

    A challenger that did not replace the champion learnt from nearly the same rows, whatever asked for it: growth asks
    again once there are half as many labels again as there were then.
    """
    found = growth_of(history)
    if found is None or not check.counted or "growth" not in policy.retrain_on or not found.reaches(policy.growth):
        return None
    last = next((attempt for attempt in history.attempts if attempt.of_champion), None)
    return None if last is not None and found.new < GROWTH_AGAIN * last.labels else found


def because_of_growth(found: LabelGrowth, *, drifted: bool) -> str:
    """Why growth led to a challenger, for people; `drifted`: something is breached and confirmed beside it."""
    return f"Retrained because labels have grown by {found.said}{'' if drifted else ', not because anything drifted'}."


def drift_waits_for_growth(policy: Policy, history: History) -> str:
    """Why drift alone does not ask for a challenger yet; empty where labels have grown enough, or nobody knows."""
    found = growth_of(history)
    if found is None or found.reaches(policy.drift_growth):
        return ""
    return (
        f"No retraining for drift alone: labels have grown by {found.said} since the champion was trained, "
        f"{percent(policy.drift_growth)} needed (drift_growth). A drop of the metric does not wait for that."
    )
