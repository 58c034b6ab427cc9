"""The drift of exchangeable records: each observed pair of samples held against chance, and told in a sentence.

A change has to be beyond chance and large enough to matter: with a million records a side a shift that nobody could
act on is significant. The floors stand below; under a few thousand records none of them is ever what decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from trueup.monitoring.check import Contributor, Signal, Verdict
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals.pending import FEWEST, Question, chance, insufficient, overwhelming, percent, verdict
from trueup.monitoring.signals.samples import Kind, Observed, observations
from trueup.monitoring.stats.counts import count_test
from trueup.monitoring.stats.proportions import mean_test, share_test
from trueup.monitoring.stats.ranks import rank_test
from trueup.monitoring.stats.words import word_test
from trueup.storage.stream import Stream

MOVED_FLOOR = 0.02  # share of records that moved (numbers: Kolmogorov's distance; levels: total variation)
WORD_FLOOR = 0.01  # change of the share of texts that hold a word
MEAN_FLOOR = 0.01  # change of the mean probability
MISSING_FLOOR = 0.01  # change of the share of missing values
NAMED = 3  # levels, bands and records that a signal names


def drift(stream: Stream, comparison: Comparison) -> Iterator[Question | Signal]:
    """A question for everything observed, or the answer that there is too little of it."""
    for observed in observations(stream, comparison):
        yield too_few(observed) or Question(
            observed.code, partial(judge, observed, comparison.seed), free=cannot_change(observed)
        )


def too_few(observed: Observed) -> Signal | None:
    """The answer where either hand has too few values to compare."""
    n_before, n_now = len(observed.before), len(observed.now)
    if min(n_before, n_now) >= FEWEST:
        return None
    hand, n = ("the window", n_now) if n_now < FEWEST else ("the reference", n_before)
    holds = f"{n} value{'' if n == 1 else 's'}" if n else "no values"
    return insufficient(
        observed.code,
        observed.name,
        f"For {observed.what} {hand} holds {holds}; a comparison needs {FEWEST} on either hand.",
        n_before,
        n_now,
    )


def cannot_change(observed: Observed) -> bool:
    """Whether all values are one and the same: every permutation looks alike, so the test can never breach."""
    if observed.kind is Kind.TEXTS:
        return False
    first = observed.before[0]
    return bool((observed.before == first).all() and (observed.now == first).all())


def judge(observed: Observed, seed: int, level: float) -> Signal:
    """Tests one pair of samples at a level."""
    return _JUDGES[observed.kind](observed, level, seed)


def _numbers(observed: Observed, level: float, seed: int) -> Signal:
    before, now = observed.before, observed.now
    test = rank_test(before, now, level=level, seed=seed)
    old, new = (np.quantile(v, [0.25, 0.5, 0.75]) for v in (before, now))
    said = (
        f"The median of {observed.what} went from {old[1]:.4g} to {new[1]:.4g} (middle half {old[0]:.4g} to "
        f"{old[2]:.4g} before, {new[0]:.4g} to {new[2]:.4g} now); at least {percent(test.moved)} of the records moved"
    )
    by_chance = np.sqrt((len(before) + len(now) + 1) / (12 * len(before) * len(now)))
    return _signal(
        observed, test.p_value, level, test.moved >= MOVED_FLOOR, said,
        value=test.moved, effect=test.above,
        direction=_direction(test.above) if abs(test.above) > 2 * by_chance else None,
        contributors=_bands(observed),
    )


def _levels(observed: Observed, level: float, seed: int) -> Signal:
    before, now, names = level_counts(observed.before, observed.now)
    if len(names) == 1:
        said = f"For {observed.what} every record holds the one value '{names[0]}' on both hands"
        return _signal(observed, 1.0, level, False, said, value=0.0, effect=0.0)
    test = count_test(before, now, level=level, seed=seed)
    shares = before / before.sum(), now / now.sum()
    most = np.argsort(-np.abs(shares[1] - shares[0]), kind="stable")[:NAMED]
    moved = tuple(
        Contributor(
            names[i][:60], float(shares[0][i]), float(shares[1][i]), _examples(observed, observed.now == names[i])
        )
        for i in most
    )
    said = f"For {observed.what} {percent(test.moved)} of the records moved: {_told(moved)}"
    two = len(names) == 2
    effect = float(shares[1][-1] - shares[0][-1]) if two else test.moved
    return _signal(
        observed, test.p_value, level, test.moved >= MOVED_FLOOR, said,
        value=test.moved, effect=effect, direction=_direction(effect) if two else None, contributors=moved,
    )


def _texts(observed: Observed, level: float, seed: int) -> Signal:
    test = word_test(list(observed.before), list(observed.now))
    if not test.words:
        return insufficient(
            observed.code, observed.name, "The texts hold no words on either hand.",
            len(observed.before), len(observed.now),
        )
    largest = max(abs(word.now - word.before) for word in test.words)
    moved = tuple(
        Contributor(w.word[:40], w.before, w.now, tuple(str(observed.ids[i])[:40] for i in w.examples))
        for w in test.words
    )
    said = f"Of {test.vocabulary} words the strongest changes: {_told(moved)}"
    came = next((word for word in moved if word.now > word.before), None)
    if came is not None and test.p_value <= level:
        said += f"; '{came.what}' stands for example in record {', '.join(came.examples)}"
    effect = moved[0].now - moved[0].before
    return _signal(
        observed, test.p_value, level, largest >= WORD_FLOOR, said,
        value=moved[0].now, effect=effect, contributors=moved,
    )


def _shares(observed: Observed, level: float, seed: int) -> Signal:
    test = mean_test(observed.before, observed.now, level=level, seed=seed)
    effect = test.current - test.reference
    said = f"For {observed.what}: {test.reference:.3f} before, {test.current:.3f} now"
    return _signal(
        observed, test.p_value, level, abs(effect) >= MEAN_FLOOR, said,
        value=test.current, effect=effect, interval=test.interval,
        direction=_direction(effect), contributors=_bands(observed),
    )


def _missing(observed: Observed, level: float, seed: int) -> Signal:
    old, new = float(observed.before.mean()), float(observed.now.mean())
    said = f"In {observed.what} {percent(old)} of the values were missing before, {percent(new)} now"
    if cannot_change(observed):
        said = f"In {observed.what} {'every' if new else 'no'} value is missing, before as now"
    p_value = share_test(observed.before, observed.now)
    return _signal(
        observed, p_value, level, abs(new - old) >= MISSING_FLOOR, said, value=new, effect=new - old,
        direction=_direction(new - old),
        contributors=(Contributor("missing", old, new, _examples(observed, observed.now)),),
    )


_JUDGES = {
    Kind.NUMBERS: _numbers,
    Kind.LEVELS: _levels,
    Kind.TEXTS: _texts,
    Kind.SHARES: _shares,
    Kind.MISSING: _missing,
}


def level_counts(before: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """How often each level stands in either sample, and their names in sorted order."""
    codes, names = pd.factorize(np.concatenate([before, now]), sort=True)
    counts = np.bincount(codes[: len(before)], minlength=len(names))
    return counts, np.bincount(codes[len(before):], minlength=len(names)), [str(name) for name in names]


def _bands(observed: Observed) -> tuple[Contributor, ...]:
    """The fifths of the earlier values whose share changed most."""
    edges = np.unique(np.quantile(observed.before, [0.2, 0.4, 0.6, 0.8]))
    before, now = (np.searchsorted(edges, values, side="left") for values in (observed.before, observed.now))
    shares = [np.bincount(hand, minlength=len(edges) + 1) / len(hand) for hand in (before, now)]
    shown = [f"{edge:.4g}" for edge in edges]
    names = [f"up to {shown[0]}", *(f"{a} to {b}" for a, b in pairwise(shown)), f"above {shown[-1]}"]
    most = np.argsort(-np.abs(shares[1] - shares[0]), kind="stable")[:NAMED]
    return tuple(
        Contributor(names[i], float(shares[0][i]), float(shares[1][i]), _examples(observed, now == i)) for i in most
    )


def _examples(observed: Observed, which: np.ndarray) -> tuple[str, ...]:
    return tuple(str(i)[:40] for i in observed.ids[np.flatnonzero(which)[:NAMED]])


def _told(moved: tuple[Contributor, ...]) -> str:
    return ", ".join(f"'{part.what}' {percent(part.before)} → {percent(part.now)}" for part in moved)


def _direction(effect: float) -> Literal["up", "down"] | None:
    return None if effect == 0 else "up" if effect > 0 else "down"


def _signal(
    observed: Observed,
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
    outcome = verdict(p_value, level, material)
    if p_value <= level and not material:
        said += "; beyond chance, but too small to matter"
    elif outcome is Verdict.OK and p_value < 1:
        said += "; no more than chance allows"
    return Signal(
        code=observed.code,
        name=observed.name,
        verdict=outcome,
        said=f"{said} ({chance(p_value, level)}).",
        value=value,
        threshold=level,
        p_value=p_value,
        effect=effect,
        interval=interval,
        direction=direction,
        overwhelming=overwhelming(outcome, p_value, level),
        contributors=contributors,
        n_reference=len(observed.before),
        n_current=len(observed.now),
    )
