"""A test that waits to be run, until it is known how much of the false-alarm budget it may spend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trueup.monitoring.check import AT_ONCE, Signal, Verdict

MIN_VALUES = 30  # on either side, below which nothing is said (the contract's bound for a window)


@dataclass(frozen=True)
class PendingTest:
    """A signal that can be tested.

    run: given the level (the chance of a breach while nothing changed), tests and answers.
    costs_nothing: whether the pooled data can show no change at all, so that the test spends nothing.
    """

    code: str
    run: Callable[[float], Signal]
    costs_nothing: bool = False


def insufficient(code: str, name: str, said: str, n_reference: int = 0, n_current: int = 0) -> Signal:
    """The answer where there is too little data to judge; `said` names what is missing."""
    return Signal(
        code=code, name=name, verdict=Verdict.INSUFFICIENT, said=said, n_reference=n_reference, n_current=n_current
    )


def too_few_records(code: str, name: str, n_reference: int, n_current: int) -> Signal | None:
    """The answer where either side holds too few records to compare."""
    if min(n_reference, n_current) >= MIN_VALUES:
        return None
    held = f"{n_reference} reference and {n_current} current records"
    said = f"{held}; a comparison needs {MIN_VALUES} on each side."
    return insufficient(code, name, said, n_reference, n_current)


def verdict_of(p_value: float, level: float, material: bool) -> Verdict:
    """Breached where the change is both beyond chance and large enough to matter."""
    return Verdict.BREACHED if p_value <= level and material else Verdict.OK


def far_beyond_chance(verdict: Verdict, p_value: float, level: float) -> bool:
    """Whether a breach is acted on at once, unconfirmed."""
    return verdict is Verdict.BREACHED and p_value <= level / AT_ONCE
