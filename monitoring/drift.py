"""The drift of exchangeable records: each observed pair of samples held against chance, and told in a sentence.

A change has to be beyond chance and large enough to matter: with a million records a side a shift that nobody could
act on is significant. The floors stand below; under a few thousand records none of them is ever what decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from monitoring.comparison import Comparison
from monitoring.counts import count_test
from monitoring.evidence import Signal, Verdict
from monitoring.observed import Kind, Observed, observations
from monitoring.proportions import mean_test, share_test
from monitoring.questions import FEWEST, Question, chance, insufficient, percent, verdict
from monitoring.ranks import rank_test
from monitoring.words import WordShare, word_test
from storage.stream import Stream

MOVED_FLOOR = 0.02  # share of records that moved (numbers: Kolmogorov's distance; levels: total variation)
WORD_FLOOR = 0.01  # change of the share of texts that hold a word
MEAN_FLOOR = 0.01  # change of the mean probability
MISSING_FLOOR = 0.01  # change of the share of missing values


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
    test = rank_test(observed.before, observed.now, level=level, seed=seed)
    old, new = (np.quantile(v, [0.25, 0.5, 0.75]) for v in (observed.before, observed.now))
    said = (
        f"The median of {observed.what} went from {old[1]:.4g} to {new[1]:.4g} (middle half {old[0]:.4g} to "
        f"{old[2]:.4g} before, {new[0]:.4g} to {new[2]:.4g} now); at least {percent(test.moved)} of the records moved"
    )
    material = test.moved >= MOVED_FLOOR
    return _signal(observed, test.p_value, level, material, said, value=test.moved, effect=test.above)


def _levels(observed: Observed, level: float, seed: int) -> Signal:
    before, now, names = level_counts(observed.before, observed.now)
    if len(names) == 1:
        said = f"For {observed.what} every record holds the one value '{names[0]}' on both hands"
        return _signal(observed, 1.0, level, False, said, value=0.0, effect=0.0)
    test = count_test(before, now, level=level, seed=seed)
    shares = before / before.sum(), now / now.sum()
    said = f"For {observed.what} {percent(test.moved)} of the records moved: {moves(names, *shares)}"
    signed = float(shares[1][-1] - shares[0][-1]) if len(names) == 2 else test.moved
    return _signal(observed, test.p_value, level, test.moved >= MOVED_FLOOR, said, value=test.moved, effect=signed)


def _texts(observed: Observed, level: float, seed: int) -> Signal:
    test = word_test(list(observed.before), list(observed.now))
    if not test.words:
        return insufficient(
            observed.code, observed.name, "The texts hold no words on either hand.",
            len(observed.before), len(observed.now),
        )
    largest = max(abs(word.now - word.before) for word in test.words)
    strongest = test.words[0]
    said = f"Of {test.vocabulary} words the strongest changes: {', '.join(_word(w) for w in test.words)}"
    came = next((word for word in test.words if word.now > word.before), None)
    if came is not None and test.p_value <= level:
        records = ", ".join(str(observed.ids[i])[:40] for i in came.examples)
        said += f"; '{came.word[:40]}' stands for example in record {records}"
    effect = strongest.now - strongest.before
    return _signal(observed, test.p_value, level, largest >= WORD_FLOOR, said, value=strongest.now, effect=effect)


def _shares(observed: Observed, level: float, seed: int) -> Signal:
    test = mean_test(observed.before, observed.now, level=level, seed=seed)
    effect = test.current - test.reference
    said = f"For {observed.what}: {test.reference:.3f} before, {test.current:.3f} now"
    return _signal(
        observed, test.p_value, level, abs(effect) >= MEAN_FLOOR, said,
        value=test.current, effect=effect, interval=test.interval,
    )


def _missing(observed: Observed, level: float, seed: int) -> Signal:
    old, new = float(observed.before.mean()), float(observed.now.mean())
    said = f"In {observed.what} {percent(old)} of the values were missing before, {percent(new)} now"
    if cannot_change(observed):
        said = f"In {observed.what} {'every' if new else 'no'} value is missing, before as now"
    p_value = share_test(observed.before, observed.now)
    return _signal(observed, p_value, level, abs(new - old) >= MISSING_FLOOR, said, value=new, effect=new - old)


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


def moves(names: list[str], before: np.ndarray, now: np.ndarray, *, top: int = 3) -> str:
    """The levels whose share changed most, in words."""
    order = np.argsort(-np.abs(now - before), kind="stable")[:top]
    return ", ".join(f"'{names[i][:60]}' {percent(before[i])} → {percent(now[i])}" for i in order)


def _word(word: WordShare) -> str:
    return f"'{word.word[:40]}' {percent(word.before)} → {percent(word.now)}"


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
        n_reference=len(observed.before),
        n_current=len(observed.now),
    )
