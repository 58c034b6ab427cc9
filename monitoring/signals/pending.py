"""A question to the data: what will be tested, before it is known how much of the false-alarm budget it may spend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trueup.monitoring.check import Signal, Verdict

FEWEST = 30  # records on either hand, below which nothing is said (the contract's bound for a window)


# A breach is overwhelming, and acted on at once, where its p-value is this many times smaller than its level: 52 weekly
# checks of a healthy stream then raise one with half the chance that a single check raises a mere breach.
AT_ONCE = 104


@dataclass(frozen=True)
class Question:
    """A signal that can be tested.

    ask: given the level (the chance of a breach while nothing changed), tests and answers.
    free: whether the pooled data can show no change at all, so that the question spends nothing.
    """

    code: str
    ask: Callable[[float], Signal]
    free: bool = False


def insufficient(code: str, name: str, said: str, n_reference: int = 0, n_current: int = 0) -> Signal:
    """The answer where the data cannot tell; `said` names what is lacking."""
    return Signal(
        code=code, name=name, verdict=Verdict.INSUFFICIENT, said=said, n_reference=n_reference, n_current=n_current
    )


def verdict(p_value: float, level: float, material: bool) -> Verdict:
    """Breached where the change is both beyond chance and large enough to matter."""
    return Verdict.BREACHED if p_value <= level and material else Verdict.OK


def overwhelming(outcome: Verdict, p_value: float, level: float) -> bool:
    """Whether a breach is acted on at once, unconfirmed."""
    return outcome is Verdict.BREACHED and p_value <= level / AT_ONCE


def percent(share: float) -> str:
    """A share as people read it: 0.8 %, 12 %."""
    return f"{100 * share:.1f} %" if abs(share) < 0.0995 else f"{100 * share:.0f} %"


def chance(p_value: float, level: float) -> str:
    """How the evidence stands against its bound, in words."""
    rate = "in nearly every check" if p_value > 0.95 else f"once in {_times(p_value)} checks"
    return f"chance alone does this {rate}; once in {_times(level)} or rarer is a breach"


def _times(p_value: float) -> str:
    """How rare a chance is: 3, 1,800, 250,000, more than a million."""
    times = 1 / max(p_value, 1e-12)
    if times > 1e6:
        return "more than a million"
    if times < 20:
        return f"{times:.1f}".removesuffix(".0")
    digits = len(str(int(times))) - 2
    return f"{round(times, -digits):,.0f}"
