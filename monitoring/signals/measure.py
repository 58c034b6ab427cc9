"""All signals of one check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals import catalogue
from trueup.monitoring.signals.alpha_budget import levels_of
from trueup.monitoring.signals.drift import drift
from trueup.monitoring.signals.past_windows import series_drift
from trueup.monitoring.signals.pending import MIN_VALUES, PendingTest
from trueup.storage.stream import StreamSettings

SAFE_RATIO = 5  # reference rows for each window row, from which on the guarantee also holds given the reference

SignalSource = Callable[[StreamSettings, Comparison], Iterable[PendingTest | Signal]]


def measure(stream: StreamSettings, comparison: Comparison) -> tuple[tuple[Signal, ...], tuple[str, ...]]:
    """The signals of a check, and what has to be said about them all.

    Every test is held at its share of `policy.false_alarms`, so that on exchangeable records the chance of any
    breach is at most that, at every pair of sizes from 30 up, marginally over references.
    """
    with threadpool_limits(1):  # the matrices are small: threads that wait for each other take most of the time
        found = [item for source in _sources(stream) for item in source(stream, comparison)]
        if not stream.predicts:
            found = [item for item in found if not _of_a_model(catalogue.kind_of(item.code))]
        spending = [item.code for item in found if isinstance(item, PendingTest) and not item.costs_nothing]
        levels = levels_of(stream.policy.false_alarms, spending)
        whole = stream.policy.false_alarms  # for what spends nothing, whatever its level
        signals = tuple(
            item.run(levels.get(item.code, whole)) if isinstance(item, PendingTest) else item
            for item in _let_go_of(found)
        )
    if not len(comparison.current):
        signals = tuple(_nothing_new(signal) for signal in signals)
    return signals, _notes(stream, comparison)


def _let_go_of(found: list[PendingTest | Signal]) -> Iterator[PendingTest | Signal]:
    """In their order, none held once the next is asked for: each sorts its values, which may be millions."""
    found.reverse()
    while found:
        yield found.pop()


def _sources(stream: StreamSettings) -> Iterator[SignalSource]:
    """Drift of all samples first, then the other kinds in their order."""
    yield series_drift if stream.series else drift
    yield from (catalogue.function_at(kind.tests) for kind in catalogue.CATALOGUE if kind.tests)


def _of_a_model(kind: catalogue.SignalKind) -> bool:
    """Whether a kind is about predictions or labels."""
    return kind.side != "inputs" or kind.cause is Cause.METRIC or kind.code == "DQ-LABELS"


def _nothing_new(signal: Signal) -> Signal:
    """A check of no records cannot call anything healthy; a feed that fell silent is still a breach."""
    return replace(signal, verdict=Verdict.INSUFFICIENT) if signal.verdict is Verdict.OK else signal


def _answered(comparison: Comparison) -> list[str]:
    """Which signals are compared with the rows since a change, and why; one sentence for each change."""
    held: dict[tuple[datetime, str], list[str]] = {}
    for code, change in comparison.answered.items():
        held.setdefault((change.since, change.said), []).append(code)
    return [
        f"Compared with the records since {since:%Y-%m-%d %H:%M} UTC, {said}: {', '.join(codes)}."
        for (since, said), codes in held.items()
    ]


def _notes(stream: StreamSettings, comparison: Comparison) -> tuple[str, ...]:
    n_reference, n_current = len(comparison.reference), len(comparison.current)
    if n_current < MIN_VALUES:
        return (f"Not judged: the window holds {n_current} records, {MIN_VALUES} are needed.",)
    if stream.series:
        return ("Series: each signal is compared with past windows of the same length.",)
    accepted = ", ".join(comparison.accepted)
    notes = [f"Compared with a window that a person accepted as baseline: {accepted}."] if accepted else []
    notes += _answered(comparison)
    if n_reference < SAFE_RATIO * n_current:
        notes.append(
            f"Small reference ({n_reference} records, under {SAFE_RATIO} × the window): expect more false alarms "
            + (
                "until policy.reference is larger or policy.window smaller."
                if n_reference == stream.policy.reference
                else "until the next retrain."
            )
        )
    return tuple(notes)
