"""All signals of one check."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals.alpha_budget import share
from trueup.monitoring.signals.correlation_drift import together
from trueup.monitoring.signals.drift import drift
from trueup.monitoring.signals.estimated_performance import estimated
from trueup.monitoring.signals.feed_quality import duplicates, label_coverage, quarantine
from trueup.monitoring.signals.past_windows import drift_of_series
from trueup.monitoring.signals.pending import FEWEST, Question
from trueup.monitoring.signals.performance import quality
from trueup.monitoring.signals.slice_performance import slices
from trueup.monitoring.signals.volume import volume
from trueup.storage.stream import Stream

SAFE_RATIO = 5  # reference rows for each window row, from which on the guarantee also holds given the reference

Maker = Callable[[Stream, Comparison], Iterable[Question | Signal]]

# where a signal is added: a maker that yields questions (tested at a share of the budget) or finished signals.
# What drifts is listed in observed.OBSERVERS.
MAKERS: tuple[Maker, ...] = (
    lambda stream, given: drift_of_series(stream, given) if stream.series else drift(stream, given),
    together,
    quality,
    slices,
    estimated,
    volume,
    duplicates,
    quarantine,
    label_coverage,
)


def measure(stream: Stream, comparison: Comparison) -> tuple[tuple[Signal, ...], tuple[str, ...]]:
    """The signals of a check, and what has to be said about them all.

    Every question is tested at its share of `policy.false_alarms`, so that on exchangeable records the chance of any
    breach is at most that, at every pair of sizes from 30 up, marginally over references.
    """
    with threadpool_limits(1):  # the matrices are small: threads that wait for each other take most of the time
        found = [item for make in MAKERS for item in make(stream, comparison)]
        spending = [item.code for item in found if isinstance(item, Question) and not item.free]
        levels = share(stream.policy.false_alarms, spending)
        free = stream.policy.false_alarms  # spends nothing whatever it is
        signals = tuple(i.ask(levels.get(i.code, free)) if isinstance(i, Question) else i for i in found)
    if not len(comparison.current):
        signals = tuple(_nothing_new(signal) for signal in signals)
    return signals, _notes(stream, comparison)


def _nothing_new(signal: Signal) -> Signal:
    """A check of no records cannot call anything healthy; a feed that fell silent is still a breach."""
    return replace(signal, verdict=Verdict.INSUFFICIENT) if signal.verdict is Verdict.OK else signal


def _notes(stream: Stream, comparison: Comparison) -> tuple[str, ...]:
    before, now = len(comparison.reference), len(comparison.current)
    if now < FEWEST:
        return (f"The window holds {now} records; under {FEWEST} no window signal is judged.",)
    if stream.series:
        return ("Neighbouring records depend on each other: every signal is held against past windows as long.",)
    accepted = ", ".join(comparison.accepted)
    notes = [f"Held against a window that was accepted as their baseline: {accepted}."] if accepted else []
    notes += ["The rate of false alarms is promised on average over champions; unlucky reference records can raise it."]
    if before < SAFE_RATIO * now:
        notes.append(
            f"The reference holds {before} records, under {SAFE_RATIO} times the window's {now}: given this one "
            f"reference, false alarms can be several times {stream.policy.false_alarms:g}. "
            + (
                "A larger policy.reference or a smaller window cures it."
                if before == stream.policy.reference
                else "The champion's snapshot holds no more; a smaller window, or a champion trained on more, cures it."
            )
        )
    return tuple(notes)
