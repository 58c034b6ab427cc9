"""The drift of exchangeable records: each pair of samples compared with chance, and told in a sentence.

A change has to be beyond chance and large enough to matter: with a million records a side a shift that nobody could
act on is significant. The floors stand below; under a few thousand records none of them is ever what decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np

from trueup.monitoring.check import Contributor, Signal, Verdict
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals.both_sides import with_both_sides, words_that_moved
from trueup.monitoring.signals.pending import MIN_VALUES, PendingTest, far_beyond_chance, insufficient, verdict_of
from trueup.monitoring.signals.samples import SamplePair, ValueKind, sample_pairs
from trueup.monitoring.stats.counts import count_test
from trueup.monitoring.stats.proportions import mean_test, share_test
from trueup.monitoring.stats.quantiles import quantiles
from trueup.monitoring.stats.ranks import rank_test
from trueup.monitoring.stats.units import unit_change
from trueup.monitoring.stats.words import word_test
from trueup.storage.formatting import capitalised, percent, percent_change, points, significance
from trueup.storage.stream import StreamSettings

MOVED_FLOOR = 0.02  # share of records that moved (numbers: Kolmogorov's distance; levels: total variation)
WORD_FLOOR = 0.01  # change of the share of texts that hold a word
MEAN_FLOOR = 0.01  # change of the mean probability
MISSING_FLOOR = 0.01  # change of the share of missing values
INPUT = "DRF-IN-"  # begins the code of a column's drift
_TOLD, _DRAWN = 5, 16  # words that a signal names, and that its picture shows
_NAMED = 3  # levels, bands and records that a signal names


def drift(stream: StreamSettings, comparison: Comparison) -> Iterator[PendingTest | Signal]:
    """A test of each pair of samples, or the answer that there are too few values."""
    for pair in sample_pairs(stream, comparison):
        yield too_few(pair) or PendingTest(
            pair.code, partial(drift_signal, pair, comparison.seed), costs_nothing=cannot_change(pair)
        )


def too_few(pair: SamplePair) -> Signal | None:
    """The answer where either side has too few values to compare."""
    n_reference, n_current = len(pair.reference), len(pair.current)
    if pair.waits:
        return insufficient(pair.code, pair.name, pair.waits, n_reference, n_current)
    if min(n_reference, n_current) >= MIN_VALUES:
        return None
    side, n = ("the window", n_current) if n_current < MIN_VALUES else ("the reference", n_reference)
    holds = f"{n} value{'' if n == 1 else 's'}" if n else "no values"
    return insufficient(
        pair.code,
        pair.name,
        f"{capitalised(pair.what)}: {side} holds {holds}; a comparison needs {MIN_VALUES} on each side.",
        n_reference,
        n_current,
    )


def cannot_change(pair: SamplePair) -> bool:
    """Whether all values are one and the same: every permutation looks alike, so the test can never breach."""
    if pair.kind is ValueKind.TEXTS:
        return False
    first = pair.reference[0]
    return bool((pair.reference == first).all() and (pair.current == first).all())


def drift_signal(pair: SamplePair, seed: int, level: float) -> Signal:
    """Tests one pair of samples at a level; where it breached after a change, whether it is as before that change."""
    found, former = with_both_sides(_JUDGES[pair.kind](pair, level, seed), pair), pair.former
    if found.verdict is not Verdict.BREACHED or former is None or too_few(former):
        return found
    return as_before(found) if _JUDGES[former.kind](former, level, seed).verdict is Verdict.OK else found


def as_before(found: Signal) -> Signal:
    """A breach against the rows since a change, which is none against those before it."""
    said = f"Back to the state before the last change. {found.said}"
    return replace(found, said=said, returned=True)


def _numbers(pair: SamplePair, level: float, seed: int) -> Signal:
    n_reference, n_current = len(pair.reference), len(pair.current)
    test = rank_test(*pair.ordered, level=level, seed=seed)
    old, new = (quantiles(values, [0.25, 0.5, 0.75]) for values in pair.ordered)
    said = (
        f"{capitalised(pair.what)}: median {old[1]:.4g} → {new[1]:.4g} (middle half {old[0]:.4g} to {old[2]:.4g}, now "
        f"{new[0]:.4g} to "
        f"{new[2]:.4g}); at least {percent(test.moved)} of records differ"
    )
    by_chance = np.sqrt((n_reference + n_current + 1) / (12 * n_reference * n_current))
    found = _signal(
        pair, test.p_value, level, test.moved >= MOVED_FLOOR, said,
        value=test.moved, effect=test.above,
        direction=_direction(test.above) if abs(test.above) > 2 * by_chance else None,
        contributors=_bands(pair),
    )
    return with_unit_change(found, pair)


def with_unit_change(found: Signal, pair: SamplePair, *, series: bool = False) -> Signal:
    """The signal; where it breached and its column looks as if its unit had changed, it says so."""
    measured = pair.kind is ValueKind.NUMBERS or pair.counted
    if found.verdict is not Verdict.BREACHED or not measured or not pair.code.startswith(INPUT):
        return found
    change = unit_change(*pair.numbers(), series=series)
    if change is None:
        return found
    part = "" if change.values == len(pair.current) else f", in the newest {change.values} values"
    said = f"The unit of {pair.what} has probably changed ({change.said}{part}). {found.said}"
    return replace(found, said=said, unit_change=change.said)


def _levels(pair: SamplePair, level: float, seed: int) -> Signal:
    (reference, current), names = pair.counts(), pair.names
    if len(names) == 1:
        said = f"{capitalised(pair.what)}: every record holds '{names[0]}', as in the reference"
        return _signal(pair, 1.0, level, False, said, value=0.0, effect=0.0)
    test = count_test(reference, current, level=level, seed=seed)
    shares = reference / reference.sum(), current / current.sum()
    most = np.argsort(-np.abs(shares[1] - shares[0]), kind="stable")[:_NAMED]
    moved = tuple(
        Contributor(
            names[i][:60], float(shares[0][i]), float(shares[1][i]), _examples(pair, pair.current == i)
        )
        for i in most
    )
    said = f"{capitalised(pair.what)} shifted by {points(test.moved)}: {_told(moved)}"
    two = len(names) == 2
    effect = float(shares[1][-1] - shares[0][-1]) if two else test.moved
    found = _signal(
        pair, test.p_value, level, test.moved >= MOVED_FLOOR, said,
        value=test.moved, effect=effect, direction=_direction(effect) if two else None, contributors=moved,
    )
    return with_unit_change(found, pair)


def _texts(pair: SamplePair, level: float, seed: int) -> Signal:
    test = word_test(list(pair.reference), list(pair.current), top=_DRAWN)
    if not test.words:
        return insufficient(
            pair.code, pair.name, "Neither the window nor the reference holds a text with words.",
            len(pair.reference), len(pair.current),
        )
    told = test.words[:_TOLD]
    largest = max(abs(word.current - word.reference) for word in told)
    moved = tuple(
        Contributor(w.word[:40], w.reference, w.current, tuple(str(i)[:40] for i in pair.ids[list(w.examples)]))
        for w in told
    )
    said = f"Words that changed most, of {test.vocabulary:,} (share of texts): {_told(moved)}"
    came = next((word for word in moved if word.now > word.before), None)
    if came is not None and test.p_value <= level:
        said += f"; '{came.what}' is for example in record {', '.join(came.examples)}"
    effect = moved[0].now - moved[0].before
    found = _signal(
        pair, test.p_value, level, largest >= WORD_FLOOR, said,
        value=moved[0].now, effect=effect, contributors=moved,
    )
    return replace(found, distribution=words_that_moved(test.words))


def _shares(pair: SamplePair, level: float, seed: int) -> Signal:
    test = mean_test(pair.reference, pair.current, level=level, seed=seed)
    effect = test.current - test.reference
    said = f"{capitalised(pair.what)}: {test.reference:.3f} → {test.current:.3f}"
    return _signal(
        pair, test.p_value, level, abs(effect) >= MEAN_FLOOR, said,
        value=test.current, effect=effect, interval=test.interval,
        direction=_direction(effect), contributors=_bands(pair),
    )


def _missing(pair: SamplePair, level: float, seed: int) -> Signal:
    old, new = float(pair.reference.mean()), float(pair.current.mean())
    said = f"{capitalised(pair.what)}: missing values {percent_change(old, new)}"
    if cannot_change(pair):
        said = f"{capitalised(pair.what)}: {'every' if new else 'no'} value is missing, as in the reference"
    p_value = share_test(pair.reference, pair.current)
    return _signal(
        pair, p_value, level, abs(new - old) >= MISSING_FLOOR, said, value=new, effect=new - old,
        direction=_direction(new - old),
        contributors=(Contributor("missing", old, new, _examples(pair, pair.current)),),
    )


_JUDGES = {
    ValueKind.NUMBERS: _numbers,
    ValueKind.LEVELS: _levels,
    ValueKind.TEXTS: _texts,
    ValueKind.SHARES: _shares,
    ValueKind.MISSING: _missing,
}


def _bands(pair: SamplePair) -> tuple[Contributor, ...]:
    """The fifths of the earlier values whose share changed most."""
    edges = np.unique(quantiles(pair.ordered[0], [0.2, 0.4, 0.6, 0.8]))
    reached = [np.searchsorted(values, edges, side="right") for values in pair.ordered]  # values up to each edge
    shares = [
        np.diff(below, prepend=0, append=len(values)) / len(values)
        for below, values in zip(reached, pair.ordered, strict=True)
    ]
    shown = [f"{edge:.4g}" for edge in edges]
    names = [f"up to {shown[0]}", *(f"{a} to {b}" for a, b in pairwise(shown)), f"above {shown[-1]}"]
    most = np.argsort(-np.abs(shares[1] - shares[0]), kind="stable")[:_NAMED]
    ends = np.r_[-np.inf, edges, np.inf]
    return tuple(
        Contributor(
            names[i], float(shares[0][i]), float(shares[1][i]),
            _examples(pair, (pair.current > ends[i]) & (pair.current <= ends[i + 1])),
        )
        for i in most
    )  # fmt: skip


def _examples(pair: SamplePair, which: np.ndarray) -> tuple[str, ...]:
    return tuple(str(i)[:40] for i in pair.ids[np.flatnonzero(which)[:_NAMED]])


def _told(moved: tuple[Contributor, ...]) -> str:
    return ", ".join(f"'{_short(part.what)}' {percent_change(part.before, part.now)}" for part in moved)


def _short(level: str) -> str:
    """A level as a sentence holds it; a number that is one with few digits."""
    try:
        return f"{float(level):.4g}" if len(level) > 8 else level
    except ValueError:
        return level


def _direction(effect: float) -> Literal["up", "down"] | None:
    return None if effect == 0 else "up" if effect > 0 else "down"


def _signal(
    pair: SamplePair,
    p_value: float,
    level: float,
    material: bool,
    said: str,
    *,
    value: float,
    effect: float,
    interval: tuple[float, float] | None = None,
    direction: Literal["up", "down"] | None = None,
    contributors: tuple[Contributor, ...] = (),
) -> Signal:
    outcome = verdict_of(p_value, level, material)
    return Signal(
        code=pair.code,
        name=pair.name,
        verdict=outcome,
        said=f"{said}. {significance(p_value, level, material=material)}",
        value=value,
        threshold=level,
        p_value=p_value,
        effect=effect,
        interval=interval,
        direction=direction,
        overwhelming=far_beyond_chance(outcome, p_value, level),
        contributors=contributors,
        n_reference=len(pair.reference),
        n_current=len(pair.current),
    )
